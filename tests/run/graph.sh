# Pictures of models: every layer a box, repeats folded, shapes on the edges, and Graphviz takes them.
. "$(dirname "$0")/lib.sh"
rm -f ./*
for name in logistic fashion deep spirals regression; do
    "$nnc" graph "$examples/$name.nn" -o $name.dot || fail "$name has no picture"
    "$nnc" "$examples/$name.nn" -o same.dot && cmp same.dot $name.dot || fail "-o $name.dot is another picture"
done
has() { grep -qF -- "$2" "$1" || fail "$1 lacks $2"; }
has fashion.dot 'subgraph "cluster_logits.dense_2"'
has fashion.dot 'label="  784×256"'
has fashion.dot 'label="  batch×10"'
has fashion.dot 'gradient of W'
has logistic.dot 'subgraph "cluster_L"'
has deep.dot '… h[9'
has deep.dot 'style=dashed'
[ "$(grep -c fillcolor deep.dot)" -lt 120 ] || fail "a hundred layers are drawn one by one"
# Braces balance, every edge has its ends, both tones are there.
for file in *.dot; do
    awk '{ open += gsub(/{/, "{"); closed += gsub(/}/, "}") } END { exit open != closed }' $file || fail "$file: braces"
    sed -n 's/^n\([0-9]*\) \[.*/\1/p' $file | sort >nodes.txt
    [ -z "$(uniq -d nodes.txt)" ] || fail "$file has a node twice"
    sed -n 's/^n\([0-9]*\) -> n\([0-9]*\) .*/\1\n\2/p' $file | sort -u | comm -23 - nodes.txt >lost.txt
    [ ! -s lost.txt ] || fail "$file has edges without nodes: $(cat lost.txt)"
    [ "$(grep -c 'fillcolor="#dbe9f6"' $file)" -gt 5 ] && [ "$(grep -c 'fillcolor="#fbe3d6"' $file)" -gt 2 ] ||
        fail "$file lacks a tone"
done
# A repeat in a repeat.
cat >nested.nn <<'END'
layer block(x: [batch, n]) -> [batch, n] {
    repeat 4 { x = x |> dense(n) |> tanh }
    return x
}
model nested {
    input x: f32[batch, 8]
    target y: f32[batch, 8]
    repeat 5 { x = x |> block }
    loss = mse(x, y)
}
END
"$nnc" graph nested.nn -o nested.dot
has nested.dot 'x[1] … x[4]   × 4' # the first one needs no gradient by its input
has nested.dot 'block[0] … block[3]   × 4'
has nested.dot 'block[1] … block[3]   × 3'
if command -v dot >/dev/null; then
    "$nnc" graph "$examples/deep.nn" -o deep.svg
    has deep.svg '</svg>'
    has deep.svg 'h[0]'
    has deep.svg 'prefers-color-scheme:dark'
    # Every colour has one for dark paper.
    grep -o '\(fill\|stroke\)="[^"]*"' deep.svg | grep -v 'none\|transparent' | sort -u |
        while read -r color; do has deep.svg "[$color]{"; done
    dot -Tsvg nested.dot >/dev/null 2>dot.txt && [ ! -s dot.txt ] || fail "Graphviz complains: $(cat dot.txt)"
fi
fails 2 'where to' "$nnc" graph "$examples/deep.nn"
fails 2 '.svg or a .dot' "$nnc" graph "$examples/deep.nn" -o deep.png
