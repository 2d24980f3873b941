#!/bin/sh
# Builds the libFuzzer programs with clang and runs each for so many seconds (600), one after the other.
#   sh tests/fuzz/run.sh [--build | --built] [SECONDS] [TARGET ...]      --build: no more than that; --built: without that
# New inputs gather in build/fuzz/corpus; what fails is left in build/fuzz and belongs, made small, into
# tests/fuzz/corpus/TARGET.
set -eu
cd "$(dirname "$0")/../.."

seconds=600 build_them=1 run_them=1
case ${1-} in
--build) run_them= ; shift ;;
--built) build_them= ; shift ;;
esac
case ${1-} in [0-9]*) seconds=$1; shift ;; esac
[ $# -gt 0 ] || set -- front nng nnk rules safetensors npy npz idx csv
build=${NNC_FUZZ_BUILD:-build/fuzz}

if [ $build_them ]; then
    CC=${CC:-clang} cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O1 -g" -DNNC_FUZZ=ON \
        -DNNC_SANITIZE=address,undefined >/dev/null
    # shellcheck disable=SC2046
    cmake --build "$build" --target $(printf 'fuzz_%s ' "$@")
fi
[ $run_them ] || exit 0

seeds() {
    echo "tests/fuzz/corpus/$1"
    case $1 in
    front) echo tests/golden/models tests/golden/diagnostics tests/golden/parse compiler/prelude ;;
    nng) echo tests/golden/passes ;;
    rules) echo compiler/rules ;;
    esac
}

status=0
for target; do
    mkdir -p "$build/corpus/$target"
    set --
    [ ! -e "tests/fuzz/$target.dict" ] || set -- "-dict=tests/fuzz/$target.dict"
    # shellcheck disable=SC2046
    "$build/tests/fuzz/fuzz_$target" "$@" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len=8192 \
        -artifact_prefix="$build/$target-" -print_final_stats=1 "$build/corpus/$target" $(seeds "$target") || status=1
done
exit $status
