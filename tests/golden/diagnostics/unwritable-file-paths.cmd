nnc run-time-files.nn -o nowhere/m.nng
nnc run-time-files.nn -o nowhere/m.so
mkdir folder.so folder.dot
nnc run-time-files.nn -o folder.so
nnc run-time-files.nn -o folder.dot
