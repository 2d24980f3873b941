/* The files that a compilation can end in, by extension. */
#ifndef NNC_API_OUTPUTS_H
#define NNC_API_OUTPUTS_H

#include "codegen/codegen.h"

typedef struct Output Output;

/* By the extension of the path; NULL after a diagnostic that begins with `option`. */
const Output *output_find(Context *context, const char *option, const char *path);
/* True when it is made of the plan; the others are made of the rewritten module. */
bool output_needs_plan(const Output *output);
/* Writes the file, and the header beside a library. `plan` may be NULL where it is not needed. False after a
 * diagnostic. */
bool output_write(Context *context, const Output *output, const Module *module, const Plan *plan,
                  const CodegenOptions *options, const char *path);

#endif
