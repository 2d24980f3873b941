#include "driver/times.h"

#include <stdio.h>
#include <time.h>

static double processor_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void times_end(Times *times, const char *step)
{
    double now = processor_seconds();
    vec_push(&times->steps, (StepTime){step, now - times->last});
    times->last = now;
}

void times_split(Times *times, const char *step, double seconds)
{
    StepTime whole = vec_pop(&times->steps);
    if (seconds > whole.seconds) seconds = whole.seconds;
    vec_push(&times->steps, (StepTime){step, seconds});
    vec_push(&times->steps, (StepTime){whole.step, whole.seconds - seconds});
}

void times_print(Times *times)
{
    for (size_t i = 0; i < times->steps.count; i++) {
        double seconds = times->steps.at[i].seconds;
        fprintf(stderr, "%-16s %9.1f ms %5.1f %%\n", times->steps.at[i].step, 1e3 * seconds,
                times->last > 0 ? 1e2 * seconds / times->last : 0);
    }
    fprintf(stderr, "%-16s %9.1f ms\n", "all", 1e3 * times->last);
    vec_free(&times->steps);
}
