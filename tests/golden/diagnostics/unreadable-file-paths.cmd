nnc check nothing.nn
nnc fmt .
nnc opt --pass=fold nothing.nng
