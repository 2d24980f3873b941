# --trap-nan names the operation, its operands and the step; a training without a NaN is the same with it.
. "$(dirname "$0")/lib.sh"
rm -f ./*
for name in spirals deep; do
    "$nnc" train "$examples/$name.nn" --steps 30 --quiet -o plain.$name
    "$nnc" train "$examples/$name.nn" --steps 30 --quiet --trap-nan -o trapped.$name
    cmp plain.$name trapped.$name || fail "looking for NaN changed the weights of $name"
done

# Values grow step by step until their square is too large.
fails 1 'regression.nn:12:12: error[not-finite]: step 9: `mul` of finite numbers gives infinity in 16 of 16' \
    "$nnc" train "$examples/regression.nn" --set lr=100 --trap-nan --quiet -o r.safetensors
[ ! -e r.safetensors ] || fail "weights of a training that was trapped were saved"
"$nnc" train "$examples/regression.nn" --set lr=100 --steps 12 --quiet || fail "without --trap-nan it should go on"

# The gradient alone is bad: the loss of sqrt(0) is fine.
cat >root.nn <<'END'
model root {
    input x: f32[batch]
    target y: f32[batch]
    param w: f32 = 0
    loss = mean(sqrt(w * x + y))
}
data train { x = [1, 2, 4]; y = [1, 0, 1] }
train root { optimizer = sgd(lr = 0.1); batch = 3; epochs = 2; seed = 1 }
END
fails 1 'root.nn:5:17: error[not-finite]: step 1:' "$nnc" train root.nn --trap-nan --quiet
fails 1 'there it is 0' "$nnc" train root.nn --trap-nan --quiet

# What is bad from the start is told apart: a row of the data.
cat >data.nn <<'END'
model rows {
    input x: f32[batch]
    target y: f32[batch]
    param w: f32 = 0
    loss = mse(w * x, y)
}
data train {
    table = csv("rows.csv")
    x = 1 / table.x
    y = table.y
}
train rows { optimizer = sgd(lr = 0.1); batch = 4; epochs = 2 }
END
printf 'x,y\n1,2\n2,2\n0,1\n3,1\n' >rows.csv
fails 1 'error[not-finite]: step 1: `x` is infinity in 1 of 4 elements, first at [2] before anything is computed' \
    "$nnc" train data.nn --trap-nan --no-shuffle --quiet
# An infinity that nobody uses is none of its business.
cat >untaken.nn <<'END'
model untaken {
    input x: f32[batch]
    target y: f32[batch]
    param w: f32 = 1
    loss = mse(w * (if x > 0 then log(x) else 0), y)
}
data train { x = [1, 0, -1]; y = [1, 2, 3] }
train untaken { optimizer = sgd(lr = 0.1); batch = 3; epochs = 5 }
END
"$nnc" train untaken.nn --trap-nan --quiet || fail "a branch that is not taken was trapped"
