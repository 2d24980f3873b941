# Derivatives as formulas.
. "$(dirname "$0")/lib.sh"
expect 'w0 * L * (1 - L)' "$nnc" grad "$examples/logistic.nn" --of L --wrt x0
expect 'w_{0} \, L \, (1 - L)' "$nnc" grad "$examples/logistic.nn" --of L --wrt x0 --latex
fails 1 'w9' "$nnc" grad "$examples/logistic.nn" --of L --wrt w9
fails 2 '--wrt' "$nnc" grad "$examples/logistic.nn"
# An output that is an alias of another name is found by either.
printf 'model m {\n    input x: f32\n    h = x^2\n    output y = h\n}\n' >alias.nn
for name in h y; do expect '2 * x' "$nnc" grad alias.nn --of $name --wrt x; done
# What is made of whole numbers in the text alone is real where nothing says otherwise, and an integer beside one.
cat >open.nn <<'END'
fn step(x) = if x > 0 then 1 else 0
fn gate(x) = if x > 0 then 1 else 0
derivative gate(x) = dy * sigmoid(x) * (1 - sigmoid(x))
fn typed(x: f32[...]) = 2 * x
model open {
    input x: f32[n]
    input ids: i32[n] in 5
    param table: f32[7, 2] ~ normal
    a = step(x)
    b = step(x) * x
    c = gate(x)
    d = typed(2 * step(x) - 1)
    e = table[ids + (if ids > 2 then 1 else 0)]
    f = grad(sum(step(x)), x)
    output a, b, c, d, e, f
}
END
expect 0 "$nnc" grad open.nn --of a --wrt x
expect "if x > 0 then 1 else 0" "$nnc" grad open.nn --of b --wrt x
expect 'sigmoid(x) * (1 - sigmoid(x))' "$nnc" grad open.nn --of c --wrt x
"$nnc" open.nn -o open.nng
for output in 'cast(%[0-9]*) : f32\[n\] as "a"' ': f32\[n\] as "d"' ': f32\[n, 2\] as "e"' 'f32\[n\] as "f"'; do
    grep -q "$output" open.nng || fail "$output: $(cat open.nng)"
done
# The golden formulas. NNC_UPDATE_GOLDEN=1 writes the expectations anew.
golden=$2/tests/golden/grad
show() { printf '%s\n' "$1" "$2"; }
for model in "$golden"/*.nn; do
    golden_formulas >got
    [ -z "${NNC_UPDATE_GOLDEN:-}" ] || cp got "${model%.nn}.expected"
    diff -u "${model%.nn}.expected" got || fail "$model"
done
# A derivative that nothing leads to is said to be one.
printf 'model apart {\n    input x, z: f32\n    output y = x^2\n    output u = z\n}\n' >apart.nn
expect 0 "$nnc" grad apart.nn --of y --wrt z
"$nnc" grad apart.nn --of y --wrt z 2>&1 | grep -q 'zero-derivative.*does not depend on z' || fail "no warning of a zero"
"$nnc" grad apart.nn --of y --wrt x 2>&1 | grep -q 'zero-derivative' && fail "a warning of what is not 0"
true
