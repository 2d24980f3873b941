/* What is asked of the thread pool: as functions that a plain program can call too, since Criterion does not start
 * under the thread sanitizer. Each returns NULL or what is wrong. */
#ifndef TESTS_RUNTIME_THREADS_H
#define TESTS_RUNTIME_THREADS_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/internal.h"
#include "fixture.h"
#include "host/loader.h"

typedef struct {
    int64_t tasks;
    int *seen; /* how often each task was run; each has its own element, so no lock is needed */
    int threads;
} PoolJob;

static void count_task(void *data, int64_t begin, int64_t end, int thread)
{
    PoolJob *job = data;
    if (thread < 0 || thread >= job->threads) abort();
    for (int64_t i = begin; i < end; i++) job->seen[i]++;
}

static const char *run_jobs(nn_pool *pool, int rounds)
{
    int seen[300];
    for (int round = 0; round < rounds; round++) {
        PoolJob job = {round % 300, seen, nn_pool_threads(pool)};
        memset(seen, 0, sizeof seen);
        nn_pool_run(pool, job.tasks, count_task, &job);
        for (int64_t i = 0; i < job.tasks; i++)
            if (seen[i] != 1) return "a task was not run once";
    }
    return NULL;
}

static inline const char *each_task_runs_once(void)
{
    for (int threads = 1; threads <= 6; threads++) {
        nn_pool *pool;
        if (nn_pool_new(threads, &pool)) return nn_message();
        const char *wrong = run_jobs(pool, 2000);
        usleep(5000); /* long enough for workers to sleep */
        if (!wrong) wrong = run_jobs(pool, 50);
        nn_pool_free(pool);
        if (wrong) return wrong;
    }
    return NULL;
}

static void *run_many(void *data)
{
    return (void *)(uintptr_t)run_jobs(data, 2000);
}

/* Two threads use one pool at the same time: one of them gets it, the other works alone. */
static inline const char *a_busy_pool_stops_nobody(void)
{
    nn_pool *pool;
    pthread_t other;
    void *wrong;
    if (nn_pool_new(3, &pool)) return nn_message();
    if (pthread_create(&other, NULL, run_many, pool)) return "no thread";
    const char *mine = run_jobs(pool, 2000);
    pthread_join(other, &wrong);
    nn_pool_free(pool);
    return mine ? mine : wrong;
}

enum { MANY = 40000 };

/* The sum of squares of y after some steps: the same bits for every number of threads. */
static int train_with(int threads, float *w, float *y)
{
    static float x[3 * MANY], t[MANY];
    static int32_t k[MANY];
    for (int i = 0; i < 3 * MANY; i++) x[i] = (float)(i * 7 % 13) / 13;
    const int64_t batch[] = {MANY};
    const void *const inputs[] = {x, t, k};
    nn_pool *pool = NULL;
    nn_params *params = NULL;
    nn_session *session = NULL;
    int status = nn_pool_new(threads, &pool);
    if (!status) status = nn_params_from_image(&fixture_image, NULL, 0, 3, &params);
    if (!status) status = nn_session_new(params, pool, &session);
    for (int i = 0; i < 5 && !status; i++) status = nn_session_step(session, batch, 1, inputs, 3, NULL);
    if (!status) status = nn_params_get(params, "w", NN_TYPE_F32, w, 3);
    if (!status) status = nn_session_get(session, "y", NN_TYPE_F32, y, MANY);
    nn_session_free(session);
    nn_params_free(params);
    nn_pool_free(pool);
    return status;
}

static inline const char *threads_change_no_bit(void)
{
    static float first[MANY], y[MANY];
    float w1[3], w[3];
    if (train_with(1, w1, first)) return nn_message();
    for (int threads = 2; threads <= 4; threads++) {
        if (train_with(threads, w, y)) return nn_message();
        if (memcmp(w, w1, sizeof w) || memcmp(y, first, sizeof y)) return "more threads gave other bits";
    }
    return NULL;
}

typedef struct {
    nn_params *params;
    const char *wrong;
} Caller;

static void *infer(void *data)
{
    Caller *caller = data;
    nn_session *session;
    const int64_t batch[] = {ROWS};
    const void *const inputs[] = {rows_x, rows_t, rows_k};
    float loss;
    if (nn_session_new(caller->params, NULL, &session)) caller->wrong = "no session";
    for (int i = 0; i < 200 && !caller->wrong; i++) {
        if (nn_session_forward(session, batch, 1, inputs, 3, 0))
            caller->wrong = "forward failed";
        else if (nn_session_get(session, "loss", NN_TYPE_F32, &loss, 1))
            caller->wrong = "no loss";
    }
    nn_session_free(session);
    return NULL;
}

static inline const char *sessions_share_parameters(void)
{
    nn_params *params;
    pthread_t threads[4];
    Caller callers[4];
    if (nn_params_from_image(&fixture_image, NULL, 0, 3, &params)) return nn_message();
    for (int i = 0; i < 4; i++) {
        callers[i] = (Caller){params, NULL};
        if (pthread_create(&threads[i], NULL, infer, &callers[i])) return "no thread";
    }
    const char *wrong = NULL;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        if (callers[i].wrong) wrong = callers[i].wrong;
    }
    nn_params_free(params);
    return wrong;
}

/* The loader's thread fills batches while they are used. */
static inline const char *reading_goes_ahead(void)
{
    static uint8_t pixels[500][3];
    const int64_t three[] = {3};
    nn_source *source;
    nn_params *params;
    nn_session *session;
    nn_loader *loader;
    const nn_batch *batch;
    if (nn_source_literal(NN_TYPE_U8, 500, 1, three, pixels, &source)) return nn_message();
    if (nn_params_from_image(&fixture_image, NULL, 0, 3, &params)) return nn_message();
    if (nn_session_new(params, NULL, &session)) return nn_message();
    const nn_feed feed[] = {{"pixels", source, 0}};
    const nn_split split = {"data.train", feed, 1, 0, 500};
    const nn_loader_options options = {.params = params, .split = &split, .batch = 64, .shuffle = true, .batches = 100};
    const char *wrong = nn_loader_new(&options, &loader) ? nn_message() : NULL;
    static const float t[64];
    for (int i = 0; i < 50 && !wrong; i++) {
        if (nn_loader_next(loader, &batch)) wrong = "no batch";
        const void *const inputs[] = {wrong ? NULL : batch->inputs[0], t, NULL};
        if (!wrong && nn_session_step(session, batch->dims, 1, inputs, 3, NULL)) wrong = nn_message();
    }
    nn_loader_free(loader); /* in the middle of its work */
    nn_session_free(session);
    nn_params_free(params);
    nn_source_free(source);
    return wrong;
}

#endif
