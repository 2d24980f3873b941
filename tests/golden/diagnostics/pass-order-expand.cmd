nnc opt --pass=expand pass-order-expand.nng
