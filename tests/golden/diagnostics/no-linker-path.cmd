PATH=nowhere nnc run-time-files.nn -o m.so
