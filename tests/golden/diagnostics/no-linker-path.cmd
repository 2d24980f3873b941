PATH=nowhere nnc file-access-paths.nn -o m.so
