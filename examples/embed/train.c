/* Learning inside a C program, with spirals.so and the C library alone: draws three spirals, trains the network of
 * spirals.nn on them, and says how well it tells new points apart.
 *
 *     nnc spirals.nn -o spirals.so
 *     cc -std=c99 train.c ./spirals.so -lm -o train && ./train
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "spirals.h"

enum { ARMS = 3, BATCH = 64, STEPS = 1500, TESTS = 600 };

static float random_unit(void)
{
    return (float)rand() / (float)RAND_MAX;
}

/* A point at distance r on an arm that makes three quarters of a turn, with a little noise. */
static void draw(float *point, int32_t *arm)
{
    *arm = rand() % ARMS;
    float r = random_unit();
    float angle = 2 * 3.14159265f * (0.75f * r + (float)*arm / ARMS) + 0.1f * (random_unit() - 0.5f);
    point[0] = r * cosf(angle);
    point[1] = r * sinf(angle);
}

/* Any call that does not return 0 has left a message. */
static void check(int status)
{
    if (status == 0) return;
    fprintf(stderr, "spirals: %s\n", spirals_message());
    exit(1);
}

int main(void)
{
    static float points[TESTS][2], probability[TESTS][ARMS];
    static int32_t arms[TESTS];
    spirals_params *params;
    spirals_session *session;
    check(spirals_params_new(1, &params));
    check(spirals_session_new(params, &session));
    check(spirals_set(params, "lr", 0.01));

    srand(1);
    for (int step = 1; step <= STEPS; step++) {
        float loss;
        for (int i = 0; i < BATCH; i++) draw(points[i], &arms[i]);
        check(spirals_step(session, BATCH, points[0], arms, &loss));
        if (step % 300 == 0) printf("step %4d  loss %.3f\n", step, loss);
    }

    for (int i = 0; i < TESTS; i++) draw(points[i], &arms[i]);
    check(spirals_forward(session, TESTS, points[0], NULL, 0));
    check(spirals_get(session, "probability", probability[0], TESTS * ARMS));
    int right = 0;
    for (int i = 0; i < TESTS; i++) {
        int best = 0;
        for (int arm = 1; arm < ARMS; arm++)
            if (probability[i][arm] > probability[i][best]) best = arm;
        right += best == arms[i];
    }
    printf("%d of %d new points right\n", right, TESTS);

    spirals_session_free(session);
    spirals_params_free(params);
    return right > TESTS * 8 / 10 ? 0 : 1;
}
