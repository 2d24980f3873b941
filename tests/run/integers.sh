# Integers that no double holds: from an array to an array, into weights and back, through a model's own header.
. "$(dirname "$0")/lib.sh"
cat >counts.nn <<'NN'
# Integers that a double does not hold.
model counts {
    input x: i64[n]
    state most: i64[2] = [9007199254740993, -9223372036854775808]
    output next = x + 1
    output half = x // 2
    output low = i32(x)
}
NN
array() { # array NAME BYTES: an i64 array of two elements
    printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }" >"$1"
    printf "$2" >>"$1"
}
holds() { # holds HEX: the 16 bytes of two elements stand in out.npz
    od -An -v -tx1 out.npz | tr -d ' \n' | grep -q "$1" || fail "out.npz lacks $1"
}
array x.npy '\001\000\000\000\000\000\040\000\376\377\377\377\377\377\377\177' # 2^53 + 1 and 2^63 - 2
"$nnc" run counts.nn --input x=x.npy -o out.npz
holds 0200000000002000ffffffffffffff7f
holds 0000000000001000ffffffffffffff3f

sanitized && exit 0
cat >today.c <<'C'
#include "counts.h"
#include <stdio.h>
int main(void)
{
    counts_params *params;
    counts_session *session;
    const int64_t x[2] = {9007199254740993, INT64_MAX - 1}, most[2] = {INT64_MIN + 1, 9007199254740995};
    int64_t next[2], read[2];
    int32_t low[2];
    if (counts_params_new(1, &params) || counts_session_new(params, &session)) return 1;
    if (counts_params_get_i64(params, "most", read, 2)) return 2;
    printf("%lld %lld\n", (long long)read[0], (long long)read[1]);
    if (counts_params_set_i64(params, "most", most, 2) || counts_params_save(params, "w.safetensors")) return 3;
    counts_params_free(params);
    counts_session_free(session);
    if (counts_params_new(2, &params) || counts_session_new(params, &session)) return 4;
    if (counts_params_load(params, "w.safetensors") || counts_params_get_i64(params, "most", read, 2)) return 5;
    printf("%lld %lld\n", (long long)read[0], (long long)read[1]);
    if (counts_forward(session, 2, x, 0) || counts_get_i64(session, "next", next, 2)) return 6;
    if (counts_get_i32(session, "low", low, 2)) return 7;
    printf("%lld %lld %d %d\n", (long long)next[0], (long long)next[1], (int)low[0], (int)low[1]);
    printf("%d %s\n", counts_get_i32(session, "next", low, 2) != 0, counts_message()); /* it does not fit */
    counts_session_free(session);
    counts_params_free(params);
    return 0;
}
C
"$nnc" counts.nn -o counts.so >/dev/null
cc -Wall -Werror -I. today.c ./counts.so -o today
./today >today.txt || fail "today's header: $?"
printf '%s\n' '9007199254740993 -9223372036854775808' '-9223372036854775807 9007199254740995' \
    '9007199254740994 9223372036854775807 1 -2' >wanted.txt
head -n 3 today.txt | diff wanted.txt - || fail "integers through today's header"
sed -n 4p today.txt | grep -q '^1 element 0 ' || fail "an i32 holds $(sed -n 4p today.txt)"
