/* How many cores the process may use: those that it may be scheduled on, and no more than its time is worth. A
 * container may see all cores of a machine and be allowed the time of two; threads that spin for the others' time only
 * lose. */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/internal.h"

/* The file's first two words as numbers; how many there are. */
static int read_numbers(const char *path, long long numbers[2])
{
    char text[64];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length < 0) return 0;
    text[length] = 0;
    char *at = text, *end;
    for (int i = 0; i < 2; i++, at = end) {
        numbers[i] = strtoll(at, &end, 10);
        if (end == at) return i; /* "max" is no number */
    }
    return 2;
}

/* The control group's share of time in cores, rounded up; 0 when there is no limit. */
static int time_limit(void)
{
    long long limit[2], period[2];
    if (read_numbers("/sys/fs/cgroup/cpu.max", limit) == 2) {
        period[0] = limit[1];
    } else if (!read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", limit) ||
               !read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period)) {
        return 0;
    }
    if (limit[0] <= 0 || period[0] <= 0) return 0;
    long long cores = (limit[0] + period[0] - 1) / period[0];
    return cores < 1 << 16 ? (int)cores : 0;
}

int nn_usable_cores(void)
{
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int cores = online > 0 ? (int)online : 1;
    if (!sched_getaffinity(0, sizeof set, &set)) cores = CPU_COUNT(&set);
    int limit = time_limit();
    return limit && limit < cores ? limit : cores;
}
