nnc grad file-access-paths.nn --wrt y
nnc grad file-access-paths.nn --of losss --wrt x
