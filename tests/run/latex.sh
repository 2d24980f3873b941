# Every golden formula as LaTeX: one document of them compiles, with amsmath alone.
. "$(dirname "$0")/lib.sh"
golden=$2/tests/golden/grad
show() { printf '%s\n' "\\verb|$1|" '\[' "$2" '\]'; }
{
    printf '%s\n' '\documentclass[fleqn]{article}' '\usepackage{amsmath}' '\usepackage[a3paper, margin=15mm]{geometry}' \
        '\begin{document}'
    for model in "$golden"/*.nn; do
        printf '%s\n' "\\section*{$(basename "$model" .nn)}"
        golden_formulas --latex
    done
    printf '%s\n' '\end{document}'
} >formulas.tex
pdflatex -interaction=nonstopmode -halt-on-error formulas.tex >formulas.out || fail "$(grep -A 5 '^!' formulas.out)"
[ -s formulas.pdf ] || fail "no document"
