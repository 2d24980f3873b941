# An assert on free sizes is asked on entry, in the process and in a library, and so is the end of a slice.
. "$(dirname "$0")/lib.sh"
{ echo a,b,t; for i in 1 2 3 4 5 6 7 8; do echo "$i,$((i % 3)).5,$((2 * i)).5"; done; } >rows.csv
cat >rows.nn <<'END'
model rows {
    input x: f32[batch, width]
    target t: f32[batch]
    assert batch > 2, "too few rows"
    assert batch % 4 == 0 or batch < 8 and not (batch == 7), "no sevens"
    assert width == 2
    output y = x |> dense(1) |> sum(axis = 1)
    loss = mse(y, t)
}
data train {
    table = csv("rows.csv")
    x = columns(table, "a", "b")
    t = table.t
}
train rows { optimizer = sgd(lr = 1e-3); seed = 1 }
END
for batch in 3 4 6 8; do
    "$nnc" train rows.nn --batch $batch --steps 1 --quiet || fail "batch $batch"
done
fails 1 'too few rows (batch is 2)' "$nnc" train rows.nn --batch 2 --steps 1 --quiet
fails 1 'no sevens (batch is 7)' "$nnc" train rows.nn --batch 7 --steps 1 --quiet
fails 1 'too few rows (batch is 2)' "$nnc" train rows.nn --batch 3 --epochs 1 --quiet
fails 1 'this does not hold: too few rows' "$nnc" train rows.nn --bind batch=2 --steps 1 --quiet
"$nnc" rows.nn -o rows.so
cat >call.c <<'END'
#include "rows.h"
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words)
{
    static const float x[2 * 8], t[8];
    rows_params *params;
    rows_session *session;
    float loss;
    if (count < 2 || rows_params_new(1, &params) || rows_session_new(params, &session)) return 2;
    int status = rows_step(session, atoi(words[1]), x, t, &loss);
    if (status) fputs(rows_message(), stderr);
    rows_session_free(session);
    rows_params_free(params);
    return status ? 1 : 0;
}
END
sanitized || {
    cc -std=c99 -Wall -Wextra -Werror -I. call.c ./rows.so -o call
    ./call 4 && ./call 3 || fail "the library refuses what holds"
    fails 1 'too few rows (batch is 2)' ./call 2
    fails 1 'no sevens (batch is 7)' ./call 7
}
# What a slice leaves out must be there.
printf 'model part {\n    input x: f32[n]\n    output y = x[3 : 8]\n}\n' >part.nn
array() { # array COUNT: that many zeros as an array file
    header=$(printf "%-117s" "{'descr': '<f4', 'fortran_order': False, 'shape': ($1,), }")
    printf '\223NUMPY\001\000\166\000%s\n' "$header" && head -c $((4 * $1)) /dev/zero
}
array 8 >eight.npy
array 7 >seven.npy
"$nnc" run part.nn --input x=eight.npy -o y.npz
fails 1 "the slice's end: 8 must be at most n (n is 7)" "$nnc" run part.nn --input x=seven.npy -o y.npz
# A place that is counted from the end, or computed from sizes, is on the axis.
printf 'model place {\n    input x: f32[n]\n    output y = x[-4]\n    output z = x[n // 2 - 1]\n}\n' >place.nn
array 3 >three.npy
array 1 >one.npy
"$nnc" run place.nn --input x=eight.npy -o y.npz
for guard in "" --guard; do
    fails 1 'there is no place -4 on an axis of n (n is 3)' "$nnc" run place.nn $guard --input x=three.npy -o y.npz
    fails 1 'there is no place -4 on an axis of n (n is 1)' "$nnc" run place.nn $guard --input x=one.npy -o y.npz
done
printf 'model half {\n    input x: f32[n]\n    output z = x[n // 2 - 1]\n}\n' >half.nn
"$nnc" run half.nn --input x=three.npy -o y.npz
fails 1 'there is no place n // 2 - 1 on an axis of n (n is 1)' "$nnc" run half.nn --input x=one.npy -o y.npz
"$nnc" half.nn -o half.so
cat >read.c <<'END'
#include "half.h"
#include <stdio.h>
int main(int count, char **words)
{
    static const float x[4] = {1, 2, 3, 4};
    half_params *params;
    half_session *session;
    (void)words;
    if (half_params_new(1, &params) || half_session_new(params, &session)) return 2;
    int status = half_forward(session, count, x, 0);
    if (status) fputs(half_message(), stderr);
    half_session_free(session);
    half_params_free(params);
    return status ? 1 : 0;
}
END
sanitized || {
    cc -std=c99 -Wall -Wextra -Werror -I. read.c ./half.so -o read
    ./read 2 || fail "the library refuses what holds"
    fails 1 'there is no place n // 2 - 1 on an axis of n (n is 1)' ./read
}
