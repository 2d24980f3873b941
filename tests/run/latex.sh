# Every golden formula as LaTeX: one document of them compiles, with amsmath alone.
. "$(dirname "$0")/lib.sh"
golden=$2/tests/golden/grad
{
    printf '%s\n' '\documentclass[fleqn]{article}' '\usepackage{amsmath}' '\usepackage[a3paper, margin=15mm]{geometry}' \
        '\begin{document}'
    for model in "$golden"/*.nn; do
        printf '%s\n' "\\section*{$(basename "$model" .nn)}"
        sed -n 's/^# grad: //p' "$model" | while read -r of wrt; do
            printf '%s\n' "\\verb|d $of / d $wrt|" '\['
            "$nnc" grad "$model" --of "$of" --wrt "$wrt" --latex 2>/dev/null || printf '%s\n' '\undefined'
            printf '%s\n' '\]'
        done
    done
    printf '%s\n' '\end{document}'
} >formulas.tex
pdflatex -interaction=nonstopmode -halt-on-error formulas.tex >formulas.out || fail "$(grep -A 5 '^!' formulas.out)"
[ -s formulas.pdf ] || fail "no document"
