nnc train file-access-paths.nn --set lr
nnc train file-access-paths.nn --set lr=fast
nnc check file-access-paths.nn --bind batch=-1
nnc file-access-paths.nn -o m.h --name 3d
