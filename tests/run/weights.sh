# Weight files and checkpoints of earlier compilers load and train on to the same values (tests/golden/weights/make.sh
# made them); files that are cut off are refused with a reason and nothing is changed.
. "$2/tests/run/lib.sh"
rm -f ./*
golden=$2/tests/golden/weights
cp "$golden/model.nn" .

# close FILE FILE: the same words, and numbers that agree to five digits
close() {
    paste -d' ' "$1" "$2" | tr ',' ' ' | awk '
        function bad() { print "line " NR ": " $0; failed = 1; exit }
        NF % 2 { bad() }
        { for (i = 1; i <= NF / 2; i++) {
            a = $i; b = $(i + NF / 2)
            if (a !~ /^-?[0-9]/) { if (a != b) bad() }
            else if ((a - b) ^ 2 > 1e-10 * (a ^ 2 + 1e-6)) bad()
        } }
        END { exit failed || !NR }' || fail "$1 and $2 differ"
}

"$nnc" eval model.nn --weights "$golden/weights.safetensors" >scores.txt
close scores.txt "$golden/scores.txt"

# The log is that of the whole training: what comes after the checkpoint is cut off and written again.
cp "$golden/log.csv" log.csv
"$nnc" train model.nn --resume "$golden/checkpoint" --log log.csv -o weights.safetensors --threads 1 --quiet
[ "$(wc -l <log.csv)" = "$(wc -l <"$golden/log.csv")" ] || fail "the resumed training logged other steps"
close log.csv "$golden/log.csv"
"$nnc" eval model.nn --weights weights.safetensors >scores.txt
close scores.txt "$golden/scores.txt"
# It did train: weights of one step more are others.
"$nnc" train model.nn --weights "$golden/weights.safetensors" --steps 1 -o more.safetensors --quiet
cmp -s more.safetensors "$golden/weights.safetensors" && fail "a step changed nothing"

# cut LENGTH FROM FILE COMMAND...: refuses FILE, the first bytes of FROM, and says that they are not all
cut() {
    head -c "$1" "$2" >"$3"
    wanted="$3 is no safetensors file: it is too short"
    [ "$1" -lt 8 ] || wanted='cut off'
    shift 3
    fails 1 "$wanted" "$@"
}

# What a crash, a full disk or a broken transfer leaves.
size=$(wc -c <"$golden/weights.safetensors")
for length in 0 1 7 8 9 100 $((size / 2)) $((size - 1)); do
    cut "$length" "$golden/weights.safetensors" cut.safetensors "$nnc" eval model.nn --weights cut.safetensors
    cut "$length" "$golden/weights.safetensors" cut.safetensors \
        "$nnc" train model.nn --weights cut.safetensors -o untouched --quiet
done
size=$(wc -c <"$golden/checkpoint")
cp "$golden/log.csv" log.csv
for length in 0 1 7 8 9 100 $((size / 2)) $((size - 1)); do
    cut "$length" "$golden/checkpoint" checkpoint \
        "$nnc" train model.nn --resume checkpoint --log log.csv -o untouched --quiet
done
cmp -s log.csv "$golden/log.csv" || fail "a refused checkpoint changed the log"
[ ! -e untouched ] || fail "a refused file left weights"
