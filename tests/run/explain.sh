# --explain names each rewrite with the line that it serves, in the backward graph too.
. "$(dirname "$0")/lib.sh"
cat >model.nn <<'END'
model m {
    input x: f32[n, 3]
    target t: f32[n, 3]
    param w: f32[3] = 1

    z = x * w
    p = softmax(z)
    penalty = sum(abs(w)^1.5)

    loss = -mean(sum(t * log(p), axis = 1)) + penalty
}
END
for command in "grad model.nn --wrt w" "model.nn -o model.ll"; do
    # shellcheck disable=SC2086
    "$nnc" $command --explain >out || fail "$command"
    grep -q '^model.nn:10: log(softmax\[a\](x)) => log_softmax\[a\](x)$' out || fail "$command: the loss: $(cat out)"
    # the derivative of abs(w)^1.5 is 1.5 * abs(w)^0.5 * sign(w)
    grep -q '^model.nn:8: x ^ 0.5 => sqrt(x)$' out || fail "$command: the backward graph: $(cat out)"
done
