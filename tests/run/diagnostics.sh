# Diagnostics that need a command line: each golden/diagnostics/ID-something.cmd holds commands, run in a copy of its
# folder; ID-something.expected is all that they print on standard error, and for each nnc its exit status. Every id of
# diag.def has a golden file of one kind or another. With NNC_UPDATE_GOLDEN set the files are made anew.
. "$(dirname "$0")/lib.sh"
golden=$2/tests/golden/diagnostics
case $nnc in /*) ;; *) nnc=$PWD/$nnc ;; esac
export nnc

run_commands() {
    rm -rf work && cp -r "$golden" work && cd work
    { echo 'nnc() { "$nnc" "$@" >/dev/null; echo "status $?" >&2; }'; cat "$1"; } >commands.sh
    NNC_DATA= sh commands.sh >/dev/null 2>../printed.txt || true
    cd ..
    sed '/WARNING: AddressSanitizer failed to allocate/d' printed.txt >found.txt
}

for file in "$golden"/*.cmd; do
    name=$(basename "$file" .cmd)
    run_commands "$name.cmd"
    [ -z "${NNC_UPDATE_GOLDEN:-}" ] || cp found.txt "$golden/$name.expected"
    diff "$golden/$name.expected" found.txt || fail "$name.cmd prints something else"
done

for id in $(sed -n 's/^DIAG(\([a-z_]*\),.*/\1/p' "$2/compiler/support/diag.def" | tr _ -); do
    grep -q "\[$id\]" "$golden/$id"-*.expected || fail "no golden file shows $id"
done
