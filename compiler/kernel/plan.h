/* A plan: the kernels of a model, and for each of its programs the launches in order and the buffers they use. This is
 * what the code generator compiles; the run time places the buffers once sizes are known. */
#ifndef NNC_KERNEL_PLAN_H
#define NNC_KERNEL_PLAN_H

#include "ir/module.h"
#include "kernel/kernel.h"

typedef enum {
    BUFFER_INPUT,    /* an input or target, by name: the caller's memory, read only */
    BUFFER_PARAM,    /* a parameter, by path */
    BUFFER_STATE,    /* a state (the model's or the optimiser's), by path */
    BUFFER_SETTING,  /* a run-time scalar, by name */
    BUFFER_RESULT,   /* an output, loss, metric, gradient or other result, by role and name; kept until the next call */
    BUFFER_LITERAL,  /* constant data */
    BUFFER_TEMPORARY /* lives from its first to its last launch */
} BufferRole;

typedef struct {
    BufferRole role;
    ResultRole result; /* of BUFFER_RESULT */
    Name name;
    DType dtype;
    uint32_t rank;
    Dim dims[MAX_RANK];
    uint32_t last_axis; /* stands behind all others in memory; NO_AXIS: row-major, as all but temporaries are */
    const void *data;   /* BUFFER_LITERAL */
    size_t data_size;
    uint32_t first, last; /* launches of its program that touch it, first to last */
} PlanBuffer;

typedef enum { PHASE_FORWARD, PHASE_BACKWARD, PHASE_UPDATE, PHASE_COUNT } Phase;

typedef struct {
    uint32_t kernel;         /* index into the plan's kernels */
    const uint32_t *buffers; /* per kernel buffer: index into the program's buffers */
    const Dim *sizes;        /* per kernel size, over the module's symbols */
    Phase phase;
    bool metric; /* needed by metrics alone: skipped when they are not asked for */
    Node node;   /* the graph node that it mostly computes: places, names */
} Launch;

/* A straight line of launches. Programs of a model:
 *   "initialise"  parameters and states from the seed
 *   "inference"   outputs, losses, metrics of the inference form
 *   "training"    the same of the training form, then gradients, then updates: phases in order, all gradients stored
 *   "step"        the whole training step at once, gradients stored only where needed
 * and what else the module has functions for ("data.train", "accumulate", "finish"). */
typedef struct {
    Name name;
    PlanBuffer *buffers;
    Launch *launches;
    uint32_t n_buffers, n_launches;
} PlanProgram;

typedef struct Plan {
    Module *module;
    Kernel **kernels; /* distinct ones */
    PlanProgram *programs;
    uint32_t n_kernels, n_programs;
} Plan;

void plan_print(const Plan *plan, Text *to);
/* NULL when valid. */
const char *plan_verify(Context *context, const Plan *plan);

/* The meaning of a program, slowly, in f64 rounded to each element type: to test the scheduler without a code
 * generator. `memory` has one array per buffer of the program (all there, of the right size; inputs, parameters …
 * filled). False with *error set when an index is out of range. */
bool plan_evaluate(Context *context, const Plan *plan, const PlanProgram *program, void **memory,
                   bool (*size)(void *data, Name symbol, int64_t *value), void *data, uint64_t seed, uint64_t step,
                   const char **error);

#endif
