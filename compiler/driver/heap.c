#include "driver/heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MEBIBYTE = 1024 * 1024, LARGE_PAGE = 2 * MEBIBYTE, RANGE = 256 * MEBIBYTE, STEP = MEBIBYTE };

/* True if a limit or the system's accounting leaves room for the range twice, so that what the command itself wants
 * does not fail for it. */
static bool is_affordable(void)
{
    void *probe = mmap(NULL, 2 * (size_t)RANGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED) return false;
    munmap(probe, 2 * (size_t)RANGE);
    return true;
}

static uintptr_t heap_end(void)
{
    return (uintptr_t)sbrk(0);
}

void heap_prepare(void)
{
    if (!is_affordable()) return;
    /* One heap for all threads: that of another thread grows by a system call for each page. Blocks below the threshold
     * come from the heap, whose pages are used again; their own mapping would be fresh pages each time. */
    mallopt(M_ARENA_MAX, 1);
    mallopt(M_MMAP_THRESHOLD, 32 * MEBIBYTE);
    mallopt(M_TRIM_THRESHOLD, 2 * RANGE);
    mallopt(M_TOP_PAD, RANGE);
    uintptr_t begin = heap_end();
    void *volatile grown = malloc(STEP); /* more than what is left, so that the heap grows by the range */
    free(grown);
    begin = (begin + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    if (heap_end() > begin) madvise((void *)begin, heap_end() - begin, MADV_HUGEPAGE);
    mallopt(M_TOP_PAD, STEP);
}
