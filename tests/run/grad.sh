# Derivatives as formulas.
. "$(dirname "$0")/lib.sh"
expect 'w0 * L * (1 - L)' "$nnc" grad "$examples/logistic.nn" --of L --wrt x0
expect 'w_{0} \, L \, (1 - L)' "$nnc" grad "$examples/logistic.nn" --of L --wrt x0 --latex
fails 1 'w9' "$nnc" grad "$examples/logistic.nn" --of L --wrt w9
fails 2 '--wrt' "$nnc" grad "$examples/logistic.nn"
# The golden formulas. NNC_UPDATE_GOLDEN=1 writes the expectations anew.
golden=$2/tests/golden/grad
show() { printf '%s\n' "$1" "$2"; }
for model in "$golden"/*.nn; do
    golden_formulas >got
    [ -z "${NNC_UPDATE_GOLDEN:-}" ] || cp got "${model%.nn}.expected"
    diff -u "${model%.nn}.expected" got || fail "$model"
done
