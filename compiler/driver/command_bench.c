/* nnc bench: what forward, backward, update and step cost, on random inputs. */
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

#include "driver/commands.h"
#include "driver/flops.h"
#include "driver/peak.h"
#include "driver/values.h"
#include "support/vector.h"

enum { WARM_UP = 5, LEAST_RUNS = 15, MOST_RUNS = 100000 };
static const double seconds_each = 0.5;

typedef enum { FORWARD, BACKWARD, UPDATE, STEP, PARTS } Part;

typedef struct {
    Pipeline *pipeline;
    nn_session *session;
    Values values;
} Bench;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool run(Bench *b, Part part)
{
    const Pipeline *p = b->pipeline;
    const void *const *inputs = (const void *const *)b->values.at;
    switch (part) {
    case FORWARD:
        return !nn_session_forward(b->session, p->dims, p->n_dims, inputs, b->values.count, 1);
    case BACKWARD:
        return !nn_session_backward(b->session);
    case UPDATE:
        return !nn_session_update(b->session);
    default:
        return !nn_session_step(b->session, p->dims, p->n_dims, inputs, b->values.count, NULL);
    }
}

/* Medians in seconds of the parts from `first` to `last`, timed in turn; the first runs warm up and do not count. */
static bool measure(Bench *b, Part first, Part last, double *medians)
{
    double *times = malloc(PARTS * MOST_RUNS * sizeof *times);
    size_t count = 0;
    bool good = times != NULL;
    for (double end = now() + seconds_each; good && count < MOST_RUNS && (now() < end || count < LEAST_RUNS); count++)
        for (Part part = first; part <= last && good; part++) {
            double start = now();
            good = run(b, part);
            times[part * MOST_RUNS + count] = now() - start;
        }
    for (Part part = first; part <= last && good; part++) {
        double *own = times + part * MOST_RUNS + WARM_UP;
        qsort(own, count - WARM_UP, sizeof *own, by_value);
        medians[part] = own[(count - WARM_UP) / 2];
    }
    free(times);
    return good || pipeline_failed(b->pipeline, "running the model");
}

static void print(const Pipeline *pipeline, const double *medians, double flops, double peak)
{
    static const char *const names[PARTS] = {"forward_us", "backward_us", "update_us", "step_us"};
    if (!pipeline->options->json) {
        for (int p = 0; p < PARTS; p++) printf("%-12s %12.2f\n", names[p], medians[p] * 1e6);
        printf("%-12s %12.3f (%.0f %% of the measured peak of %.1f GFLOP/s)\n", "gflops", flops / medians[STEP] * 1e-9,
               flops / medians[STEP] * 1e-7 / peak, peak);
        return;
    }
    json_t *object = json_object();
    for (int p = 0; p < PARTS; p++) json_object_set_new(object, names[p], json_real(medians[p] * 1e6));
    json_object_set_new(object, "flops", json_real(flops));
    json_object_set_new(object, "peak_gflops", json_real(peak));
    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
}

static bool bench(Pipeline *pipeline, nn_params *params, nn_pool *pool)
{
    Bench b = {.pipeline = pipeline};
    double medians[PARTS];
    if (!sizes_choose(pipeline, sizes_batch(pipeline)) || !values_random(pipeline, pipeline_seed(pipeline), &b.values))
        return false;
    /* A schedule is at its beginning all along: there is no training that would come to an end. */
    double steps;
    if (!nn_params_setting(params, "steps", &steps) && !(steps >= 1)) nn_params_set_setting(params, "steps", 1e12);
    bool good = !nn_session_new(params, pool, &b.session) || pipeline_failed(pipeline, "making a session");
    good = good && measure(&b, FORWARD, UPDATE, medians) && measure(&b, STEP, STEP, medians);
    if (good) print(pipeline, medians, flops_count(pipeline), peak_gflops(nn_pool_threads(pool)));
    nn_session_free(b.session);
    values_free(&b.values);
    return good;
}

int command_BENCH(const Options *options)
{
    static const char *const programs[] = {"initialise", "training", "step", NULL};
    Pipeline pipeline = pipeline_start(options);
    bool good = false;
    if (pipeline_model(&pipeline, programs)) {
        nn_params *params = pipeline_params(&pipeline, NN_LOAD_ALL);
        nn_pool *pool = params ? pipeline_pool(&pipeline) : NULL;
        good = pool && bench(&pipeline, params, pool);
        nn_params_free(params);
        nn_pool_free(pool);
    }
    return pipeline_finish(&pipeline, good ? EXIT_OK : EXIT_USER);
}
