# Makes the files of this folder anew: sh make.sh NNC. They are those of the compiler at revision 35a985a and stay as
# they are: tests/run/weights.sh shows that later compilers load them. Only a change that means to read them no more
# makes others.
set -eu
nnc=$1
cd "$(dirname "$0")"
"$nnc" train model.nn -o weights.safetensors --log log.csv --checkpoint state --every 25 --keep 2 --threads 1 --quiet
mv state.1 checkpoint
rm state
"$nnc" eval model.nn --weights weights.safetensors >scores.txt
