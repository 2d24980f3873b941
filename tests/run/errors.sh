# What goes wrong is said, with the right status.
. "$(dirname "$0")/lib.sh"
fails 2 'usage' "$nnc" train
fails 2 'unknown option --epoch (did you mean --epochs?)' "$nnc" train "$examples/spirals.nn" --epoch 3
fails 2 'above 0' "$nnc" train "$examples/spirals.nn" --batch 0
fails 2 'takes no value' "$nnc" train "$examples/spirals.nn" --quiet=1
fails 1 'nothing.nn' "$nnc" train nothing.nn
fails 1 'No such file' "$nnc" eval "$examples/spirals.nn" --weights nothing.safetensors
echo 'not weights' >bad.safetensors
fails 1 'bad.safetensors' "$nnc" eval "$examples/spirals.nn" --weights bad.safetensors
fails 1 'lrr' "$nnc" train "$examples/spirals.nn" --set lrr=1
fails 1 'nosuch' "$nnc" eval "$examples/spirals.nn" --split nosuch --weights bad.safetensors
fails 1 'nowhere' "$nnc" train "$examples/spirals.nn" --steps 1 --quiet -o nowhere/w.safetensors
printf 'model m {\n    input x: f32[batch]\n    output y = rellu(x)\n}\n' >typo.nn
fails 1 'typo.nn:3:16: error[unknown-function]' "$nnc" check typo.nn
fails 1 'relu' "$nnc" check typo.nn
