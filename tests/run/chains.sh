# A chain of operators is as long as one likes: a hundred thousand terms are compiled, differentiated and laid out.
. "$(dirname "$0")/lib.sh"
repeated() { awk -v n="$1" -v what="$2" 'BEGIN { for (i = 0; i < n; i++) printf "%s", what }'; }
cat >sum.nn <<TEXT
model sum {
    input a, b: f32[batch]
    param w: f32 = 1
    const count = 1$(repeated 100000 " + 1")
    y = a$(repeated 100000 " + a") - a * b$(repeated 10000 " * a - b")
    z = mean(y[0:1]) > 0$(repeated 1000 " or w < 0")
    loss = mean(w * y) + count
    output y, z
}
TEXT
"$nnc" sum.nn -o sum.nnk
[ "$("$nnc" grad sum.nn --of loss --wrt w)" ] || fail "there is no formula"
"$nnc" fmt sum.nn
"$nnc" fmt sum.nn --check || fail "the layout changes again"
awk 'length > 122 { exit 1 }' sum.nn || fail "a line is long"

# In a session, and as a value that is right.
{ echo 'input a: f32'; echo 'a = 0.5'; echo "a$(repeated 9999 ' + a')"; } >session.txt
[ "$("$nnc" repl <session.txt)" = "10000 * a = 5000" ] || fail "a session adds wrongly: $("$nnc" repl <session.txt | cut -c1-80)"

# Different addends are one sum too, and factors one product, found in no more than a moment.
{ echo 'input a, b: f32'; printf 'a * b'; awk 'BEGIN { for (i = 1; i < 5000; i++) printf " %s sin(%d * a)", i % 2 ? "-" : "+", i }'; echo; } >session.txt
"$nnc" repl <session.txt >formula.txt
[ "$(grep -o 'sin(' formula.txt | wc -l)" = 4999 ] || fail "not all addends are shown"
case $(cat formula.txt) in *"- sin(2501 * a)"*) ;; *) fail "a sign is wrong" ;; esac
case $(cat formula.txt) in *"+ sin(2502 * a)"*) ;; *) fail "a sign is wrong" ;; esac
{ echo "input $(awk 'BEGIN { for (i = 0; i < 3000; i++) printf "%sx%d", i ? ", " : "", i }'): f32"
    awk 'BEGIN { for (i = 0; i < 3000; i++) printf "%sx%d", i ? " * " : "", i }'; echo; } >session.txt
"$nnc" repl <session.txt >formula.txt
[ "$(grep -o x formula.txt | wc -l)" = 3000 ] || fail "not all factors are shown"

# As a value whose reduced axes are kept, too.
{ echo 'input x: f32[n, k]'
    printf 'y[i, j] = x[i, j] / (sum(x, axis = 1)'
    awk 'BEGIN { for (i = 2; i < 200; i++) printf " + sum(x^%d, axis = 1)", i; print ")[i]" }'; } >session.txt
"$nnc" repl <session.txt >formula.txt || fail "no kept axes of a chain"
case $(cat formula.txt) in
"y : f32[n, k] = x / reshape("*"sum(x^57, axis = 1)"*", [n, 1])") ;;
*) fail "a chain is broadcast as $(cut -c1-80 formula.txt)" ;;
esac

# Functions of functions, a thousand deep: what stands in a product is put in order without a walk to the bottom.
cat >nest.nn <<TEXT
model nest {
    input x: f32
    param a: f32 = 1
    h = x
    repeat 1000 { h = sin(h) + a }
    output y = h
}
TEXT
"$nnc" grad nest.nn --of y --wrt a >formula.txt || fail "a deep nest has no derivative"
[ "$(grep -c '^t[0-9]* = ' formula.txt)" = 1994 ] || fail "the steps of a deep nest are $(wc -l <formula.txt)"
