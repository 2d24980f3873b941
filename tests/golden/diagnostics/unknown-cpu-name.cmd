nnc run-time-files.nn -o m.so --cpu x86-64-v5
