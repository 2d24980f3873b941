# --time-passes: a row for each step that a command takes, in its order, which add up to the time of the process.
. "$(dirname "$0")/lib.sh"

steps() {
    sed -n 's/^\([a-zA-Z][a-zA-Z ]*[a-zA-Z]\)  *[0-9][0-9.]* ms.*/\1/p' "$1" | tr '\n' ','
}

"$nnc" train --quiet --time-passes --steps 2 "$examples/spirals.nn" 2>times || fail "train"
want="start,parse,elaborate,require,fold,simplify,differentiate,simplify,expand,fold,dead,evaluation,schedule,"
want="${want}LLVM IR,machine code,load,codegen,parameters,the rest,all,"
[ "$(steps times)" = "$want" ] || fail "the steps of train are $(steps times)"
awk '$NF == "ms" { whole = $(NF - 1) } $NF == "%" { sum += $(NF - 3); share += $(NF - 1) }
     END { exit !(whole > 0 && sum > 0.99 * whole && sum < 1.01 * whole && share > 98 && share < 102) }' times ||
    fail "the rows do not add up: $(cat times)"

"$nnc" "$examples/spirals.nn" --time-passes -o spirals.o >/dev/null 2>times || fail "compile"
case "$(steps times)" in
start,parse,elaborate,*,schedule,codegen,the\ rest,all,) ;;
*) fail "the steps of a compilation are $(steps times)" ;;
esac
"$nnc" check --time-passes "$examples/spirals.nn" >/dev/null 2>times || fail "check"
grep -q '^elaborate ' times || fail "check has no time of elaborating"
"$nnc" fmt --time-passes "$examples/spirals.nn" >/dev/null 2>&1 && fail "fmt compiles nothing"
"$nnc" train --quiet --steps 2 "$examples/spirals.nn" 2>times
[ ! -s times ] || fail "without the option nothing is printed"
