nnc file-access-paths.nn -o m.so --cpu x86-64-v5
