# Derivatives as formulas.
. "$(dirname "$0")/lib.sh"
expect 'w0 * L * (1 - L)' "$nnc" grad "$examples/logistic.nn" --of L --wrt x0
expect 'w_{0} \, L \, (1 - L)' "$nnc" grad "$examples/logistic.nn" --of L --wrt x0 --latex
fails 1 'w9' "$nnc" grad "$examples/logistic.nn" --of L --wrt w9
fails 2 '--wrt' "$nnc" grad "$examples/logistic.nn"
# Every line `# grad: OF WRT` of a golden model, and what is expected. NNC_UPDATE_GOLDEN=1 writes the expectations anew.
golden=$2/tests/golden/grad
for model in "$golden"/*.nn; do
    sed -n 's/^# grad: //p' "$model" | while read -r of wrt; do
        echo "d $of / d $wrt"
        "$nnc" grad "$model" --of "$of" --wrt "$wrt" 2>/dev/null || echo "exited with $?"
    done >got
    [ -z "${NNC_UPDATE_GOLDEN:-}" ] || cp got "${model%.nn}.expected"
    diff -u "${model%.nn}.expected" got || fail "$model"
done
