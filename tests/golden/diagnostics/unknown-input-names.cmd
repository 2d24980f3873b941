nnc run file-access-paths.nn --input y=x.npy -o out.npz
nnc run file-access-paths.nn --grad y -o out.npz
