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
# A program that was compiled with the header of the first compiler, and links with today's library.
"$nnc" "$examples/spirals.nn" -o spirals.so
mkdir -p old && cp "$examples/../tests/golden/headers/spirals_0_1.txt" old/spirals.h
cc -std=c99 -Wall -Wextra -Wpedantic -Werror -Iold "$examples/embed/train.c" ./spirals.so -lm -o train_old
./train_old >old.txt || fail "a program with the first header: $(cat old.txt)"
for name in $(sed -n 's/.*[ *]\(spirals_[a-z_]*\)(.*);$/\1/p' old/spirals.h | sort -u); do
    nm -D --defined-only spirals.so | grep -q " $name\$" || fail "the library has no $name any more"
    grep -qF "$(grep -F " $name(" old/spirals.h || grep -F "*$name(" old/spirals.h)" spirals.h || fail "$name is declared otherwise"
done
# The other programs of examples/embed, by the commands that stand in them.
"$nnc" "$examples/spirals.nn" -o spirals.so
c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -I. "$examples/embed/spirals.cc" ./spirals.so -o spirals
./spirals >out.txt || fail "spirals.cc: $(cat out.txt)"
grep -q ' of 600 new points right' out.txt || fail "spirals.cc: $(cat out.txt)"

if command -v python3 >/dev/null; then
    "$nnc" train "$examples/spirals.nn" --quiet -o spirals.safetensors
    python3 "$examples/embed/predict.py" ./spirals.so spirals.safetensors >map.txt || fail "predict.py"
    [ "$(wc -l <map.txt)" -eq 24 ] || fail "predict.py: $(cat map.txt)"
    for arm in . o '#'; do
        [ "$(tr -cd "$arm" <map.txt | wc -c)" -gt 150 ] || fail "predict.py sees too little of $arm: $(cat map.txt)"
    done
    # The same without NumPy: a module of that name that is none stands in front of it.
    mkdir -p without && echo 'raise ImportError' >without/numpy.py
    PYTHONPATH=without python3 "$examples/embed/predict.py" ./spirals.so spirals.safetensors >plain.txt && diff map.txt plain.txt ||
        fail "predict.py gives something else without NumPy"
    python3 "$examples/embed/predict.py" ./spirals.so no.safetensors 2>err.txt && fail "predict.py without weights" || true
    grep -q 'no.safetensors' err.txt || fail "predict.py: $(cat err.txt)"
else
    echo "predict.py is left out: there is no python3"
fi

"$nnc" "$examples/logistic.nn" -o logistic.so
cc -std=c99 -Wall -Wextra -Wpedantic -Werror -I. "$examples/embed/online.c" ./logistic.so -o online
samples() { awk -v seed="$1" 'BEGIN { srand(seed); for (i = 0; i < 2000; i++) { a = rand(); b = rand(); print a, b, (a + b > 0.8) } }'; }
rm -f learned.safetensors
samples 1 | ./online learned.safetensors >out.txt || fail "online.c: $(cat out.txt)"
samples 2 | ./online learned.safetensors >again.txt || fail "online.c: $(cat again.txt)"
grep -q '^going on' again.txt || fail "online.c forgot: $(cat again.txt)"
# It goes on where it was: better at its second start than at its first.
first=$(awk '$1 == 500 { print $4 }' out.txt) second=$(awk '$1 == 500 { print $4 }' again.txt)
awk -v a="$first" -v b="$second" 'BEGIN { exit !(a > 0 && b > 0 && b < a / 1.3) }' || fail "online.c: loss $first, then $second"
