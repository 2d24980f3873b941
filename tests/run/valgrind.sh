# Every command under memcheck: no access outside of what is allocated, nothing read before it is written, nothing that
# the program has lost hold of. The code that the JIT makes is under it as well, for the processor that valgrind plays.
. "$(dirname "$0")/lib.sh"
command -v valgrind >/dev/null || skip "there is no valgrind here"
if sanitized; then skip "this build has sanitizers, which valgrind does not go with"; fi
rm -rf work && cp -r "$examples" work && cd work

# clean STATUS [ARGUMENT...]: nnc exits with the status and memcheck has nothing to say
clean() {
    wanted=$1 got=0; shift
    valgrind -q --error-exitcode=99 --num-callers=30 --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite --log-file=memcheck.txt "$nnc" "$@" >out.txt 2>err.txt || got=$?
    [ ! -s memcheck.txt ] || fail "nnc $*: $(cat memcheck.txt)"
    [ "$got" = "$wanted" ] || fail "nnc $* exited with $got instead of $wanted: $(cat err.txt)"
}

# A program that does all three shows that they are seen.
cat >bad.c <<'END'
#include <stdlib.h>
int main(void)
{
    volatile char *p = malloc(8), *volatile lost = malloc(8);
    int status = p[0] ? p[8] : p[9];
    lost = NULL;
    free((void *)p);
    return lost ? status : 0;
}
END
cc -g -O0 bad.c -o bad
mistakes=$(nnc=./bad; (clean 0) 2>&1) && fail "memcheck sees nothing"
for mistake in 'depends on uninitialised' 'Invalid read' 'definitely lost'; do
    case $mistakes in *"$mistake"*) ;; *) fail "memcheck does not see: $mistake" ;; esac
done

# What has parameters drawn at random, a state, a random mask and integers as input.
cat >small.nn <<'END'
model small {
    input word: i32[batch, 3] in 7
    target kind: i32[batch] in 3
    mixed = mean(word |> embedding(5), axis = 1) |> dense(8) |> batch_norm |> relu |> dropout(0.1)
    logits = mixed |> residual(dense(8) |> tanh) |> layer_norm |> dense(3)
    output probability = softmax(logits)
    loss = cross_entropy(logits, kind)
    metric accuracy = accuracy(logits, kind)
}
END
for out in so a o h ll s nng nnk dot; do clean 0 regression.nn -o regression.$out; done
clean 0 spirals.nn --cpu x86-64-v2 -o spirals.so
clean 0 train regression.nn --steps 20 -o regression.safetensors --log log.csv
clean 0 eval regression.nn --weights regression.safetensors
clean 0 train spirals.nn --steps 3 --threads 2 --cpu x86-64-v3 -o spirals.safetensors
clean 0 check small.nn
{ # three incomes as a .npy: magic, version, length of the header, header of 118 bytes, 0.5, 1 and 2
    printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"
    printf '\000\000\000\077\000\000\200\077\000\000\000\100'
} >income.npy
clean 0 run regression.nn --weights regression.safetensors --input income=income.npy -o out.npz
clean 0 check regression.nn
clean 0 grad logistic.nn --of L --wrt x0
clean 0 grad logistic.nn --of L --wrt x0 --latex
clean 0 bench regression.nn --batch 8
clean 0 graph deep.nn -o deep.dot
clean 0 fmt custom.nn
for pass in fold simplify differentiate expand dead; do clean 0 opt --pass=$pass regression.nng; done
for session in lecture values; do clean 0 repl <"$2/tests/golden/repl/$session.in"; done

# Users' mistakes: what is half made is given back as well.
printf 'model m {\n    input x: f32[batch, 2]\n    y = x @ x + nosuch(1)\n    output z\n' >syntax.nn
printf 'model m {\n    input x: f32[batch, 2]\n    output y = x @ [[1.0, 2.0, 3.0]]\n    loss = y\n}\n' >shape.nn
for mistake in syntax shape; do
    for command in check fmt; do
        [ $mistake.$command = shape.fmt ] || clean 1 $command $mistake.nn
    done
    clean 1 $mistake.nn -o wrong.so
    clean 1 train $mistake.nn
    clean 1 repl $mistake.nn </dev/null
done
for session in formulas mistakes; do clean 1 repl <"$2/tests/golden/repl/$session.in"; done
