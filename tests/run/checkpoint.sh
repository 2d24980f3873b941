# Trainings that are killed at any moment, or asked to stop, go on as if they never had been: the same bits in the weights
# and in the log. NNC_SLOW=1 kills fifty times.
. "$2/tests/run/lib.sh"

cat > moons.nn <<'END'
layer counted(x: [..., n]) -> [..., n] {
    state calls: f32 = 0
    if training { calls := calls + 1 }
    return x
}
model moons {
    input  point: f32[batch, 2]
    target label: i32[batch] in 2
    logits = point |> dense(16) |> tanh |> dropout(0.1) |> counted |> batch_norm |> dense(2)
    loss            = cross_entropy(logits, label)
    metric accuracy = mean(argmax(logits) == label)
}
data train, valid {
    cloud = moons(samples = 500, noise = 0.2)
    point = cloud.point
    label = cloud.label
    split = [0.8, 0.2]
}
train moons {
    optimizer  = adam(lr = 0.01 * cosine_decay(progress))
    batch      = 16
    epochs     = 400
    seed       = 5
    accumulate = 2
    average    = 0.98
    patience   = 1000
    clip_norm  = 1
}
END

# train OUT LOG OPTION...: what every run has in common
train() {
    out=$1 log=$2; shift 2
    "$nnc" train moons.nn -o "$out" --log "$log" --threads 1 "$@"
}
# begin OUT LOG OPTION...: the same, in the background
begin() {
    out=$1 log=$2; shift 2
    "$nnc" train moons.nn -o "$out" --log "$log" --threads 1 "$@" & pid=$!
}

same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }

# A moment within a run, at random.
moment() { awk -v seed="$1" -v whole="$whole" 'BEGIN { srand(seed); printf "%.3f", rand() * whole }'; }

rm -f ./*.safetensors ./*.csv ./*.jsonl state*
train whole.safetensors whole.csv --quiet
start=$(date +%s.%N)
train parts.safetensors parts.csv --checkpoint state --every 100 --quiet
whole=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { print b - a }')
same whole.safetensors parts.safetensors
rm -f state parts.*

# Killed without warning.
kills=4
[ "${NNC_SLOW:-0}" = 1 ] && kills=50
killed=0 seed=$$ resumed=0
while [ "$killed" -lt "$kills" ]; do
    seed=$((seed + 1))
    set -- --checkpoint state --every 100 --keep 2 --quiet
    if [ -e state ]; then set -- "$@" --resume state; resumed=$((resumed + 1)); fi
    begin parts.safetensors parts.csv "$@"
    sleep "$(moment "$seed")"
    if kill -9 "$pid" 2>/dev/null; then killed=$((killed + 1)); fi
    status=0
    wait "$pid" 2>/dev/null || status=$?
    case $status in
    137) ;;
    0) same whole.safetensors parts.safetensors; same whole.csv parts.csv; rm -f state state.1 parts.* ;;
    *) fail "a run ended with $status" ;;
    esac
done
if [ -e state ]; then set -- --resume state; resumed=$((resumed + 1)); else set --; fi
train parts.safetensors parts.csv --checkpoint state --every 100 --quiet "$@"
same whole.safetensors parts.safetensors
same whole.csv parts.csv
[ "$resumed" -gt 0 ] || fail "no run was resumed"
# What a killed writer leaves beside the checkpoint is its own.
rm -f state*.part parts.*.part

# Asked to stop.
rm -f state parts.*
begin parts.safetensors parts.csv --checkpoint state --every 1000000 2> said
until [ -s parts.csv ]; do sleep 0.01; done
kill -TERM "$pid" || fail "the training was over too soon"
wait "$pid" || fail "a training that is asked to stop ends well, not with $?"
grep -q "^stopped after step" said || fail "it should say that it was stopped: $(cat said)"
grep -q "the same command with --resume state goes on" said || fail "it should say how to go on: $(cat said)"
train parts.safetensors parts.csv --resume state --quiet
same whole.safetensors parts.safetensors
same whole.csv parts.csv

# The last K are kept.
train kept.safetensors kept.csv --checkpoint kept --every 2000 --keep 3 --quiet
for file in kept kept.1 kept.2; do [ -s "$file" ] || fail "there is no $file"; done
[ ! -e kept.3 ] || fail "kept.3 is one too many"
train again.safetensors kept.csv --resume kept.2 --quiet
same whole.safetensors again.safetensors

# What cannot go on says why.
fails 1 "batch 16, this training has 8" train x.safetensors x.csv --resume kept --batch 8 --quiet
fails 1 "nowhere" "$nnc" train moons.nn --resume nowhere
fails 2 "go with --checkpoint" "$nnc" train moons.nn --every 5
head -c 2000 kept > damaged
fails 1 "damaged" "$nnc" train moons.nn --resume damaged

# A checkpoint is a weight file too.
"$nnc" eval moons.nn --weights kept --split valid > /dev/null

# Weights alone are enough to go on from where there is nothing else to know; patience has to know more.
sed -e '/average/d' -e '/patience/d' -e 's/ \* cosine_decay(progress)//' moons.nn > plain.nn
"$nnc" train plain.nn --quiet --epochs 20 -o twenty.safetensors
"$nnc" train plain.nn --quiet --epochs 12 -o twelve.safetensors
"$nnc" train plain.nn --quiet --epochs 20 --resume twelve.safetensors -o rest.safetensors
same twenty.safetensors rest.safetensors
sed '/average/d' moons.nn > patient.nn
fails 1 "lacks what patience needs" "$nnc" train patient.nn --quiet --epochs 20 --resume twelve.safetensors
