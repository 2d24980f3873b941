printf 'age,rich\n31,yes\n42,no\n' >people.csv
printf 'age,rich\n31,yes\n42,perhaps\n' >others.csv
nnc eval missing-value-csv.nn --split test
