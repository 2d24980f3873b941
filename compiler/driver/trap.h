/* nnc train --trap-nan: stops at the first operation that made a NaN or an infinity.
 *
 * Native code is not slowed: after each step the loss and the parameters are looked at. When one is not finite, the
 * step is taken once more by the interpreter from a copy of what it had started from, and the graph is searched from
 * the bad value backwards for an operation that made it from finite operands. */
#ifndef NNC_DRIVER_TRAP_H
#define NNC_DRIVER_TRAP_H

#include "driver/pipeline.h"
#include "host/train.h"

typedef struct Trap Trap;

/* Of a pipeline whose passes have run. */
Trap *trap_new(Pipeline *pipeline);
/* The training will stop with a diagnostic; the observer belongs to the trap. */
nn_observer *trap_observe(Trap *trap);
/* True when it has stopped the training. */
bool trap_sprung(const Trap *trap);
/* NULL is allowed. */
void trap_free(Trap *trap);

#endif
