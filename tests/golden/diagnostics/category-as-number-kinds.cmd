printf 'price,year,grade,share\n"1,50",1997,B,12%%\n"2,50",1998,A,9%%\n' >wine.csv
nnc check category-as-number-kinds.nn
sed -e '/x = columns/s/= .*/= one_hot(table.price, 2)/' -e '/^    level/s/grade/year/' -e '/mean/d' \
    category-as-number-kinds.nn >other.nn
nnc check other.nn
sed -e 's/^    t = .*/t = table.year/' -e 's/^    level = .*/level = table.grade/' other.nn >grade.nn
nnc check grade.nn
# Names of texts may be compared, picked and counted.
sed -e 's/^    t = .*/t = f32(table.grade == 1)/' -e 's/^    level = .*/level = table.year/' other.nn >right.nn
nnc check right.nn
