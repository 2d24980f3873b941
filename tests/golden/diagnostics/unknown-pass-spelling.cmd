nnc opt --pass=simplfy pass-order-expand.nng
nnc train no-model-file.nn --dump-after=fould
