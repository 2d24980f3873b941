# What --watch measures is right, is logged, marked and drawn, and changes nothing.
. "$(dirname "$0")/lib.sh"
rm -f ./*
vanishing=$examples/vanishing.nn
# field NAME ROW FILE.csv
field() {
    awk -F , -v name="$1" -v row="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
        NR == row + 1 && at { print $at }' "$3"
}
# near WANTED NAME FILE.csv: in the first row
near() {
    value=$(field "$2" 1 "$3")
    awk -v a="$value" -v b="$1" 'BEGIN { d = a - b; exit !(a != "" && d < 2e-6 && d > -2e-6) }' ||
        fail "$2 is ${value:-missing} in $3, not $1"
}

# The neuron by hand: L is 0.62246, 0.73106, 0.73106 and 0.81757 for the four rows, y is 0, 1, 1, 1.
"$nnc" train "$examples/logistic.nn" --epochs 3 --quiet --watch --watch-every 2 --log or.csv
near 0.112842 gradient.w0 or.csv
near 0.225684 update.w0 or.csv
near 0.725539 mean.L or.csv
near 0.069204 deviation.L or.csv
near 0 dead.L or.csv
[ -z "$(field mean.L 2 or.csv)" ] || fail "step 2 was watched"
[ -n "$(field mean.L 3 or.csv)" ] || fail "step 3 was not watched"
awk -F , 'NR == 1 { n = NF } NF != n { exit 1 }' or.csv || fail "rows of or.csv differ in length"
"$nnc" train "$examples/logistic.nn" --epochs 3 --quiet --watch --watch-every 2 --log or.jsonl
[ "$(grep -c '"gradient.w0": 0.11284' or.jsonl)" = 1 ] || fail "or.jsonl lacks the gradient"
[ "$(grep -c mean.L or.jsonl)" = 2 ] || fail "or.jsonl should have two rows that were watched"

# Units whose slope is 0, or nearly, on every row.
cat >units.nn <<'END'
layer scaled(x: [batch, inputs], units, by) -> [batch, units] {
    param W: [inputs, units] = by
    return x @ W
}
model units {
    input x: f32[batch, 2]
    target y: f32[batch]
    dying = x |> scaled(4, by = -1.0) |> relu
    flat = x |> scaled(4, by = 9.0) |> sigmoid
    lively = x |> scaled(4, by = 0.1) |> tanh
    loss = mse(sum(dying + flat + lively, axis = 1), y)
}
data train { x = [[1, 2], [3, 1]]; y = [1, 2] }
train units { optimizer = sgd(lr = 0.0); batch = 2; epochs = 1 }
END
"$nnc" train units.nn --watch --log units.csv 2>units.txt
near 1 dead.dying.scaled units.csv
near 0 saturated.dying.scaled units.csv
near 0 dead.lively.scaled units.csv
near 0 saturated.lively.scaled units.csv
awk -v d="$(field dead.flat.scaled 1 units.csv)" -v s="$(field saturated.flat.scaled 1 units.csv)" \
    'BEGIN { exit !(d + s == 1) }' || fail "the sigmoids of 9 * (1 + 2) should be saturated"
grep -q 'dying.scaled .* mostly dead  *units.nn:2' units.txt || fail "the dead units are not marked: $(cat units.txt)"
grep 'lively.scaled' units.txt | grep -q 'units.nn' && fail "the lively units are marked"

# Thirty sigmoids: marked with their line, folded, drawn; the other two are calm. Nobody's weights depend on being watched.
for model in sigmoids relus shortcuts; do
    "$nnc" train "$vanishing" --model $model --quiet -o $model.plain --log $model.plain.csv
    "$nnc" train "$vanishing" --model $model --watch --picture $model.svg -o $model.watched --log $model.csv 2>$model.txt
    cmp $model.plain $model.watched || fail "watching $model changed its weights"
    cut -d , -f 1,2 $model.csv | cmp - $model.plain.csv || fail "watching $model changed its losses"
    "$nnc" eval "$vanishing" --model $model --weights $model.watched >$model.score
done
grep -q 'h.dense .* vanishes  .*vanishing.nn:12$' sigmoids.txt || fail "the first sigmoids should be said to vanish"
grep -q '… .* more like these' sigmoids.txt || fail "the table is not folded"
grep -E 'vanishes|explodes' relus.txt shortcuts.txt && fail "gradients that do not vanish are said to"
between sigmoids.score accuracy 0.4 0.6
between relus.score accuracy 0.8 1
between shortcuts.score accuracy 0.8 1
for model in sigmoids relus shortcuts; do
    head -c 5 $model.svg | grep -q '<svg' || fail "$model.svg does not begin as one"
    [ "$(tail -n 1 $model.svg)" = '</svg>' ] || fail "$model.svg does not end"
    grep -q 'prefers-color-scheme:dark' $model.svg || fail "$model.svg has no colours for dark paper"
    grep -q 'nan\|inf' $model.svg && fail "$model.svg has numbers that are none"
done
# The guide's pictures are these, but for the last bits of another machine's arithmetic. With NNC_UPDATE_GOLDEN set they
# are made anew.
words() { grep '<text' "$1"; }
same_words() {
    [ -z "${NNC_UPDATE_GOLDEN:-}" ] || cp "$1" "$2"
    words "$1" >wanted.txt && words "$2" | diff - wanted.txt || fail "$2 is outdated"
}
same_words sigmoids.svg "$2/docs/vanishing.svg"
same_words shortcuts.svg "$2/docs/shortcuts.svg"

# -o says by its extension what it is. A layer more than the picture has rows, one sample alone, and guard pages.
"$nnc" train "$vanishing" --model relus --quiet --watch -o o.svg
cmp o.svg relus.svg || fail "-o draws something else than --picture"
"$nnc" train "$examples/deep.nn" --quiet --steps 1 --watch -o one.svg --guard
[ "$(tail -n 1 one.svg)" = '</svg>' ] || fail "one sample should make a picture"
fails 2 '--watch' "$nnc" train "$vanishing" --picture p.svg
fails 2 '--watch' "$nnc" train "$vanishing" --watch-every 3
fails 1 'nowhere/p.svg' "$nnc" train "$vanishing" --model relus --steps 1 --quiet --watch --picture nowhere/p.svg
