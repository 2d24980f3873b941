/* What of a model is used, and what is not: warnings about names that nothing needs. */
#ifndef NNC_ELABORATE_USES_H
#define NNC_ELABORATE_USES_H

#include "elaborate/elaborator.h"

enum { INFERENCE_FUNCTION, TRAINING_FUNCTION }; /* their places among the functions */

/* Inputs and parameters that no result needs, outputs that need targets. `functions` begin with the two forms. */
void uses_warn(Elaborator *el, const Function *functions, uint32_t count);
/* An error where a training could change nothing: no loss, or one that depends on no parameter. */
void uses_check_training(Elaborator *el, const Function *functions, const Item *train);

#endif
