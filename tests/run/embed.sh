# A model as a library: its header is C99 and C++, it needs libc alone, exports its own functions alone, and learns.
. "$(dirname "$0")/lib.sh"
"$nnc" "$examples/spirals.nn" -o spirals.so
readelf -d spirals.so | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v '^libc\.so' && fail "needs more than libc" || true
nm -D --defined-only spirals.so | awk '{ print $3 }' | grep -v -e '^spirals_' -e '^nn_' && fail "exports too much" || true
[ "$(nm -D --defined-only spirals.so | awk '{ print $3 }' | grep -c '^nn_')" -le 1 ] || fail "more than one entry point"
cc -std=c99 -Wall -Wextra -Wpedantic -Werror -I. "$examples/embed/train.c" ./spirals.so -lm -o train
./train >out.txt || fail "$(cat out.txt)"
grep -q ' of 600 new points right' out.txt || fail "$(cat out.txt)"
printf '#include "spirals.h"\nint main() { return spirals_message() == 0; }\n' >header.cc
c++ -Wall -Wextra -Wpedantic -Werror header.cc ./spirals.so -o header && ./header || fail "the header in C++"
for output in spirals.o spirals.h spirals.ll spirals.s spirals.nng spirals.nnk spirals.dot; do
    "$nnc" "$examples/spirals.nn" -o out.${output#*.} && [ -s out.${output#*.} ] || fail "no $output"
done
fails 1 '.so' "$nnc" "$examples/spirals.nn" -o spirals.exe
for cpu in x86-64-v2 x86-64-v3; do
    "$nnc" "$examples/spirals.nn" --cpu $cpu -o spirals.so && ./train >out.txt || fail "$cpu: $(cat out.txt)"
done
