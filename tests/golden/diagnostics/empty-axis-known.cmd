nnc check empty-axis-known.nn
nnc empty-axis-known.nn -o model.so
