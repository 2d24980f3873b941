# What is installed is enough: programs outside of the tree are built against it with pkg-config and with CMake, in C and
# C++, and run. The tree may be moved afterwards.
. "$(dirname "$0")/lib.sh"
if sanitized; then skip "this build has sanitizers, which programs outside of it have not: nothing to install"; fi
rm -rf first prefix work
cmake --install "$(dirname "$nnc")" --prefix "$PWD/first" >log.txt || fail "cmake --install: $(cat log.txt)"
mv first prefix
PATH=$PWD/prefix/bin:$PATH
PKG_CONFIG_PATH=$(dirname "$(find "$PWD/prefix" -name nn.pc)")
export PATH PKG_CONFIG_PATH
mkdir work && cd work
[ "$(command -v nnc)" = "${PWD%/work}/prefix/bin/nnc" ] || fail "nnc is not installed"
for header in nn.h nnc/nnc.h; do
    printf '#include <%s>\nint header(void);\nint header(void) { return 0; }\n' "$header" >header.c
    cc -std=c99 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags nnc) -c header.c || fail "$header in C99"
    cp header.c header.cc
    c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags nnc) -c header.cc || fail "$header in C++"
done

cat >open.c <<'C'
/* Opens any model and says what it is called and takes. */
#include <nn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    nn_model *model;
    if (argc != 2 || nn_model_open(argv[1], NULL, &model)) {
        fprintf(stderr, "%s\n", nn_message());
        return 1;
    }
    nn_tensor input = {.size = sizeof input};
    nn_model_tensor(model, nn_model_input(model, 0), &input);
    printf("%s takes %s\n", nn_model_name(model), input.name);
    nn_model_free(model);
    return 0;
}
C
cat >double.c <<'C'
/* A text becomes a model, is run, and a mistake is told. The names are those of the compiler's own functions. */
#include <nnc/nnc.h>
#include <stdio.h>

int schedule = 1, intern = 2, arena_new = 3;

int main(void)
{
    nnc_compiler *compiler = nnc_new();
    nn_model *model;
    nn_params *params;
    nn_session *session;
    const int64_t dims[] = {3};
    const float x[] = {1, 2, 3};
    const void *inputs[] = {x};
    float y[3];
    if (!nnc_compile(compiler, "bad.nn", "model m { output z }", NULL, &model)) return 1;
    fputs(nnc_diagnostics(compiler), stderr);
    if (nnc_compile(compiler, NULL, "model m { input x: f32[n]; y = 2 * x; output y }", NULL, &model) ||
        nn_params_new(model, NULL, 0, 1, &params) || nn_session_new(params, NULL, &session) ||
        nn_session_forward(session, dims, 1, inputs, 1, 0) || nn_session_get(session, "y", NN_TYPE_F32, y, 3)) {
        fprintf(stderr, "%s%s\n", nnc_diagnostics(compiler), nn_message());
        return 1;
    }
    printf("%g %g %g\n", y[0], y[1], y[2] + schedule + intern + arena_new - 6);
    nn_session_free(session);
    nn_params_free(params);
    nn_model_free(model);
    nnc_free(compiler);
    return 0;
}
C
cat >spin.c <<'C'
#include "spirals.h"
int main(void)
{
    spirals_params *params;
    return spirals_params_new(1, &params);
}
C
nnc "$examples/spirals.nn" -o spirals.so
for form in so a o; do
    nnc "$examples/spirals.nn" -o spirals.$form
    cc spin.c ./spirals.$form -pthread -o spin && ./spin || fail "a program over spirals.$form"
done

try() { # try FOLDER: the programs there do what they should
    expect "spirals takes point" "$1/open" ./spirals.so
    expect "2 4 6" "$1/double" 2>told.txt
    grep -q 'bad.nn:1:.*error\[unknown-name\]' told.txt || fail "$1/double told: $(cat told.txt)"
}

mkdir plain
cc -Wall -Wextra -Werror open.c $(pkg-config --cflags --libs nn) -o plain/open
cc -Wall -Wextra -Werror double.c $(pkg-config --cflags --libs nnc) -o plain/double
try plain

cat >CMakeLists.txt <<'C'
cmake_minimum_required(VERSION 3.16)
project(outside C)
find_package(nn 0.1 REQUIRED)
find_package(nnc 0.1 REQUIRED)
add_executable(open open.c)
target_link_libraries(open PRIVATE nn::nn)
add_executable(double double.c)
target_link_libraries(double PRIVATE nnc::nnc)
get_target_property(compiler nnc::compiler IMPORTED_LOCATION)
if(NOT EXISTS ${compiler})
  message(FATAL_ERROR "${compiler} is missing")
endif()
C
cmake -S . -B made -DCMAKE_PREFIX_PATH="${PWD%/work}/prefix" >log.txt 2>&1 && cmake --build made >>log.txt 2>&1 ||
    fail "CMake: $(cat log.txt)"
try made
