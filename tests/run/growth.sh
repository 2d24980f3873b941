# The processor time of a first training step grows with the number of layers, and layers that differ in their sizes alone
# share their kernels.
. "$(dirname "$0")/lib.sh"

# model KIND LAYERS
model() {
    awk -v kind="$1" -v n="$2" 'BEGIN {
        print "model deep {\n    input x: f32[batch, 32]\n    target t: f32[batch, 32]\n    h = x"
        if (kind == "tanh" || kind == "relu") print "    repeat " n " { h = h |> dense(32) |> " kind " }"
        if (kind == "norm") print "    repeat " n / 2 " { h = h + (h |> layer_norm |> dense(32) |> relu |> dense(32)) }"
        if (kind == "widths") for (i = 0; i < n; i++) print "    h = h |> dense(" 16 + i ") |> tanh"
        if (kind == "widths") print "    h = h |> dense(32)"
        print "    output y = h\n    loss = mse(h, t)\n}\ndata train {"
        row = "0.5"
        for (i = 1; i < 32; i++) row = row ", 0.5"
        print "    x = [[" row "]]\n    t = [[" row "]]\n}"
        print "train deep { optimizer = sgd(lr = 0.01); steps = 1; batch = 1 }"
    }' >"$1.$2.nn"
}

# Hundredths of a second of the processor that one step of training takes.
measure() {
    (
        "$nnc" train --quiet --threads 1 "$1" >/dev/null || exit 1
        times
    ) | awk 'NR == 2 { gsub("[ms]", " "); print int(100 * (60 * ($1 + $3) + $2 + $4)) }'
}

# expect_linear KIND LAYERS: three times as many take less than four times as long. What disturbs a measurement lengthens
# it, so the least of several counts.
expect_linear() {
    model "$1" "$2"
    model "$1" $((3 * $2))
    few=100000
    many=100000
    for attempt in 1 2 3 4 5 6 7 8; do
        one=$(measure "$1.$2.nn")
        three=$(measure "$1.$((3 * $2)).nn")
        [ -n "$one" ] && [ -n "$three" ] || fail "$1: no measurement"
        [ "$one" -lt "$few" ] && few=$one
        [ "$three" -lt "$many" ] && many=$three
        [ "$many" -lt $((4 * few)) ] && return 0
    done
    fail "$1: $2 layers take $few hundredths of a second, $((3 * $2)) take $many"
}

expect_linear tanh 1000
expect_linear relu 1000
expect_linear norm 600
expect_linear widths 100

# kernels LAYERS: of a net in which each layer has another width
kernels() {
    model widths "$1"
    "$nnc" "widths.$1.nn" -o widths.nnk >/dev/null
    grep -c '^kernel' widths.nnk
}

few=$(kernels 4)
many=$(kernels 40)
# One of the 40 is as wide as the output, which makes a kernel or two of equal sizes.
[ "$many" -le $((few + 2)) ] || fail "4 widths take $few kernels, 40 take $many"
