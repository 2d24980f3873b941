/* --time-passes: the processor time of each step, of all threads together. */
#ifndef NNC_DRIVER_TIMES_H
#define NNC_DRIVER_TIMES_H

#include "support/vector.h"

typedef struct {
    const char *step; /* lives as long as the program */
    double seconds;
} StepTime;

typedef struct {
    double last; /* when the last step ended, in seconds of the process's processor time */
    Vec(StepTime) steps;
} Times;

/* Gives the time since the last step ended to this one. */
void times_end(Times *times, const char *step);
/* Takes some of the time of the last step for another, before it. */
void times_split(Times *times, const char *step, double seconds);
/* Prints the table on stderr, and frees it. */
void times_print(Times *times);

#endif
