/* Random numbers: Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 * Every number is a function of where it stands, so neither threads, nor machines, nor the order of work change it:
 *
 *     key     = {low half of seed, high half of seed}
 *     counter = {low half of index, high half of index, stream, step}
 *     word    = the first of the four words of Philox 4x32-10
 *     uniform = (word >> 9) * 2^-23 + 2^-24, in the open interval (0, 1), exact in f32
 *
 * index   the element's row-major index in the whole (global) tensor: of a batch split among machines, row r of a
 *         machine that begins at row r0 counts as row r0 + r
 * stream  nn_random_stream(path, number): which draw it is
 * step    the training step, from 1; 0 when parameters are initialised
 *
 * An f64 tensor holds the same numbers, widened. */
#ifndef NN_RANDOM_H
#define NN_RANDOM_H

#include <stdint.h>

typedef struct {
    uint32_t word[4];
} nn_philox;

/* All four words of Philox 4x32-10. */
static inline nn_philox nn_philox_make(nn_philox counter, uint32_t key0, uint32_t key1)
{
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * counter.word[0];
        uint64_t p1 = (uint64_t)0xCD9E8D57u * counter.word[2];
        counter = (nn_philox){{(uint32_t)(p1 >> 32) ^ counter.word[1] ^ key0, (uint32_t)p1,
                               (uint32_t)(p0 >> 32) ^ counter.word[3] ^ key1, (uint32_t)p0}};
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return counter;
}

/* 32-bit FNV-1a of the path's bytes, then of the number's eight bytes, lowest first. */
static inline uint32_t nn_random_stream(const char *path, int64_t number)
{
    uint32_t hash = 2166136261u;
    for (; *path; path++) hash = (hash ^ (uint8_t)*path) * 16777619u;
    for (int i = 0; i < 8; i++) hash = (hash ^ (uint8_t)((uint64_t)number >> (8 * i))) * 16777619u;
    return hash;
}

static inline uint32_t nn_random_word(uint64_t seed, uint32_t stream, uint32_t step, uint64_t index)
{
    nn_philox counter = {{(uint32_t)index, (uint32_t)(index >> 32), stream, step}};
    return nn_philox_make(counter, (uint32_t)seed, (uint32_t)(seed >> 32)).word[0];
}

/* Uniform in (0, 1). */
static inline float nn_random_uniform(uint64_t seed, uint32_t stream, uint32_t step, uint64_t index)
{
    return (float)(nn_random_word(seed, stream, step, index) >> 9) * 0x1p-23f + 0x1p-24f;
}

#endif
