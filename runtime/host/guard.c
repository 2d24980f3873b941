#include "host/guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include "core/internal.h"

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t pages_of(size_t size)
{
    size_t page = page_size();
    return (size + page - 1) / page * page;
}

/* guard page | padding, buffer | guard page: the buffer ends at the border. Its size is a multiple of its elements', so
 * they are aligned. */
static void *allocate(void *data, size_t size)
{
    (void)data;
    size_t page = page_size();
    if (size > SIZE_MAX / 2) return NULL;
    size_t inner = pages_of(size);
    char *mapping = mmap(NULL, inner + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) return NULL;
    if (mprotect(mapping + page, inner, PROT_READ | PROT_WRITE)) {
        munmap(mapping, inner + 2 * page);
        return NULL;
    }
    return mapping + page + inner - size;
}

static void release(void *data, void *memory, size_t size)
{
    (void)data;
    size_t page = page_size();
    uintptr_t start = (uintptr_t)memory / page * page - page;
    munmap((void *)start, pages_of(size) + 2 * page);
}

nn_memory nn_guard_memory(void)
{
    return (nn_memory){NULL, allocate, release, 1};
}
