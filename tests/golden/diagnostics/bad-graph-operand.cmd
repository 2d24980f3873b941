nnc opt --pass=fold bad-graph-operand.nng
nnc opt --pass=fold no-model-file.nn
