# Data and arrays without rows: a clear error, or the right result.
. "$(dirname "$0")/lib.sh"
cat >model.nn <<'END'
model m {
    input x: f32[batch, 2]
    target y: i32[batch] in 3
    logits = x |> dense(8) |> batch_norm |> relu |> dense(3)
    output p = softmax(logits)
    output best = argmax(x, axis = 0)
    loss = cross_entropy(logits, y)
    metric accuracy = accuracy(logits, y)
}
data train, test { t = csv("t.csv"); x = stack(t.a, t.b, axis = 1); y = t.y }
train m { optimizer = adam(lr = 0.001); batch = 4 }
END
sed /argmax/d model.nn >plain.nn
# array NAME TYPE SHAPE: a .npy file of no elements
array() { printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$2', 'fortran_order': False, 'shape': $3, }" >"$1"; }
# shape: of the first array of results.npz, which is not compressed
shape() { grep -a -o "'shape': ([^)]*)" results.npz | head -n 1; }
array x.npy '<f4' '(0, 2)'
array y.npy '<i4' '(0,)'

printf 'a,b,y\n' >t.csv
fails 1 "t.csv has a header and no rows" "$nnc" train plain.nn -o w.safetensors
printf 'a,b,y\n1.5,2.5,0\n2.5,3.5,1\n3.5,4.5,2\n4.5,5.5,0\n' >full.csv && cp full.csv t.csv
"$nnc" train plain.nn -o w.safetensors >/dev/null 2>&1 || fail "training"
printf 'a,b,y\n' >t.csv
fails 1 "t.csv has a header and no rows" "$nnc" eval plain.nn --weights w.safetensors
cp full.csv t.csv

for how in "" --guard --training; do
    "$nnc" run plain.nn $how --weights w.safetensors --input x=x.npy --input y=y.npy -o results.npz || fail "run $how"
    [ "$(shape)" = "'shape': (0, 3)" ] || fail "p has $(shape)"
done
fails 1 '`argmax` needs an axis with at least one element (batch is 0)' \
    "$nnc" run model.nn --input x=x.npy -o results.npz
