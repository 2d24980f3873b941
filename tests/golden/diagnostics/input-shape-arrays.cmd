npy() { printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"; }
{ npy '|u1' '2, 3'; printf '\000\001\002\003\004\005'; } >wide.npy
nnc run file-access-paths.nn --input x=wide.npy -o out.npz
