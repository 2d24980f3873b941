# What the keys of `train` do, seen from outside.
. "$2/tests/run/lib.sh"
rm -f ./*

# model FILE KEYS: a small model, trained as the keys say
model() {
    cat > "$1" <<END
model moons {
    input  point: f32[batch, 2]
    target label: i32[batch] in 2
    logits = point |> dense(8) |> tanh |> dense(2)
    loss            = cross_entropy(logits, label)
    metric accuracy = mean(argmax(logits) == label)
}
data train, valid {
    cloud = moons(samples = 500, noise = 0.3, seed = 4)
    point = cloud.point
    label = cloud.label
    split = [0.82, 0.18]
}
train moons {
    seed = 2
    $2
}
END
}
# column NAME FILE.csv: its values that are there
column() {
    awk -F , -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } $at != "" { print $at }' "$2"
}
# close BOUND FILE FILE: line by line the same numbers within the bound, relative
close() {
    [ -s "$2" ] && [ "$(wc -l < "$2")" = "$(wc -l < "$3")" ] || fail "$2 and $3 have not as many lines"
    paste "$2" "$3" | awk -v bound="$1" '{ d = $1 - $2; if (d < 0) d = -d; if (d > bound * ($1 < 0 ? -$1 : $1)) exit 1 }' ||
        fail "$2 and $3 differ by more than $1"
}

# Two batches of 16 are one of 32, the short ones at an epoch's end included.
model large.nn 'optimizer = adam(lr = 0.01); batch = 32; epochs = 8; clip_norm = 0.5; clip_value = 0.1'
model small.nn 'optimizer = adam(lr = 0.01); batch = 16; accumulate = 2; epochs = 8; clip_norm = 0.5; clip_value = 0.1'
"$nnc" train large.nn --quiet --log large.csv
"$nnc" train small.nn --quiet --log small.csv
column loss large.csv > large.txt
column loss small.csv > small.txt
[ "$(wc -l < large.txt)" = 104 ] || fail "410 rows are 13 batches of 32"
close 1e-4 large.txt small.txt

# What is shown while it trains are the metrics of the epoch's rows as if they were one batch, which is no mean of
# batches; the table has what `nnc eval` says.
scores() {
    sed -e 's/data train, valid/data train/' -e '/split = /d' -e 's/samples = 500/samples = 410/' "$1" > "$2"
    sed -i 's/^    metric accuracy.*/&\
    metric exact = precision(softmax(logits)[:, 1], label)\
    metric area = auc(softmax(logits)[:, 1], label)/' "$2"
}
# shown NAME FILE: the values of the lines; table FILE: the row `train`
shown() { sed -n "s/^epoch .*  $1 \([0-9.]*\).*/\1/p" "$2"; }
table() { sed -n "s/^  $1  *//p" "$2" | tr -s ' ' '\n'; }
evaluated() { awk '{ printf "%.4f\n", $2 }' "$1"; }
for accumulate in 1 3; do
    model shown.nn "optimizer = sgd(lr = 0.5); batch = 32; epochs = 2; accumulate = $accumulate"
    scores shown.nn scores.nn
    "$nnc" train scores.nn --set lr=0 -o scores.safetensors 2> said
    "$nnc" eval scores.nn --weights scores.safetensors --split train > scores.txt
    for name in accuracy exact area; do
        between scores.txt $name 0.01 0.99
        [ "$(shown $name said | uniq)" = "$(sed -n "s/^$name //p" scores.txt | awk '{ printf "%.4f", $1 }')" ] ||
            fail "$name is $(sed -n "s/^$name //p" scores.txt), but the training said $(cat said)"
    done
    "$nnc" train scores.nn -o scores.safetensors --checkpoint state --every 4 --keep 3 2> said
    "$nnc" eval scores.nn --weights scores.safetensors --split train > scores.txt
    [ "$(table train said)" = "$(evaluated scores.txt)" ] || fail "the table is no evaluation: $(cat scores.txt said)"
    # They go on within an epoch as the rest does.
    "$nnc" train scores.nn --resume state.1 2> again
    [ "$(shown area again)" = "$(shown area said | tail -n "$(shown area again | wc -l)")" ] ||
        fail "metrics do not go on: $(cat said again)"
    grep -q '^epoch 2/2' again || fail "there should have been something left to do: $(cat again)"
done
# Less than an epoch is not worth more than an epoch's work: its row says so.
"$nnc" train scores.nn --steps 3 2> said
grep -q '^  seen ' said && ! grep -q '^  train ' said || fail "$(cat said)"

# Patience ends after so many epochs without a smaller loss, and the best weights are what is saved.
model patient.nn 'optimizer = sgd(lr = 8.0); batch = 16; epochs = 500; patience = 6'
"$nnc" train patient.nn -o patient.safetensors --log patient.csv 2> said
column valid.loss patient.csv > losses.txt
epochs=$(wc -l < losses.txt)
best=$(awk 'NR == 1 || $1 < least { least = $1; at = NR } END { print at }' losses.txt)
[ "$epochs" -lt 500 ] && [ "$epochs" = $((best + 6)) ] || fail "$epochs epochs, the best was $best"
grep -q "ended by patience; the best of epoch $best are kept" said || fail "it should name the best epoch: $(tail -1 said)"
"$nnc" eval patient.nn --weights patient.safetensors --split valid | sed -n 's/^loss //p' > now.txt
sed -n "${best}p" losses.txt > then.txt
close 1e-6 now.txt then.txt

# Running means are what is validated and saved; one that forgets at once is no mean.
model plain.nn 'optimizer = sgd(lr = 0.5); batch = 16; epochs = 5'
model mean.nn 'optimizer = sgd(lr = 0.5); batch = 16; epochs = 5; average = 0.9'
"$nnc" train plain.nn --quiet -o plain.safetensors
"$nnc" train mean.nn --quiet -o mean.safetensors --log mean.csv
"$nnc" train mean.nn --quiet -o last.safetensors --set average=0
"$nnc" eval plain.nn --weights plain.safetensors --split valid > plain.txt
expect "$(cat plain.txt)" "$nnc" eval mean.nn --weights last.safetensors --split valid
"$nnc" eval mean.nn --weights mean.safetensors --split valid > mean.txt
cmp -s plain.txt mean.txt && fail "the mean of the weights is not the last of them"
sed -n 's/^loss //p' mean.txt > now.txt
column valid.loss mean.csv | tail -1 > then.txt
close 1e-6 now.txt then.txt

# Weights to start from: what fits is read, the rest is drawn, and it is said.
sed -e 's/dense(2)/dense(8) |> tanh |> dense(2)/' -e 's/seed = 2/seed = 2; weights = "plain.safetensors"/' plain.nn > more.nn
"$nnc" train more.nn --steps 1 2> said
grep -q '^./plain.safetensors: 2 of 6 parameters and states fit\|^plain.safetensors: 2 of 6 parameters and states fit' said ||
    fail "it should say what fits: $(cat said)"
grep -q 'logits.dense_2.W is drawn: .* has the shape \[8, 2\], the model needs \[8, 8\]' said || fail "$(cat said)"
grep -q 'logits.dense_3.b is drawn: the file has none' said || fail "$(cat said)"
sed 's/plain.safetensors/nowhere.safetensors/' more.nn > lost.nn
fails 1 "lost.nn:15" "$nnc" train lost.nn --steps 1

# Frozen parts stay as they are; a setting by path, a schedule, and --set in place of either.
model frozen.nn 'optimizer = sgd(lr = 0.1); optimizer "*.b" = frozen; batch = 16; epochs = 1'
sed 's/= frozen/= sgd(lr = 0.0)/' frozen.nn > unmoved.nn
"$nnc" train frozen.nn --quiet --log frozen.csv
"$nnc" train unmoved.nn --quiet --log unmoved.csv
cmp frozen.csv unmoved.csv || fail "frozen parameters move"
model slow.nn 'optimizer = sgd(lr = 0.1 * cosine_decay(progress)); optimizer logits.dense_2 = sgd(lr = 0.2); batch = 16; epochs = 1'
"$nnc" train slow.nn --quiet --set lr=0 --set logits.dense_2.lr=0 --log still.csv
"$nnc" train slow.nn --quiet --log moving.csv
cmp -s still.csv moving.csv && fail "settings change nothing"
fails 1 "logits.dense_2.lr" "$nnc" train slow.nn --set logits.dense2.lr=0

# Logs: a row a step, with the scores of the validation data where an epoch ends.
"$nnc" train plain.nn --quiet --log plain.csv --epochs 2
expect 'step,loss,valid.loss,valid.accuracy' head -1 plain.csv
[ "$(wc -l < plain.csv)" = 53 ] && [ "$(column valid.accuracy plain.csv | wc -l)" = 2 ] || fail "rows of plain.csv"
"$nnc" train plain.nn --quiet --log plain.jsonl --epochs 2
[ "$(grep -c '^{"step": [0-9]*, "loss": [0-9.e-]*}$' plain.jsonl)" = 50 ] || fail "rows of plain.jsonl"
[ "$(grep -c '^{"step": [0-9]*, "loss": [0-9.e-]*, "valid.loss": [0-9.e-]*, "valid.accuracy": [0-9.e-]*}$' plain.jsonl)" = 2 ] ||
    fail "the scores in plain.jsonl"

# Calm where nobody looks, silent when asked.
"$nnc" train plain.nn --epochs 500 2> said
[ "$(wc -l < said)" -le 30 ] || fail "$(wc -l < said) lines"
grep -q '^epoch 500/500 ' said || fail "the last epoch has no line"
grep -q '^  logits.dense    W \[2, 8\], b \[8\]  *24  -> \[batch, 8\]$' said || fail "the summary names no layer"
"$nnc" train plain.nn --epochs 3 --quiet > said 2>&1
[ ! -s said ] || fail "--quiet says $(cat said)"

# No key is without effect.
model hasty.nn 'optimizer = sgd; patience = 3'
sed 's/data train, valid/data train, test/' hasty.nn > blind.nn
fails 1 "no data block \`valid\`" "$nnc" train blind.nn

# Losses that grow beyond all bounds, and small ones, have the digits that say so; NaN has no sign.
cat >rate.nn <<'END'
model line {
    input x: f32[batch]
    target y: f32[batch]
    param w: f32 = 0
    loss = mse(w * x, y)
}
data train {
    x = [1, 2, 3, 40]
    y = [2, 4, 6, 80]
}
train line { optimizer = sgd(lr = 10); batch = 4; epochs = 50 }
END
"$nnc" train rate.nn --log rate.csv >out.txt 2>&1 || fail "diverging: $(cat out.txt)"
grep -q ',nan' rate.csv || fail "the log has no NaN: $(cat rate.csv)"
! grep -q -- '-nan' rate.csv || fail "NaN has a sign in the log: $(cat rate.csv)"
grep -q '  loss [0-9]\.[0-9][0-9]e+' out.txt || fail "a large loss: $(cat out.txt)"
grep -q '  loss nan' out.txt || fail "a loss that is NaN: $(cat out.txt)"
! grep -q -- '-nan' out.txt || fail "NaN has a sign: $(cat out.txt)"
"$nnc" train rate.nn --set lr=0.001 >out.txt 2>&1 || fail "converging"
grep -q '  loss [1-9]\.[0-9][0-9]e-' out.txt || fail "a small loss: $(cat out.txt)"
