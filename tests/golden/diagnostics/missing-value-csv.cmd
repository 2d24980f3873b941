printf 'age,rich\n31,yes\n42,no\n' >good.csv
cp good.csv people.csv
printf 'age,rich\n31,yes\n,no\n' >others.csv
nnc eval missing-value-csv.nn --split test
