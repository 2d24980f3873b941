# The other examples train to what they promise, under guard pages too.
. "$(dirname "$0")/lib.sh"
for name in regression spirals deep custom; do
    "$nnc" train "$examples/$name.nn" -o $name.safetensors --quiet
    "$nnc" eval "$examples/$name.nn" --weights $name.safetensors >$name.txt
done
between regression.txt mae 0 0.12
between spirals.txt accuracy 0.9 1
between deep.txt accuracy 0.9 1
between custom.txt accuracy 0.9 1
for name in logistic regression spirals deep fashion custom; do
    "$nnc" train "$examples/$name.nn" --steps 3 --guard --quiet || fail "$name under --guard"
    "$nnc" fmt --check "$examples/$name.nn" || fail "$name is not laid out canonically"
    "$nnc" check "$examples/$name.nn" >check.txt || fail "$name: $(cat check.txt)"
done

# nnc run gives the same under guard pages, in both forms, with the gradients by the data.
# array FILE TYPE VALUE SHAPE...: a .npy with one value throughout, given as the four bytes of an element
array() {
    file=$1 type=$2 value=$3; shift 3
    count=1 shape=
    for size in "$@"; do count=$((count * size)) shape="$shape$size,"; done
    printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$type', 'fortran_order': False, 'shape': ($shape), }" >"$file"
    for _ in $(seq $count); do printf "$value"; done >>"$file"
}
half='\000\000\000\077' one='\001\000\000\000'
array row.npy '<f4' "$half" 3
array points.npy '<f4' "$half" 3 2
array images.npy '<f4' "$half" 3 28 28
array labels.npy '<i4' "$one" 3
guarded() {
    name=$1; shift
    for form in '' --training; do
        "$nnc" run "$examples/$name.nn" $form "$@" -o plain.npz || fail "nnc run of $name $form"
        "$nnc" run "$examples/$name.nn" $form "$@" --guard -o guarded.npz || fail "nnc run of $name $form under --guard"
        cmp plain.npz guarded.npz || fail "guard pages changed what $name $form gives"
    done
}
guarded logistic --input x0=row.npy --input x1=row.npy --input y=row.npy --grad x0,w1
guarded regression --input income=row.npy --input food=row.npy --grad income
guarded spirals --input point=points.npy --input arm=labels.npy --grad point
for name in deep custom vanishing; do
    guarded $name --input point=points.npy --input moon=labels.npy --grad point
done
guarded fashion --input image=images.npy --input label=labels.npy --grad image
