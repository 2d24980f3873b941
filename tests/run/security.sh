# What a stranger may send us, and what may be done to the files that we write. docs/trust.md says what is promised.
. "$(dirname "$0")/lib.sh"

# How the programs are built: checked copies and frames, read-only tables, no folder of the caller's in the run path.
hardened() {
    readelf -dW "$1" >dynamic.txt
    readelf -lW "$1" >segments.txt
    nm -D "$1" >symbols.txt
    grep -q GNU_RELRO segments.txt || fail "$1 has no RELRO"
    grep -Eq 'BIND_NOW|Flags:.* NOW' dynamic.txt || fail "$1 binds lazily"
    grep 'GNU_STACK' segments.txt | grep -q 'RWE' && fail "$1 has an executable stack"
    sed -n 's/.*R[UN]*PATH).*\[\(.*\)\]/\1/p' dynamic.txt | tr ':' '\n' >paths.txt
    if grep -v '^/' paths.txt; then fail "$1 looks for libraries in the folder it is run in"; fi
    sanitized || grep -q '__stack_chk_fail' symbols.txt || fail "$1 has no stack protector"
}
hardened "$nnc"
sanitized || grep -q '_chk@' symbols.txt || fail "nnc has no checked copies"
case $(readelf -hW "$nnc") in *"Type:"*DYN*) ;; *) fail "nnc is not position independent" ;; esac
"$nnc" "$examples/logistic.nn" -o logistic.so || fail "no library"
hardened logistic.so
mkdir here && cd here
for library in libjansson.so.4 libedit.so.2 libz.so.1 libLLVM.so.19.1; do echo "no library" >$library; done
"$nnc" --help >/dev/null || fail "a library of the current folder is loaded"
cd ..

# A comment of the model stays a comment of the header.
cat >evil.nn <<'NN'
model evil {
    # the input */ int injected = 1; /*
    # and more
    input x: f32[n, 2]
    output y = x |> dense(2)
    target t: f32[n, 2]
    loss = mse(y, t)
}
data train {
    x = [[0, 0], [0, 1]]
    t = [[0, 0], [0, 1]]
}
train evil { optimizer = sgd(lr = 0.1); steps = 1; batch = 2 }
NN
"$nnc" evil.nn -o evil.h || fail "no header"
printf '#include "evil.h"\nint main(void) { return 0; }\n' >evil.c
cc -std=c99 -Wall -Wextra -Wpedantic -Wcomment -Werror -c evil.c || fail "the header does not compile"
cc -E -P evil.c >expanded.txt
if grep -q injected expanded.txt; then fail "a comment became code"; fi
grep -q 'injected' evil.h || fail "the comment is lost"

# What acts on a terminal is shown, not done.
printf 'model m {\n    input x: f32[n] \033]0;title\007\n}\n' >control.nn
"$nnc" control.nn -o control.h >said.txt 2>&1 && fail "control characters are taken"
if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037\177]')" said.txt; then fail "a control character reaches the terminal"; fi
grep -q 'x1b' said.txt || fail "the control character is not shown"
printf 'a\033[2J,b\n1,2\n3,x\n' >table.csv
cat >table.nn <<'NN'
model m {
    input x: f32[n]
    target t: f32[n]
    param w: f32 = 0
    loss = mse(w * x, t)
}
data train {
    table = csv("table.csv")
    x = table.c
    t = table.b
}
train m { optimizer = sgd(lr = 0.1); steps = 1; batch = 2 }
NN
"$nnc" train table.nn >said.txt 2>&1 && fail "a column that is not there is taken"
if LC_ALL=C grep -q "$(printf '\033')" said.txt; then fail "a header of a table reaches the terminal"; fi

# Files are new files under names that nobody can foresee; a mode is kept, and a link stays a link.
cat >model.nn <<'NN'
model m {
    input x: f32[n, 2]
    target t: f32[n, 1]
    y = x |> dense(1)
    output y
    loss = mse(y, t)
}
data train {
    x = [[0, 0], [0, 1]]
    t = [[0], [1]]
}
train m { optimizer = sgd(lr = 0.1); steps = 2; batch = 2; seed = 1 }
NN
written() {
    target=$1; shift
    rm -rf place && mkdir place
    "$@" "place/$target" >/dev/null 2>&1 || fail "$* place/$target"
    chmod 640 "place/$target"
    mv "place/$target" "place/real.$target"
    ln -s "real.$target" "place/$target"
    "$@" "place/$target" >/dev/null 2>&1 || fail "$* through a link"
    [ -L "place/$target" ] || fail "$target was a link and is one no more"
    [ "$(stat -c %a "place/real.$target")" = 640 ] || fail "the mode of $target became $(stat -c %a "place/real.$target")"
    rm "place/real.$target"
    "$@" "place/$target" >/dev/null 2>&1 || fail "$* through a link that leads nowhere yet"
    [ -f "place/real.$target" ] && [ -L "place/$target" ] || fail "the link of $target was not followed"
    rm "place/$target" "place/real.$target"
    left=$(ls place | grep -v '\.h$') || true
    [ -z "$left" ] || fail "left behind: $left"
}
for extension in so o a h ll s nng nnk dot; do written "m.$extension" "$nnc" model.nn -o; done
written w.safetensors "$nnc" train model.nn -o
written g.svg "$nnc" graph model.nn -o
printf 'model p {\n    param w: [2] ~ normal\n    output y = 2 * w\n}\n' >p.nn
written p.npz "$nnc" run p.nn --seed 1 -o

# With a standard stream closed, no file takes its place.
"$nnc" train model.nn -o w.safetensors --log log.csv >out.txt 2>&1 || fail "train"
cp log.csv whole.csv
"$nnc" train model.nn -o w.safetensors --log log.csv >/dev/null 2>&- || fail "train without stderr"
cmp log.csv whole.csv || fail "progress went into the log"
"$nnc" train model.nn -o w.safetensors --log log.csv <&- >/dev/null 2>&1 || fail "train without stdin"
"$nnc" train model.nn -o w.safetensors --log log.csv >&- 2>/dev/null || true
cmp log.csv whole.csv || fail "the output went into the log"
