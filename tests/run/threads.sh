# The same bits for any number of threads.
. "$(dirname "$0")/lib.sh"
for n in 1 2 4; do
    "$nnc" train "$examples/spirals.nn" --steps 60 --threads $n -o spirals.$n.safetensors --quiet
    "$nnc" train "$examples/fashion.nn" --steps 20 --threads $n -o fashion.$n.safetensors --quiet
done
for name in spirals fashion; do
    cmp $name.1.safetensors $name.2.safetensors && cmp $name.1.safetensors $name.4.safetensors ||
        fail "$name differs by the number of threads"
done
"$nnc" train "$examples/spirals.nn" --steps 60 --seed 2 -o other.safetensors --quiet
cmp -s spirals.1.safetensors other.safetensors && fail "another seed gives the same weights" || true
