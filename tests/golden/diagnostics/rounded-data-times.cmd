printf 'time,size,kind\n5,0.5,1\n1700000001,1.5,0\n' >times.csv
nnc train rounded-data-times.nn --quiet
sed 's/columns(table, "size", "time")/stack(table.size, table.time - min(table.time), axis = 1)/' rounded-data-times.nn >right.nn
nnc train right.nn --quiet
sed '1,2s/f32/f64/' rounded-data-times.nn >right.nn
nnc train right.nn --quiet
{ printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 2), }"
  printf '\000\000\000\001\001\000\000\001\000\000\000\000\000\000\000\000'; } >x.npy
nnc run rounded-data-times.nn --input x=x.npy -o out.npz
