# Models made to be carried elsewhere: variants by processor, without training, with weights inside, under another name,
# several in one program.
. "$(dirname "$0")/lib.sh"
"$nnc" train "$examples/spirals.nn" --quiet --epochs 10 -o w.safetensors
cat >ask.c <<'C'
/* Prints three probabilities of the model, with 9 digits; W: weights are read first. */
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define M(name) JOIN(NAME, name)
#include HEADER
#include <stdio.h>
int main(int argc, char **argv)
{
    M(_params) *params;
    M(_session) *session;
    const float point[2] = {0.3f, -0.4f};
    float p[3];
    if (M(_params_new)(1, &params) || (argc > 1 && M(_params_load)(params, argv[1])) ||
        M(_session_new)(params, &session) || M(_forward)(session, 1, point, NULL, 0) ||
        M(_get)(session, "probability", p, 3)) {
        printf("%s\n", M(_message)());
        return 1;
    }
    printf("%.9g %.9g %.9g\n", p[0], p[1], p[2]);
    printf("%s\n", M(_forward)(session, 1, point, NULL, 1) ? M(_message)() : "training");
    M(_session_free)(session);
    M(_params_free)(params);
    return 0;
}
C
build() { # build PROGRAM NAME OBJECTS...
    program=$1 name=$2; shift 2
    cc -DNAME="$name" -DHEADER="\"$name.h\"" -I. ask.c "$@" -pthread -o "$program"
}

# Each variant, and all of them in one library; sizes are said.
for cpu in x86-64-v2 x86-64-v3; do
    "$nnc" "$examples/spirals.nn" --cpu $cpu -o spirals.so >sizes.txt
    grep -q "^spirals.so: [0-9]* KiB: $cpu [0-9]*, run time [0-9]*$" sizes.txt || fail "sizes: $(cat sizes.txt)"
    build ask_$cpu spirals ./spirals.so && ./ask_$cpu w.safetensors >$cpu.txt || fail "$cpu: $(cat $cpu.txt)"
done
"$nnc" "$examples/spirals.nn" -o spirals.so >sizes.txt
grep -q '^spirals.so: [0-9]* KiB: x86-64-v4 [0-9]*, x86-64-v3 [0-9]*, x86-64-v2 [0-9]*, run time [0-9]*$' sizes.txt ||
    fail "sizes: $(cat sizes.txt)"
build ask spirals ./spirals.so && ./ask w.safetensors >all.txt || fail "all variants: $(cat all.txt)"
grep -q '^training$' all.txt || fail "$(cat all.txt)"
for other in x86-64-v2 x86-64-v3; do
    paste all.txt $other.txt | awk 'NR == 1 { for (i = 1; i <= 3; i++) if (($i - $(i + 3)) ^ 2 > 1e-10) exit 1 }' ||
        fail "all.txt and $other.txt differ: $(cat all.txt $other.txt)"
done

# Without training: smaller, without the functions, the same values, and a message where training is asked for.
"$nnc" "$examples/spirals.nn" --inference -o spirals.so >small.txt
kib() { sed -n 's/^[^:]*: \([0-9]*\) KiB.*/\1/p' "$1"; }
[ "$(kib small.txt)" -lt "$(kib sizes.txt)" ] || fail "--inference makes nothing smaller: $(cat small.txt)"
nm -D --defined-only spirals.so | grep -q -e _step -e _backward -e _update && fail "--inference keeps training" || true
grep -q -e 'spirals_step' -e spirals_update -e '"lr"' spirals.h && fail "the header offers training" || true
build ask spirals ./spirals.so && ./ask w.safetensors >small.txt || fail "--inference: $(cat small.txt)"
[ "$(sed -n 1p small.txt)" = "$(sed -n 1p all.txt)" ] || fail "--inference gives other values"
[ "$(sed -n 2p small.txt)" != training ] || fail "an inference library trains"

# Weights inside, another name, and two models in one program: as libraries, objects and archives.
"$nnc" "$examples/spirals.nn" --inference --weights w.safetensors --name swirl -o swirl.so >sizes.txt
grep -q 'weights [1-9]' sizes.txt || fail "sizes: $(cat sizes.txt)"
nm -D --defined-only swirl.so | awk '{ print $3 }' | grep -v -e '^swirl_' -e '^nn_model_entry$' && fail "--name" || true
build ask_swirl swirl ./swirl.so && ./ask_swirl >swirl.txt || fail "--weights: $(cat swirl.txt)"
[ "$(sed -n 1p swirl.txt)" = "$(sed -n 1p all.txt)" ] || fail "embedded weights give other values: $(cat swirl.txt all.txt)"
cat >both.c <<'C'
#include "spirals.h"
#include "swirl.h"
#include <stdio.h>
int main(void)
{
    spirals_params *a;
    swirl_params *b;
    spirals_session *s;
    swirl_session *t;
    const float point[2] = {0.3f, -0.4f};
    float p[3], q[3], loss;
    const int32_t arm = 1;
    if (spirals_params_new(1, &a) || swirl_params_new(1, &b) || spirals_session_new(a, &s) || swirl_session_new(b, &t)) return 1;
    if (spirals_step(s, 1, point, &arm, &loss) || swirl_forward(t, 1, point, NULL, 0) || swirl_get(t, "probability", q, 3)) return 2;
    if (spirals_get(s, "probability", p, 4) == 0) return 3; /* a wrong count: a message of this model alone */
    printf("%.9g %.9g %.9g%s\n", q[0], q[1], q[2], *spirals_message() ? "" : " no message");
    return 0;
}
C
"$nnc" "$examples/spirals.nn" -o spirals.so >/dev/null
for form in so o a; do
    "$nnc" "$examples/spirals.nn" -o spirals.$form >/dev/null
    "$nnc" "$examples/spirals.nn" --inference --weights w.safetensors --name swirl -o swirl.$form >/dev/null
    cc -I. both.c ./spirals.$form ./swirl.$form -pthread -o both || fail "two models as .$form"
    [ "$(./both)" = "$(sed -n 1p all.txt)" ] || fail "two models as .$form give: $(./both)"
done

fails 1 'bad-option' "$nnc" "$examples/spirals.nn" --name '2 words' -o out.so
fails 1 'w.none' "$nnc" "$examples/spirals.nn" --weights w.none -o out.so
"$nnc" train "$examples/logistic.nn" --quiet --epochs 1 -o other.safetensors
fails 1 'other.safetensors' "$nnc" "$examples/spirals.nn" --weights other.safetensors -o out.so
[ ! -e out.so ] || fail "a failed compilation leaves a file"

# A library and its header are written both or neither.
rm -rf pair && mkdir pair pair/spirals.h
fails 1 'spirals.h: it is not a file' "$nnc" "$examples/spirals.nn" -o pair/spirals.so
[ "$(ls pair)" = spirals.h ] || fail "a library without its header: $(ls pair)"
rmdir pair/spirals.h && mkdir pair/spirals.so
fails 1 'spirals.so: it is not a file' "$nnc" "$examples/spirals.nn" -o pair/spirals.so
[ "$(ls pair)" = spirals.so ] || fail "a header without its library: $(ls pair)"
