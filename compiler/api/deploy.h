/* What may be done to a program before it is written to be used elsewhere. */
#ifndef NNC_API_DEPLOY_H
#define NNC_API_DEPLOY_H

#include "codegen/codegen.h"
#include "elaborate/program.h"

/* Gives the model another name, with which the names of its functions begin. False after a diagnostic. */
bool deploy_rename(Context *context, Program *program, const char *name);
/* Leaves training out: what only it needs (gradients, the optimizer and its states, data) is never compiled. Before
 * passes run. */
void deploy_without_training(Context *context, Program *program);
/* Makes the code carry the weights of a file, once they fit the model. `dims` as nn_params_new takes them. The bytes
 * are the caller's to free (memory.h). False after a diagnostic. */
bool deploy_weights(Context *context, const Plan *plan, const int64_t *dims, size_t n_dims, const char *path,
                    char **bytes, size_t *size);

#endif
