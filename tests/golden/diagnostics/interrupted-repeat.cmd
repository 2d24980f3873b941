# At a terminal; Ctrl-C once it has begun, until something is said of it.
patience() { for _ in $(seq 200); do "$@" && return; sleep 0.1; done; }
begun() { grep -q '^2' seen; }
interrupt() { [ -s said ] || { printf '\003'; false; }; }
touch seen said
{
    printf '1 + 1; repeat 2000000000 { s = 3 }\n'
    patience begun
    patience interrupt
    printf '\004'
} | HOME=. TERM=dumb script -qfec '"$nnc" repl 2>said' seen >/dev/null
tr -d '\r' <said >&2
