# Tables, arrays and files larger than memory, from the command line. NNC_SLOW=1 reads twenty gigabytes.
. "$2/tests/run/lib.sh"
rm -f ./*

# model FILE "DATA": three numbers to a class of three
model() {
    cat > "$1" <<END
model kinds {
    input  x: f32[batch, 2]
    target kind: i32[batch] in 3
    logits = x |> dense(3)
    loss            = cross_entropy(logits, kind)
    metric accuracy = mean(argmax(logits) == kind)
}
$2
train kinds { optimizer = adam(lr = 0.05); batch = 4; epochs = 60; seed = 1 }
END
}

# Quotes, a delimiter, decimals, an empty line, line ends of another system; a column of text has categories, and
# `valid` has those of `train` although it lacks one.
table='data train { table = csv("table.csv", delimiter = ";")
             x = columns(table, "left; right", "up")
             kind = table.kind }
data valid { table = csv("valid.csv", delimiter = ";")
             x = columns(table, "left; right", "up")
             kind = table.kind }'
model table.nn "$table"
{
    printf '"left; right";up;kind;note\r\n'
    for i in 1 2 3 4; do
        printf '%s.5;1;"a ""large"" one";"two\nlines"\r\n' "$i"
        printf -- '-%s.5;1e0;small;\r\n\r\n' "$i"
        printf '0;-%s;other;NA\r\n' "$i"
    done
} > table.csv
printf '"left; right";up;kind;note\n0;-3;other;x\n-2;1;small;x\n' > valid.csv
"$nnc" train table.nn --quiet -o table.safetensors
expect "accuracy 1" sh -c "'$nnc' eval table.nn --weights table.safetensors --split valid | grep accuracy"

# What is wrong in a table is named with its line and column.
printf '"left; right";up;kind;note\n0;-3;other;x\n\n-2;1;huge;x\n' > valid.csv
fails 1 'valid.csv:4: column kind: `huge` is none of the categories' "$nnc" train table.nn --quiet
printf '"left; right";up;kind;note\n0;-3;other;x\n-2;?;small;x\n' > valid.csv
fails 1 'valid.csv:3: column up: the value is missing' "$nnc" train table.nn --quiet
printf '"left; right";up;kind;note\n0;-3;other;x\n-2;1;small;x\nleft;1;small;x\n' > valid.csv
fails 1 'valid.csv:4: column left; right: `left` is no number' "$nnc" train table.nn --quiet
printf '"left; right";up;kind;note\n0;-3;other\n' > valid.csv
fails 1 'valid.csv:2: 3 fields, but there are 4 columns' "$nnc" train table.nn --quiet

printf '"left; right";up;kind;note\n0;-3;other;x\n-2;1e39;small;x\n' > valid.csv
fails 1 'x: row 1, column 1 of the data (from 0) holds 1e+39, which is not a value of f32' "$nnc" train table.nn --quiet
printf '"left; right";up;kind;note\n0;-3;other;x\n-2;1e309;small;x\n' > valid.csv
fails 1 'valid.csv:3: column up: `1e309` is larger than a 64-bit float can be' "$nnc" train table.nn --quiet
printf '"left; right";up;kind;note\n' > valid.csv
fails 1 'valid.csv has a header and no rows' "$nnc" train table.nn --quiet
printf '"left; right";up;kind;note\r0;-3;other;x\r-2;1;huge;x\r' > valid.csv
fails 1 'valid.csv:3: column kind: `huge` is none of the categories' "$nnc" train table.nn --quiet

# Text is no number, and neither are decimal commas.
model commas.nn 'data train { table = csv("commas.csv"); x = columns(table, "a", "b"); kind = table.k }'
printf 'a,b,k\n"1,5",2,0\n"2,5",3,1\n' > commas.csv
fails 1 '`table.a` is text and cannot be used as a number: `1,5` in line 2 of commas.csv is not one' \
    "$nnc" train commas.nn --quiet

# Without a header columns have numbers; a class that is out of range has its row named.
model plain.nn 'data train { table = csv("plain.csv", header = false); x = columns(table, "c0", "c1"); kind = table.c2 }'
printf '1,0,0\n0,1,1\n1,1,2\n0,0,1\n1,0,0\n' > plain.csv
"$nnc" train plain.nn --quiet
printf '1,0,0\n0,1,1\n1,1,2\n0,0,3\n1,0,0\n' > plain.csv
fails 1 'kind: row 3 of the data (from 0) holds 3, but only 0 to 2 are allowed' "$nnc" train plain.nn --quiet

# npz, as `nnc run` writes it, and npy.
cat > make.nn <<'END'
model make {
    output x    = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]
    output kind = [0, 1, 2, 1]
}
END
"$nnc" run make.nn -o made.npz
model npz.nn 'data train { made = npz("made.npz"); x = made.x; kind = i32(made.kind) }'
"$nnc" train npz.nn --quiet --log npz.csv
model same.nn 'data train { x = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]; kind = [0, 1, 2, 1] }'
"$nnc" train same.nn --quiet --log same.csv
cmp npz.csv same.csv || fail "arrays in a file and in the text are not the same"

# Of two values for one name neither is passed over.
fails 1 '--data made is given twice' "$nnc" train npz.nn --quiet --data made=made.npz --data made=other.npz
fails 1 '--data train.made is given twice' \
    "$nnc" train npz.nn --quiet --data train.made=made.npz --data train.made=made.npz
fails 1 '--bind batch is given twice' "$nnc" train npz.nn --quiet --bind batch=2 --bind batch=3
fails 1 '--set lr is given twice' "$nnc" train npz.nn --quiet --set lr=2 --set lr=2

# A number that the input's type does not hold is named, whichever way it comes: as text, in a table, in an array or in
# MNIST's format, given in the file or by an option; to nnc train, eval, run and the session.
narrow() { # narrow TYPE "DATA"
    cat > narrow.nn <<END
model narrow {
    input  x: f32[batch, 2]
    target kind: $1[batch]
    logits = x |> dense(3)
    output logits
    output doubled = kind * 2
    loss   = mean(logits) * mean(f32(kind))
}
data train { $2; x = [[1, 2], [3, 4]] }
train narrow { optimizer = sgd(lr = 0.1); batch = 2; epochs = 1; seed = 1 }
END
}
# numbers FILE TYPE SHAPE BYTES: an .npy file with these bytes as printf writes them
numbers() {
    header=$(printf "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" "$2" "$3")
    # shellcheck disable=SC2059
    { printf '\223NUMPY\001\000\166\000%-117s\n' "$header"; printf "$4"; } > "$1"
}
wide='kind: row 1 of the data (from 0) holds 4294967299, which is not a value of i32'
numbers wide.npy '<i8' '2,' '\001\000\000\000\000\000\000\000\003\000\000\000\001\000\000\000'
printf 'k,kind\n1,1\n4294967299,4294967299\n' > wide.csv
for source in '[1, 4294967299]' 'npy("wide.npy")' 'csv("wide.csv").k' 'csv("wide.csv").k + 0' 'npy("wide.npy") * 1'; do
    narrow i32 "kind = $source"
    fails 1 "$wide" "$nnc" train narrow.nn --quiet
    fails 1 "$wide" "$nnc" eval narrow.nn --split train
    printf ':load narrow.nn\n:train\n' > session
    "$nnc" repl < session > said 2>&1 || :
    grep -qF "$wide" said || fail "the session trains $source: $(cat said)"
done
narrow i32 'unused = 0'
for file in wide.npy wide.csv; do fails 1 "$wide" "$nnc" train narrow.nn --quiet --data kind=$file; done
numbers x.npy '<f8' '2, 2' '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\176'
numbers kind.npy '<i4' '2,' '\0\0\0\0\0\0\0\0'
fails 1 'wide.npy: 4294967299 at [1] is not a value of i32' "$nnc" run narrow.nn --input kind=wide.npy -o out.npz
fails 1 'at [1, 1] is not a value of f32' "$nnc" run narrow.nn --input x=x.npy --input kind=kind.npy -o out.npz
printf '\000\000\014\001\000\000\000\002\000\000\000\001\377\377\377\376' > minus.idx
for case in '[1, 300]|holds 300' '[1, -2]|holds -2' 'idx("minus.idx")|holds -2' 'npy("wide.npy")|holds 4294967299'; do
    narrow u8 "kind = ${case%|*}"
    fails 1 "kind: row 1 of the data (from 0) ${case#*|}, which is not a value of u8" "$nnc" train narrow.nn --quiet
done
# The type of the input decides how exactly a number in the text or in a table is taken.
printf 't\n0.1\n0.2\n' > tenths.csv
for source in '[0.1, 0.2]' 'csv("tenths.csv").t'; do
    printf 'model exact { input x: f64[batch]; loss = sum(x) }\ndata test { x = %s }\n' "$source" > exact.nn
    "$nnc" eval exact.nn > said
    grep -q '^loss 0.3$' said || fail "$source: $(cat said)"
done

# array FILE TYPE SHAPE BYTES: an .npy file whose values are a hole
array() {
    header=$(printf "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" "$2" "$3")
    printf '\223NUMPY\001\000\166\000%-117s\n' "$header" > "$1"
    truncate -s $(($4 + 128)) "$1"
}
# limit KILOBYTES: of data from here on
limit() { sanitized || ulimit -d "$1"; }
# Twenty gigabytes with at most half a gigabyte of memory of its own.
array large.npy '<f4' '20000, 262144' $((20000 * 262144 * 4))
array label.npy '<i4' '20000,' $((20000 * 4))
cat > large.nn <<'END'
model large {
    input  x: f32[batch, 262144]
    target t: i32[batch] in 2
    logits = x |> dense(2)
    loss   = cross_entropy(logits, t)
}
data train { x = npy("large.npy"); t = npy("label.npy") }
train large { optimizer = sgd(lr = 0.1); batch = 8; epochs = 1; seed = 1 }
END
length='--steps 40'
[ "${NNC_SLOW:-0}" = 1 ] && length=
# shellcheck disable=SC2086
(limit 500000; exec "$nnc" train large.nn --threads 1 $length 2> said) & pid=$!
most=0
while resident=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null) && [ "$resident" ]; do
    [ "$resident" -lt "$most" ] || most=$resident
    sleep 0.1
done
wait "$pid" || fail "twenty gigabytes: $(cat said)"
[ "$most" -lt 1000000 ] || fail "twenty gigabytes are trained in $most kilobytes"
grep -q "20,000 rows" said || fail "$(cat said)"

# A file that somebody cuts off meanwhile ends the training with a message; the checkpoint is whole.
array cut.npy '<f4' '4096, 8192' $((4096 * 8192 * 4))
array label.npy '<i4' '4096,' $((4096 * 4))
sed -e 's/262144/8192/; s/large/cut/g; s/batch = 8; epochs = 1/batch = 64; epochs = 1000/' large.nn > cut.nn
rm -f state
"$nnc" train cut.nn --quiet --threads 1 --checkpoint state --every 1 2> said & pid=$!
while [ ! -e state ]; do kill -0 "$pid" || fail "no checkpoint: $(cat said)"; sleep 0.1; done
truncate -s 1000000 cut.npy
status=0
wait "$pid" || status=$?
[ "$status" = 1 ] || fail "a file that is cut off ends the training with $status: $(cat said)"
grep -q 'cut.npy became shorter while it was read' said || fail "$(cat said)"
truncate -s $((4096 * 8192 * 4 + 128)) cut.npy
"$nnc" eval cut.nn --split train --weights state > said
grep -q '^loss' said || fail "$(cat said)"
rm -f cut.npy

rm -f large.npy
[ "${NNC_SLOW:-0}" = 1 ] || exit 0

# The same as MNIST's format: 25 million pictures.
printf '\000\000\010\003\001\205\201\320\000\000\000\034\000\000\000\034' > large.idx
truncate -s $((25526736 * 784 + 16)) large.idx
sed -e 's/f32\[batch, 262144\]/f32[batch, 28, 28]/' -e 's/x |> dense/x |> flatten |> dense/' \
    -e 's/npy("large.npy")/idx("large.idx") \/ 255/' -e '/^data/s/; t = .*/; t = i32(sum(idx("large.idx"), axis = [1, 2])) }/' \
    large.nn > pictures.nn
(limit 1000000; exec "$nnc" train pictures.nn --threads 1 --steps 40 2> said) || fail "twenty gigabytes: $(cat said)"
rm -f large.idx
