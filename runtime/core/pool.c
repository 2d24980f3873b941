/* The thread pool. Handing out a task must cost little against a microsecond, so workers that just worked spin for a
 * bounded time before they sleep. Each thread begins with its own share of the tasks (the same share in the next
 * launch, so that its data may still be in its cache) and then helps with the others'. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "core/internal.h"

enum { SPINS = 4000, YIELDS_AFTER = 200, MAX_THREADS = 512 };

/* The part of the tasks that one thread begins with; on a cache line of its own. */
typedef struct {
    _Alignas(64) atomic_llong next;
    int64_t end;
} Share;

typedef struct {
    nn_pool *pool;
    pthread_t thread;
    int index;
} Worker;

struct nn_pool {
    int threads;
    int started; /* workers that run */
    int spins;
    Worker *workers;
    Share *shares;
    void (*run)(void *data, int64_t begin, int64_t end, int thread);
    void *data;
    atomic_flag busy;
    _Alignas(64) atomic_uint epoch; /* one more for each parallel run */
    atomic_int open;                /* the run's tasks may be taken */
    atomic_int stop;
    _Alignas(64) atomic_int inside; /* workers that look at the run */
    atomic_int sleepers;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void take_tasks(nn_pool *pool, int thread)
{
    for (int i = 0; i < pool->threads; i++) {
        Share *share = &pool->shares[(thread + i) % pool->threads];
        int64_t end = share->end;
        /* Look before taking, so that idle threads do not fight for the line of a share that is used up. */
        while (atomic_load_explicit(&share->next, memory_order_relaxed) < end) {
            int64_t task = atomic_fetch_add(&share->next, 1);
            if (task < end) pool->run(pool->data, task, task + 1, thread);
        }
    }
}

static unsigned wait_for_run(nn_pool *pool, unsigned seen)
{
    for (int i = 0; i < pool->spins; i++) {
        unsigned epoch = atomic_load(&pool->epoch);
        if (epoch != seen) return epoch;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add(&pool->sleepers, 1);
    while (atomic_load(&pool->epoch) == seen) pthread_cond_wait(&pool->wake, &pool->mutex);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->mutex);
    return atomic_load(&pool->epoch);
}

static void *work(void *data)
{
    Worker *worker = data;
    nn_pool *pool = worker->pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_for_run(pool, seen);
        if (atomic_load(&pool->stop)) return NULL;
        /* First say that we look, then look: whoever closes the run waits for all that may still have seen it open. */
        atomic_fetch_add(&pool->inside, 1);
        if (atomic_load(&pool->open)) take_tasks(pool, worker->index);
        atomic_fetch_sub(&pool->inside, 1);
    }
}

static void announce(nn_pool *pool)
{
    atomic_fetch_add(&pool->epoch, 1);
    if (!atomic_load(&pool->sleepers)) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake);
    pthread_mutex_unlock(&pool->mutex);
}

static void run_parallel(nn_pool *pool, int64_t tasks)
{
    for (int i = 0; i < pool->threads; i++) {
        atomic_store(&pool->shares[i].next, tasks * i / pool->threads);
        pool->shares[i].end = tasks * (i + 1) / pool->threads;
    }
    atomic_store(&pool->open, 1);
    announce(pool);
    take_tasks(pool, 0);
    atomic_store(&pool->open, 0);
    for (int i = 0; atomic_load(&pool->inside); i++) {
        if (i < YIELDS_AFTER * pool->spins / SPINS)
            pause_briefly();
        else
            sched_yield();
    }
}

void nn_pool_run(nn_pool *pool, int64_t tasks, void (*run)(void *data, int64_t begin, int64_t end, int thread),
                 void *data)
{
    /* A pool that serves another session at the moment does not make this one wait. */
    bool parallel =
        pool && pool->started && tasks > 1 && tasks < INT64_MAX / MAX_THREADS && !atomic_flag_test_and_set(&pool->busy);
    if (!parallel) {
        run(data, 0, tasks, 0);
        return;
    }
    pool->run = run;
    pool->data = data;
    run_parallel(pool, tasks);
    atomic_flag_clear(&pool->busy);
}

static bool start_workers(nn_pool *pool)
{
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake, NULL);
    for (int i = 1; i < pool->threads; i++) {
        Worker *worker = &pool->workers[pool->started];
        *worker = (Worker){.pool = pool, .index = i};
        if (pthread_create(&worker->thread, NULL, work, worker)) return false;
        pool->started++;
    }
    return true;
}

int nn_pool_new(int threads, nn_pool **out)
{
    if (!out) return nn_fail(NN_ERROR_ARGUMENT, "there is no place for the pool (NULL)");
    *out = NULL;
    if (threads < 0 || threads > MAX_THREADS)
        return nn_fail(NN_ERROR_ARGUMENT, "%d threads: 1 to %d are possible, 0 means as many as there are cores",
                       threads, MAX_THREADS);
    int cores = nn_usable_cores();
    if (!threads) threads = cores < MAX_THREADS ? cores : MAX_THREADS;
    nn_pool *pool = aligned_alloc(64, (sizeof *pool + 63) / 64 * 64);
    if (!pool) return nn_fail(NN_ERROR_MEMORY, "no memory for a pool");
    *pool = (nn_pool){.threads = threads, .busy = ATOMIC_FLAG_INIT, .spins = threads > cores ? SPINS / 100 : SPINS};
    pool->workers = calloc((size_t)threads, sizeof *pool->workers);
    pool->shares = aligned_alloc(64, (size_t)threads * sizeof *pool->shares);
    if (!pool->workers || !pool->shares || !start_workers(pool)) {
        nn_pool_free(pool);
        return nn_fail(NN_ERROR_MEMORY, "cannot start %d threads", threads);
    }
    *out = pool;
    return NN_OK;
}

void nn_pool_free(nn_pool *pool)
{
    if (!pool) return;
    if (pool->workers && pool->shares) {
        atomic_store(&pool->stop, 1);
        announce(pool);
        for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
        pthread_mutex_destroy(&pool->mutex);
        pthread_cond_destroy(&pool->wake);
    }
    free(pool->workers);
    free(pool->shares);
    free(pool);
}

int nn_pool_threads(const nn_pool *pool)
{
    return pool ? pool->threads : 1;
}
