#include "host/loader.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/feed.h"
#include "nn_random.h"

/* One batch is in use; the others are ahead. The thread sleeps until most are used up, so that it wakes seldom. */
enum { AHEAD = 4, LOW = 1 };

typedef struct {
    nn_feeder *feeder;
    nn_batch batch;
    int status;
    char message[512];
} Ring;

struct nn_loader {
    nn_loader_options options;
    nn_split split;
    int64_t batch;      /* rows */
    uint64_t per_epoch; /* batches */
    int64_t *order;
    uint64_t order_epoch;
    Ring ring[AHEAD];
    pthread_t thread;
    bool running;
    pthread_mutex_t mutex;
    pthread_cond_t filled_some, freed_some;
    uint64_t total, filled, freed; /* batches */
    bool holding;                  /* the caller has a batch */
    bool stop;
};

void nn_split_part(nn_split *split, int64_t rows, double from, double to)
{
    int64_t first = (int64_t)(from * (double)rows + 0.5), end = (int64_t)(to * (double)rows + 0.5);
    if (first < 0) first = 0;
    if (end > rows) end = rows;
    split->first = first;
    split->rows = end > first ? end - first : 0;
}

__extension__ typedef unsigned __int128 Wide;

void nn_shuffle(int64_t *order, int64_t count, uint64_t seed, uint64_t epoch)
{
    uint32_t stream = nn_random_stream("epoch", 0);
    for (int64_t i = 0; i < count; i++) order[i] = i;
    for (int64_t i = count - 1; i > 0; i--) {
        nn_philox counter = {{(uint32_t)i, (uint32_t)((uint64_t)i >> 32), stream, (uint32_t)epoch}};
        nn_philox drawn = nn_philox_make(counter, (uint32_t)seed, (uint32_t)(seed >> 32));
        uint64_t word = (uint64_t)drawn.word[0] << 32 | drawn.word[1];
        int64_t j = (int64_t)((Wide)word * (uint64_t)(i + 1) >> 64);
        int64_t row = order[i];
        order[i] = order[j];
        order[j] = row;
    }
}

/* ---- The thread ---- */

static void set_order(nn_loader *loader, uint64_t epoch)
{
    if (epoch == loader->order_epoch) return;
    loader->order_epoch = epoch;
    if (loader->options.shuffle)
        nn_shuffle(loader->order, loader->split.rows, loader->options.seed, epoch);
    else
        for (int64_t i = 0; i < loader->split.rows; i++) loader->order[i] = i;
    for (int64_t i = 0; i < loader->split.rows; i++) loader->order[i] += loader->split.first;
}

static void fill(nn_loader *loader, Ring *ring, uint64_t number)
{
    uint64_t epoch = number / loader->per_epoch;
    int64_t begin = (int64_t)(number % loader->per_epoch) * loader->batch;
    int64_t rows = loader->split.rows - begin < loader->batch ? loader->split.rows - begin : loader->batch;
    set_order(loader, epoch);
    ring->status = nn_feeder_fill(ring->feeder, loader->order + begin, rows, &ring->batch);
    if (ring->status) snprintf(ring->message, sizeof ring->message, "%s", nn_message());
    ring->batch.epoch = epoch;
    ring->batch.last = begin + rows == loader->split.rows;
}

static void *work(void *data)
{
    nn_loader *loader = data;
    pthread_mutex_lock(&loader->mutex);
    while (!loader->stop && loader->filled < loader->total) {
        if (loader->filled - loader->freed == AHEAD) {
            while (!loader->stop && loader->filled - loader->freed > LOW)
                pthread_cond_wait(&loader->freed_some, &loader->mutex);
            continue;
        }
        uint64_t next = loader->filled;
        pthread_mutex_unlock(&loader->mutex);
        fill(loader, &loader->ring[next % AHEAD], loader->options.first_step + next);
        pthread_mutex_lock(&loader->mutex);
        loader->filled++;
        pthread_cond_signal(&loader->filled_some);
        if (loader->ring[next % AHEAD].status) break;
    }
    pthread_mutex_unlock(&loader->mutex);
    return NULL;
}

