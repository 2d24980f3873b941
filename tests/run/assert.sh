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
# A setting is asked when it is set: by the command line, in a session, by a program; its default when compiled.
cat >rate.nn <<'END'
model rate {
    input x: f32[batch, 4]
    input r: f32 = 0.5
    input share: f32 = 0.25
    target t: f32[batch]
    assert r + share < 1.5, "too much of both"
    assert not (batch > 100 * share), "too many rows"
    output y = (x |> dense(3) |> dropout(r) |> dense(1))[:, 0]
    loss = mse(y, share * t)
}
data train {
    x = [[0, 1, 2, 3], [3, 2, 1, 0]]
    t = [1, 0]
}
train rate { optimizer = sgd(lr = 0.1); clip_norm = 1; epochs = 1 }
END
"$nnc" train rate.nn --set r=0 --quiet && "$nnc" train rate.nn --set r=1 --quiet || fail "the ends of a domain"
fails 1 'rate >= 0 and rate <= 1 (rate is -1)' "$nnc" train rate.nn --set r=-1 --quiet
fails 1 'too much of both (share is 0.25, r is nan)' "$nnc" train rate.nn --set r=nan --quiet
fails 1 'too many rows (share is 0.01, batch is 2)' "$nnc" train rate.nn --set share=0.01 --quiet
fails 1 '`sgd` wants `lr >= 0`, but `lr` is -1' "$nnc" train rate.nn --set lr=-1 --quiet
fails 1 'clip_norm is positive' "$nnc" train rate.nn --set clip_norm=0 --quiet
{ cat rate.nn && printf ':set r=-1\n:set r=0.75\n:set share=0.9\n:set lr=-1\n:set\n'; } >typed
("$nnc" repl <typed >said 2>&1) || true
for text in 'rate >= 0 and rate <= 1 (r is -1)' 'too much of both (r is 0.75, share is 0.9)' 'lr >= 0 (lr is -1)'; do
    grep -qF "$text" said || fail "a session should say \"$text\": $(cat said)"
done
grep -q '^r  *0.75$' said && grep -q '^share  *0.25$' said || fail "a refused setting has changed: $(cat said)"
"$nnc" rate.nn -o rate.so
cat >set.c <<'END'
#include "rate.h"
#include <stdio.h>
#include <stdlib.h>
int main(int count, char **words)
{
    static const float x[4 * 40];
    rate_params *params;
    rate_session *session;
    if (rate_params_new(1, &params) || rate_session_new(params, &session)) return 2;
    int status = count > 2 ? rate_set(params, words[1], atof(words[2])) : 0;
    if (!status) status = rate_forward(session, count > 3 ? atoi(words[3]) : 2, x, NULL, 0);
    if (status) fprintf(stderr, "%s\n", rate_message());
    rate_session_free(session);
    rate_params_free(params);
    return status ? 1 : 0;
}
END
sanitized || {
    cc -std=c99 -Wall -Wextra -Werror -I. set.c ./rate.so -o set
    ./set r 1 && ./set share 0.25 25 || fail "the library refuses what holds"
    fails 1 'rate >= 0 and rate <= 1 (r is -1)' ./set r -1
    fails 1 'too much of both (r is 0.5, share is 1)' ./set share 1
    fails 1 'lr >= 0 (lr is -1)' ./set lr -1
    fails 1 'clip_norm is positive (clip_norm is -1)' ./set clip_norm -1
    fails 1 'too many rows (share is 0.25, batch is 30)' ./set share 0.25 30
}
# Without training nothing is asked of the optimizer, nor of what only training reads.
"$nnc" rate.nn --inference -o lean.so

# What may be negative is refused on entry, where it stands.
printf 'model frame {\n input x: f32[n]\n output y = pad(x, [[4 - n, 0]])\n}\n' >frame.nn
"$nnc" run frame.nn --input x=three.npy -o y.npz
fails 1 'the width of a pad is negative: -n + 4 (n is 8)' "$nnc" run frame.nn --input x=eight.npy -o y.npz
printf 'model joined {\n input x: f32[n]\n output y = concat(x, zeros([4 - n]))\n}\n' >joined.nn
"$nnc" run joined.nn --input x=three.npy -o y.npz
fails 1 'a size is negative: -n + 4 (n is 8)' "$nnc" run joined.nn --input x=eight.npy -o y.npz
printf 'model place {\n input x: f32[n]\n output y = x[max(n, 3) - 1]\n}\n' >place.nn
"$nnc" run place.nn --input x=three.npy -o y.npz
fails 1 'there is no place max(n, 3) - 1 on an axis of n (n is 1)' "$nnc" run place.nn --input x=one.npy -o y.npz

# A setting is asked in the arithmetic of its type, now and when it is set.
for rule in 'f64 = 1.0; assert r // 0.1 == 9' 'f32 = 1.0; assert r // 0.1 == 9' 'f32 = 0.1; assert r * 3 == 0.3' \
    'f64 = 0.1; assert not (r * 3 == 0.3)' 'f32 = -3.0; assert r % 7.5 == 4.5'; do
    printf 'model m { input x: f32[n]; input r: %s; output y = x * f32(r) }\n' "$rule" >rule.nn
    "$nnc" run rule.nn --input x=three.npy -o y.npz || fail "$rule"
done
