/* What the run time says last, as a kind of diagnostic. */
#ifndef NNC_API_FAILURE_H
#define NNC_API_FAILURE_H

#include "support/diag.h"

/* The kind of the failure that nn_message() is about, in this thread; `run_time` where no other one says more. */
DiagId failure_id(void);

#endif
