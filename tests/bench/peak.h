/* This machine's multiply-add peak on one core, and the clock that benchmarks measure with. */
#ifndef TESTS_BENCH_PEAK_H
#define TESTS_BENCH_PEAK_H

#include <math.h>
#include <stdbool.h>
#include <time.h>

#if defined __x86_64__
#include <immintrin.h>
#endif

/* Seconds on the processor: these machines are shared. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined __x86_64__
__attribute__((target("avx512f"))) static float fma_512(long rounds)
{
    __m512 sums[12], x = _mm512_set1_ps(0.999999f), y = _mm512_set1_ps(1e-7f);
    for (int i = 0; i < 12; i++) sums[i] = _mm512_set1_ps((float)i);
    for (long r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++) sums[i] = _mm512_fmadd_ps(sums[i], x, y);
    for (int i = 1; i < 12; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
    return _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) static float fma_256(long rounds)
{
    __m256 sums[12], x = _mm256_set1_ps(0.999999f), y = _mm256_set1_ps(1e-7f);
    for (int i = 0; i < 12; i++) sums[i] = _mm256_set1_ps((float)i);
    for (long r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++) sums[i] = _mm256_fmadd_ps(sums[i], x, y);
    for (int i = 1; i < 12; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
    return _mm256_cvtss_f32(sums[0]);
}

/* Operations per second of independent fused multiply-adds in registers; 0 when the machine has none. The best of short
 * runs, since a longer one seldom has the processor for itself. */
static double peak_measure(void)
{
    bool wide = __builtin_cpu_supports("avx512f");
    if (!wide && !__builtin_cpu_supports("fma")) return 0;
    enum { ROUNDS = 100000, RUNS = 10 };
    double best = INFINITY;
    for (int i = 0; i < RUNS; i++) {
        volatile float sink;
        double start = now();
        sink = wide ? fma_512(ROUNDS) : fma_256(ROUNDS);
        (void)sink;
        best = fmin(best, now() - start);
    }
    return 2.0 * 12 * (wide ? 16 : 8) * ROUNDS / best;
}
#else
static double peak_measure(void)
{
    return 0;
}
#endif

#endif
