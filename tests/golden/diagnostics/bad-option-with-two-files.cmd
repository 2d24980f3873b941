printf 'model m {\n    input x: f32[batch]\n    output y = 2 * x\n}\n' >plain.nn
printf 'a\n1\n' >a.csv
nnc check plain.nn --data x=a.csv --data train.x=a.csv
nnc check plain.nn --data train.x=a.csv --data test.x=b.csv
printf 'data train, test {\n    x = csv("a.csv", header = "no").c0\n    split = [0.5, 0.5]\n}\n' | cat plain.nn - >data.nn
nnc check data.nn
nnc check data.nn --data train.x=a.csv --data test.x=b.csv
