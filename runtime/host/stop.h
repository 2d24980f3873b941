/* Ending a long computation from outside, as by a signal. */
#ifndef NN_HOST_STOP_H
#define NN_HOST_STOP_H

#include <signal.h>

#include "nn.h"

/* From now on what the session runs ends at its next piece of work, with NN_ERROR_STATE, while *stop is nonzero. NULL:
 * never. */
void nn_session_stop_at(nn_session *session, const volatile sig_atomic_t *stop);

#endif
