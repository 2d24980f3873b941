/* Which code this machine runs. */
#ifndef NN_CORE_CPU_H
#define NN_CORE_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include "nn_image.h"

/* What cpuid and xgetbv say: leaves 1 and 7 and 0x80000001, and the states that the operating system keeps (0 when it
 * says nothing about them). */
typedef struct {
    uint32_t ecx1, ebx7, ecx_extended;
    uint64_t kept;
} nn_cpu_registers;

nn_cpu_registers nn_cpu_read(void);
/* The x86-64 microarchitecture level of the System V ABI: 1 … 4. A level counts only when the operating system keeps
 * its vector registers too. */
int nn_cpu_level(const nn_cpu_registers *registers);
/* True if code for `x86-64-v3` and the like runs here; true for names that are none of these. */
bool nn_cpu_runs(const char *cpu);

/* Of a library's images, the best first, the first that runs here; the last when none does (it then fails to open). */
const nn_image *nn_image_choose(const nn_image *const *images, uint64_t count);

#endif
