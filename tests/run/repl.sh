# Sessions: what is typed and what is answered. NNC_UPDATE_GOLDEN=1 writes the answers anew.
. "$(dirname "$0")/lib.sh"
golden=$2/tests/golden/repl
for session in "$golden"/*.in; do
    (cd "$2" && "$nnc" <"$session" 2>&1) >got || true
    [ -z "${NNC_UPDATE_GOLDEN:-}" ] || cp got "${session%.in}.out"
    diff -u "${session%.in}.out" got || fail "$session"
done
# The sessions that the documentation shows: lines after `nn> ` and `... ` are typed, the others must be the answers.
for page in "$2"/docs/*.md "$2"/README.md; do
    awk '/^```nn-session$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$page" >shown
    [ -s shown ] || continue
    sed -n 's/^nn> //p; s/^\.\.\. //p' shown >typed
    grep -v '^nn> \|^\.\.\. ' shown >answers || true
    (cd "$2" && "$nnc" <"$OLDPWD/typed" 2>&1) >got || true
    diff -u answers got || fail "the sessions of $page"
done
# An empty input is a good one; a mistake makes the status 1, and what follows it still runs.
expect '' "$nnc" </dev/null
echo 'nosuch' | fails 1 'unknown-name' "$nnc"
printf 'nosuch\n1 + 1\n' | { "$nnc" 2>/dev/null || true; } | grep -qx 2 || fail 'a session ends at a mistake'
expect 'model logistic(x0: f32[batch], x1: f32[batch], y: f32[batch]): 3 parameters in 3 tensors' \
    "$nnc" repl "$examples/logistic.nn" </dev/null
fails 1 'nosuch.nn' "$nnc" repl nosuch.nn </dev/null
# What differs from machine to machine has a shape: code has the kernel's function, and its loop is over what was asked.
says() { # says TEXT COMMAND: a session with an expression and a model answers the command with a line that matches
    { cat "$2/examples/logistic.nn" && printf 'input v: f32[n]\nf = tanh(v)\nv = [1, 2]\n%s\n' "$3"; } >typed
    "$nnc" <typed >got 2>said || fail "$3: $(cat said)"
    grep -q "$1" got || fail "$3 should say \"$1\" but said: $(cat got)"
}
says '^define internal void @loop_[0-9]*_[a-z_]*(' "$2" ':llvm f'
says '^@nn_image_native = ' "$2" ':llvm'
says 'c"logistic\\00"' "$2" ':llvm'
says '^loop_[0-9]*_[a-z_]*:' "$2" ':asm f'
says '\.file.*"session"' "$2" ':asm f'
says '\.file.*"logistic"' "$2" ':asm'
says '^compiled in [0-9.]* ms, ran in [0-9.]* ms$' "$2" ':time f'
says '^compiled in [0-9.]* ms, ran in [0-9.]* ms$' "$2" ':time sum(f * v) + 1'
