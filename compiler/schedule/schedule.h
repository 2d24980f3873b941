/* The scheduler: turns the functions of a module into programs of kernels. It decides which nodes are computed in which
 * loops, which of them need memory at all, what is recomputed, what is written in place, and in which order all runs.
 */
#ifndef NNC_SCHEDULE_SCHEDULE_H
#define NNC_SCHEDULE_SCHEDULE_H

#include "kernel/plan.h"

typedef struct {
    bool unfused;                /* a kernel for every node: to test what fusion does */
    const char *const *programs; /* only these, ended by NULL; NULL: all */
} ScheduleOptions;

/* The plan of all functions of a differentiated and expanded module; options may be NULL. The function "training" gives
 * two programs: "training", in phases, with every gradient stored, and "step", fused throughout, which stores losses,
 * metrics and updates alone; both compute the same scalar operations in the same order. Every other function gives one
 * program of its name. A total loss that is none of a function's results is added to them as the loss `loss`, or
 * `total` where that name is taken. Programs that the options do not ask for are left out. Allocated in the context's
 * arena; the module must live as long. NULL when the context was stopped. */
Plan *schedule(Context *context, Module *module, const ScheduleOptions *options);

#endif
