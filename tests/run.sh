#!/bin/sh
# Installs what is missing, builds, and runs every test through CTest.  sh tests/run.sh [--slow] [--preset NAME]
set -eu
cd "$(dirname "$0")/.."

slow=OFF preset=release
while [ $# -gt 0 ]; do
    case $1 in
    --slow) slow=ON ;;
    --preset) preset=${2:?a preset: release, debug or asan}; shift ;;
    *) echo "usage: sh tests/run.sh [--slow] [--preset release|debug|asan]" >&2; exit 2 ;;
    esac
    shift
done

packages="build data test"
[ $slow = OFF ] || packages="$packages slow fuzz"
# shellcheck disable=SC2086
.ci/install $packages
cmake --preset "$preset" -DNNC_TESTS=ON -DNNC_SLOW_TESTS=$slow ${CI:+-DNNC_WERROR=ON}
cmake --build --preset "$preset" --parallel "$(nproc)"
ctest --preset "$preset" --parallel "$(nproc)" --output-on-failure
