# What the tests of the command line share. Each script is called with the path of nnc, in an empty folder of its own.
set -eu
nnc=$1
examples=$2/examples
fail() { echo "FAIL: $*" >&2; exit 1; }
# skip WHY: what is missing here is no failure; CTest lists the test as skipped
skip() { echo "skipped: $*"; exit 77; }
# expect TEXT COMMAND...: the command's standard output is exactly the text
expect() {
    wanted=$1; shift
    got=$("$@") || fail "$* exited with $?"
    [ "$got" = "$wanted" ] || fail "$*
wanted: $wanted
got:    $got"
}
# fails STATUS TEXT COMMAND...: exits with the status and says TEXT somewhere on standard error
fails() {
    status=$1 wanted=$2; shift 2
    got=0
    message=$("$@" 2>&1 >/dev/null) || got=$?
    [ "$got" = "$status" ] || fail "$* exited with $got instead of $status: $message"
    case $message in *"$wanted"*) ;; *) fail "$* should say \"$wanted\" but said: $message" ;; esac
}
# the value of a line `NAME VALUE` of a file is between two bounds
between() {
    value=$(sed -n "s/^$2 //p" "$1")
    awk -v v="$value" -v low="$3" -v high="$4" 'BEGIN { exit !(v != "" && v >= low && v <= high) }' ||
        fail "$2 is ${value:-missing} in $1, not within $3 … $4"
}
# true in a build with sanitizers, whose programs need more room and do not link with others
sanitized() { grep -q '^NNC_SANITIZE:.*=.' "$(dirname "$nnc")/CMakeCache.txt" 2>/dev/null; }
# golden_formulas [OPTION]: `nnc grad` for every line `# grad: OF WRT [MODEL]` of the model $model, each as `show TITLE FORMULA`
golden_formulas() {
    sed -n 's/^# grad: //p' "$model" | while read -r of wrt name; do
        formula=$("$nnc" grad "$model" --of "$of" --wrt "$wrt" ${name:+--model "$name"} "$@" 2>/dev/null) || formula="exited with $?"
        show "${name:+$name: }d $of / d $wrt" "$formula"
    done
}
