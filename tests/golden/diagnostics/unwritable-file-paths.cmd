nnc file-access-paths.nn -o nowhere/m.nng
nnc file-access-paths.nn -o nowhere/m.so
mkdir folder.so folder.dot
nnc file-access-paths.nn -o folder.so
nnc file-access-paths.nn -o folder.dot
