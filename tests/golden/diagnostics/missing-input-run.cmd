nnc run file-access-paths.nn -o out.npz
nnc run file-access-paths.nn --grad x -o out.npz
