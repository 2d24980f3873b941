printf 'age,rich\n31,yes\n42,no\n' >others.csv
printf 'age,rich\n31,yes\nold,no\n' >people.csv
nnc train missing-value-csv.nn --quiet
