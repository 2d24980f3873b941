#include "core/cpu.h"

#include <stddef.h>
#include <string.h>

#if defined __x86_64__
#include <cpuid.h>
#endif

enum { LEVEL_FIRST = 1, LEVEL_LAST = 4 };

/* Bits by their names in the manuals of AMD and Intel. */
enum {
    SSE3 = 1 << 0,
    SSSE3 = 1 << 9,
    FMA = 1 << 12,
    CX16 = 1 << 13,
    SSE41 = 1 << 19,
    SSE42 = 1 << 20,
    MOVBE = 1 << 22,
    POPCNT = 1 << 23,
    OSXSAVE = 1 << 27,
    AVX = 1 << 28,
    F16C = 1 << 29, /* leaf 1, ecx */
    LAHF = 1 << 0,
    LZCNT = 1 << 5, /* leaf 0x80000001, ecx */
    KEPT_AVX = 0x06,
    KEPT_AVX512 = 0xe6 /* xcr0 */
};
#define BMI1 (UINT32_C(1) << 3) /* leaf 7, ebx */
#define AVX2 (UINT32_C(1) << 5)
#define BMI2 (UINT32_C(1) << 8)
#define AVX512F (UINT32_C(1) << 16)
#define AVX512DQ (UINT32_C(1) << 17)
#define AVX512CD (UINT32_C(1) << 28)
#define AVX512BW (UINT32_C(1) << 30)
#define AVX512VL (UINT32_C(1) << 31)

/* What each level has beside the one before it. */
static const nn_cpu_registers levels[] = {
    [2] = {SSE3 | SSSE3 | CX16 | SSE41 | SSE42 | POPCNT, 0, LAHF, 0},
    [3] = {FMA | MOVBE | OSXSAVE | AVX | F16C, BMI1 | AVX2 | BMI2, LZCNT, KEPT_AVX},
    [4] = {0, AVX512F | AVX512DQ | AVX512CD | AVX512BW | AVX512VL, 0, KEPT_AVX512},
};

nn_cpu_registers nn_cpu_read(void)
{
    nn_cpu_registers registers = {0};
#if defined __x86_64__
    uint32_t a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d)) registers.ecx1 = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) registers.ebx7 = b;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) registers.ecx_extended = c;
    if (registers.ecx1 & OSXSAVE) { /* else xgetbv is no instruction */
        uint32_t low, high;
        __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        registers.kept = (uint64_t)high << 32 | low;
    }
#endif
    return registers;
}

int nn_cpu_level(const nn_cpu_registers *has)
{
    int level = LEVEL_FIRST;
    while (level < LEVEL_LAST) {
        const nn_cpu_registers *needs = &levels[level + 1];
        bool reached = (has->ecx1 & needs->ecx1) == needs->ecx1 && (has->ebx7 & needs->ebx7) == needs->ebx7 &&
                       (has->ecx_extended & needs->ecx_extended) == needs->ecx_extended &&
                       (has->kept & needs->kept) == needs->kept;
        if (!reached) break;
        level++;
    }
    return level;
}

bool nn_cpu_runs(const char *cpu)
{
    static const char family[] = "x86-64-v";
    size_t length = sizeof family - 1;
    if (strncmp(cpu, family, length) || cpu[length] < '1' || cpu[length] > '9' || cpu[length + 1]) return true;
    nn_cpu_registers registers = nn_cpu_read();
    return cpu[length] - '0' <= nn_cpu_level(&registers);
}

const nn_image *nn_image_choose(const nn_image *const *images, uint64_t count)
{
    uint64_t i = 0;
    while (i + 1 < count && !nn_cpu_runs(images[i]->cpu)) i++;
    return images[i];
}
