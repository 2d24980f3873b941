# Derivatives as formulas.
. "$(dirname "$0")/lib.sh"
expect 'w0 * L * (1 - L)' "$nnc" grad "$examples/logistic.nn" --of L --wrt x0
expect 'w_{0} \, L \, \left(1 - L\right)' "$nnc" grad "$examples/logistic.nn" --of L --wrt x0 --latex
fails 1 'w9' "$nnc" grad "$examples/logistic.nn" --of L --wrt w9
fails 2 '--wrt' "$nnc" grad "$examples/logistic.nn"
