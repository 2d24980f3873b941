#!/bin/sh
# From nothing to a trained network inside a C program: installs what is missing, builds nnc, trains examples/fashion.nn on
# Fashion-MNIST, evaluates it, compiles it to a library and classifies the test images from C.
set -eu
cd "$(dirname "$0")/.."
say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

say "Installing what is missing"
.ci/install build data

say "Building nnc"
cmake --preset release -DNNC_TESTS=OFF >/dev/null
cmake --build --preset release --target nnc --parallel "$(nproc)"
nnc=$PWD/build/release/nnc
out=$PWD/build/quickstart
mkdir -p "$out"

say "Training examples/fashion.nn: nnc train fashion.nn -o fashion.safetensors"
"$nnc" train examples/fashion.nn -o "$out/fashion.safetensors"

say "Evaluating on the test images: nnc eval fashion.nn --weights fashion.safetensors"
"$nnc" eval examples/fashion.nn --weights "$out/fashion.safetensors" --split test

say "Compiling to a library: nnc fashion.nn -o fashion.so"
"$nnc" examples/fashion.nn -o "$out/fashion.so"
ls -l "$out/fashion.so" "$out/fashion.h"

say "Calling it from C: cc classify.c ./fashion.so"
cc -std=c99 -O2 -I "$out" examples/embed/classify.c "$out/fashion.so" -o "$out/classify"
for file in t10k-images-idx3-ubyte t10k-labels-idx1-ubyte; do
    gzip -dc "/usr/share/datasets/fashion-mnist/$file.gz" >"$out/$file"
done
"$out/classify" "$out/fashion.safetensors" "$out/t10k-images-idx3-ubyte" "$out/t10k-labels-idx1-ubyte"