/* ---- The caller ---- */

static int check_options(const nn_loader_options *options)
{
    const nn_split *split = options->split;
    if (split->rows < 1) return nn_fail(NN_ERROR_ARGUMENT, "the data has no rows");
    if (options->batch < 0) return nn_fail(NN_ERROR_ARGUMENT, "a batch of %lld rows", (long long)options->batch);
    for (size_t i = 0; i < split->n_feeds; i++)
        if (split->first < 0 || split->rows > nn_source_rows(split->feeds[i].source) - split->first)
            return nn_fail(NN_ERROR_ARGUMENT, "%s has %lld rows, the split needs %lld", split->feeds[i].input,
                           (long long)nn_source_rows(split->feeds[i].source), (long long)(split->first + split->rows));
    return NN_OK;
}

int nn_loader_new(const nn_loader_options *options, nn_loader **out)
{
    *out = NULL;
    int status = check_options(options);
    if (status) return status;
    nn_loader *loader = calloc(1, sizeof *loader);
    if (!loader) return nn_fail(NN_ERROR_MEMORY, "no memory for a loader");
    loader->options = *options;
    loader->split = *options->split;
    loader->options.split = &loader->split;
    int64_t rows = loader->split.rows;
    loader->batch = options->batch && options->batch < rows ? options->batch : rows;
    loader->per_epoch = (uint64_t)((rows + loader->batch - 1) / loader->batch);
    loader->total = options->batches ? options->batches : loader->per_epoch - options->first_step % loader->per_epoch;
    loader->order = malloc((size_t)rows * sizeof *loader->order);
    loader->order_epoch = UINT64_MAX;
    pthread_mutex_init(&loader->mutex, NULL);
    pthread_cond_init(&loader->filled_some, NULL);
    pthread_cond_init(&loader->freed_some, NULL);
    if (!loader->order) status = nn_fail(NN_ERROR_MEMORY, "no memory for the order of %lld rows", (long long)rows);
    uint64_t slots = loader->total < AHEAD ? loader->total : AHEAD;
    for (uint64_t i = 0; i < slots && !status; i++)
        status = nn_feeder_new(&loader->options, loader->batch, &loader->ring[i].feeder);
    if (!status && pthread_create(&loader->thread, NULL, work, loader))
        status = nn_fail(NN_ERROR_MEMORY, "cannot start the thread that reads data");
    loader->running = !status;
    if (status)
        nn_loader_free(loader);
    else
        *out = loader;
    return status;
}

int nn_loader_next(nn_loader *loader, const nn_batch **batch)
{
    *batch = NULL;
    pthread_mutex_lock(&loader->mutex);
    if (loader->holding) {
        loader->freed++;
        loader->holding = false;
        if (loader->filled - loader->freed <= LOW) pthread_cond_signal(&loader->freed_some);
    }
    uint64_t next = loader->freed;
    bool done = next == loader->total;
    while (!done && loader->filled == next) pthread_cond_wait(&loader->filled_some, &loader->mutex);
    pthread_mutex_unlock(&loader->mutex);
    if (done) return NN_OK;
    const Ring *ring = &loader->ring[next % AHEAD];
    if (ring->status) return nn_fail((nn_status)ring->status, "%s", ring->message);
    loader->holding = true;
    *batch = &ring->batch;
    return NN_OK;
}

void nn_loader_free(nn_loader *loader)
{
    if (!loader) return;
    if (loader->running) {
        pthread_mutex_lock(&loader->mutex);
        loader->stop = true;
        pthread_cond_signal(&loader->freed_some);
        pthread_mutex_unlock(&loader->mutex);
        pthread_join(loader->thread, NULL);
    }
    pthread_mutex_destroy(&loader->mutex);
    pthread_cond_destroy(&loader->filled_some);
    pthread_cond_destroy(&loader->freed_some);
    for (int i = 0; i < AHEAD; i++) nn_feeder_free(loader->ring[i].feeder);
    free(loader->order);
    free(loader);
}
