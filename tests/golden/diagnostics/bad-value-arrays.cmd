npy() { printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2), }"; }
{ npy '|u1' '2, 3'; printf '\000\001\002\003\004\005'; } >wide.npy
{ npy '|u1' '2, 2'; printf '\000\001\002\003'; } >x.npy
{ npy '|u1' '2,'; printf '\002\003'; } >t.npy
{ npy '<f4' '2,'; printf '\000\000\000\077\000\000\000\000'; } >half.npy
nnc run run-time-files.nn --input x=wide.npy -o out.npz
nnc run run-time-files.nn --input x=x.npy --input t=t.npy -o out.npz
nnc run run-time-files.nn --input x=x.npy --input t=half.npy -o out.npz
