/* A program that never stops learning: each line of its input is a sample, `x0 x1 y`. It first predicts, then is told,
 * and learns from that one sample. What it knows is saved now and then and at the end, and is where it goes on the next
 * time.
 *
 *     nnc logistic.nn -o logistic.so
 *     cc -std=c99 online.c ./logistic.so -o online
 *     awk 'BEGIN { while (i++ < 2000) { a = rand(); b = rand(); print a, b, (a + b > 0.8) } }' |
 *         ./online learned.safetensors */
#include <stdio.h>
#include <stdlib.h>

#include "logistic.h"

enum { SAVE_EVERY = 500, REPORT_EVERY = 500 };

static void check(int status)
{
    if (status == 0) return;
    fprintf(stderr, "online: %s\n", logistic_message());
    exit(1);
}

static int exists(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

/* What the model says before it learns from the sample: was it right? */
static int learn(logistic_session *session, float x0, float x1, float y, float *loss)
{
    float p;
    check(logistic_forward(session, 1, &x0, &x1, NULL, 0));
    check(logistic_get(session, "L", &p, 1));
    check(logistic_step(session, 1, &x0, &x1, &y, loss));
    return (p > 0.5f) == (y > 0.5f);
}

int main(int argc, char **argv)
{
    logistic_params *params;
    logistic_session *session;
    if (argc != 2) {
        fprintf(stderr, "usage: online WEIGHTS <SAMPLES\n");
        return 2;
    }
    check(logistic_params_new(1, &params));
    if (exists(argv[1])) {
        check(logistic_params_load(params, argv[1]));
        printf("going on from %s\n", argv[1]);
    }
    check(logistic_session_new(params, &session));

    float x0, x1, y, loss, sum = 0;
    long seen = 0, right = 0;
    while (scanf("%f %f %f", &x0, &x1, &y) == 3) {
        right += learn(session, x0, x1, y, &loss);
        sum += loss;
        seen++;
        if (seen % SAVE_EVERY == 0) check(logistic_params_save(params, argv[1]));
        if (seen % REPORT_EVERY) continue;
        printf("%6ld samples  loss %.3f  %.1f %% right\n", seen, sum / REPORT_EVERY,
               100.0 * (double)right / REPORT_EVERY);
        right = 0;
        sum = 0;
    }
    check(logistic_params_save(params, argv[1]));
    logistic_session_free(session);
    logistic_params_free(params);
    return feof(stdin) ? 0 : 1;
}
