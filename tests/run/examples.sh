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
