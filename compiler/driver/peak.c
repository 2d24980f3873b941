#include "driver/peak.h"

#include <pthread.h>
#include <time.h>

enum { ROUNDS = 200000, RUNS = 7, MAX_THREADS = 256, CHAINS = 12 };

/* One multiply-add on each of the independent chains, which hide its latency. The empty asm keeps each in a register.
 */
#define CHAIN(i)                                                                                                       \
    v##i = v##i * b + a;                                                                                               \
    __asm__ volatile("" : "+v"(v##i));
#define EACH_CHAIN                                                                                                     \
    CHAIN(0) CHAIN(1) CHAIN(2) CHAIN(3) CHAIN(4) CHAIN(5) CHAIN(6) CHAIN(7) CHAIN(8) CHAIN(9) CHAIN(10) CHAIN(11)

#define DEFINE_LOOP(name, features, lanes)                                                                             \
    typedef float name##_vector __attribute__((vector_size(lanes * sizeof(float))));                                   \
    __attribute__((target(features), noinline)) static float name(float seed)                                          \
    {                                                                                                                  \
        name##_vector a = (name##_vector){0} + seed, b = (name##_vector){0} + 0.999f;                                  \
        name##_vector v0 = a, v1 = a, v2 = a, v3 = a, v4 = a, v5 = a, v6 = a, v7 = a, v8 = a, v9 = a, v10 = a,         \
                      v11 = a;                                                                                         \
        for (int r = 0; r < ROUNDS; r++) {                                                                             \
            EACH_CHAIN                                                                                                 \
        }                                                                                                              \
        name##_vector total = v0 + v1 + v2 + v3 + v4 + v5 + v6 + v7 + v8 + v9 + v10 + v11;                             \
        return total[0];                                                                                               \
    }

#pragma GCC push_options
#pragma GCC optimize("O3", "fp-contract=fast")
#if defined(__x86_64__)
DEFINE_LOOP(loop_512, "avx512f,fma,prefer-vector-width=512", 16)
DEFINE_LOOP(loop_256, "avx2,fma", 8)
#endif
DEFINE_LOOP(loop_128, "sse2", 4)
#pragma GCC pop_options

/* The widest loop of this CPU. */
static float (*choose(int *lanes))(float)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return *lanes = 16, loop_512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return *lanes = 8, loop_256;
#endif
    return *lanes = 4, loop_128;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *measure(void *result)
{
    int lanes;
    float (*loop)(float) = choose(&lanes);
    double best = 1e9;
    volatile float sink = 0.5f;
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        sink = loop(sink > 1 ? 0.5f : 0.25f);
        double seconds = now() - start;
        if (seconds < best) best = seconds;
    }
    *(double *)result = 2.0 * lanes * CHAINS * ROUNDS / best * 1e-9;
    return (void *)0;
}

double peak_gflops(int threads)
{
    pthread_t workers[MAX_THREADS];
    double results[MAX_THREADS], total = 0;
    if (threads < 1) threads = 1;
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    int started = 0;
    while (started < threads - 1 && !pthread_create(&workers[started], (void *)0, measure, &results[started]))
        started++;
    measure(&results[started]);
    for (int i = 0; i < started; i++) pthread_join(workers[i], (void *)0);
    for (int i = 0; i <= started; i++) total += results[i];
    return total;
}
