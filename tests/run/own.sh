# What users write runs as fast as what the prelude has: its own text under other names gives the same kernels, launched
# in the same order over the same buffers.
. "$(dirname "$0")/lib.sh"
prelude=$2/compiler/prelude
# item KIND NAME: the prelude's definition, up to the line that closes it, called own_NAME
item() {
    cat "$prelude"/*.nn | awk -v head="$1 $2(" -v kind="$1" -v name="$2" '
        index($0, head) == 1 { sub(kind " " name, kind " own_" name); found = 1; print; if (!/[{]$/) exit; next }
        found { print; if (/^}/) exit }'
}
# model OWN: a model of the prelude's things, or of what is called own_…
model() {
    cat <<END
model network {
    input x: f32[batch, 2]
    target label: i32[batch] in 10
    param W: f32[2, 64] ~ $1glorot_uniform
    logits = $1gelu(x @ W) |> $1dense(64) |> $1mish |> $1layer_norm |> $1dense(10)
    output probability = softmax(logits)
    loss = $1cross_entropy(logits, label)
    metric score = $1accuracy(logits, label)
}
data train {
    cloud = blobs(samples = 64, classes = 10)
    x = cloud.point
    label = cloud.label
}
train network { optimizer = $1adam(lr = 0.01 * $1cosine_decay(progress)); batch = 16; epochs = 1 }
END
}
model '' >theirs.nn
{
    for name in glorot_uniform gelu mish cross_entropy accuracy cosine_decay; do item fn $name; done
    for name in dense layer_norm; do item layer $name; done
    item optimizer adam
    model own_
} >own.nn
for file in theirs own; do
    "$nnc" $file.nn -o $file.nnk || fail "$file.nn is not compiled: $(cat $file.nn)"
    # Without the names that kernels and buffers take from paths, and the keys of random numbers, which are of paths, too.
    sed -E 's/^(kernel) .*/\1/; s/^( *m[0-9]+: [a-z0-9]+(\[[^]]*\])?).*/\1/; s/ k([0-9]+) [a-z_A-Z0-9]+\(/ k\1(/; s/ sizes .*//' $file.nnk >$file.txt
done
[ "$(grep -c '^kernel' theirs.txt)" -gt 20 ] || fail "there are $(grep -c '^kernel' theirs.txt) kernels"
diff theirs.txt own.txt || fail "the kernels of what a user wrote are others"
