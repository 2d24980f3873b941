/* A loaded model: one model of a session, compiled. It has a context, code and parameters of its own, so that
 * redefining it frees all of it; what it had learned goes over to its successor where names and shapes agree. */
#ifndef NNC_DRIVER_REPL_LOADED_H
#define NNC_DRIVER_REPL_LOADED_H

#include "driver/pipeline.h"
#include "driver/repl_array.h"
#include "driver/repl_journal.h"

typedef struct {
    char *name; /* of the model */
    char *path; /* of the file that it came from, or NULL */
    Options options;
    Pipeline pipeline;
    nn_params *params; /* NULL until its values are asked for */
    nn_pool *pool;
    bool stale; /* an item was defined since: it is compiled again before its next use */
} Loaded;

/* The program of a model among the journal's items: types and shapes, no code yet. Work on it ends while *stop is
 * nonzero (NULL: never). NULL after diagnostics, printed. */
Loaded *loaded_new(const Options *options, const Journal *journal, const char *path, const char *name,
                   const volatile sig_atomic_t *stop);
void loaded_free(Loaded *model);
/* Code and parameters, made from the seed (and --weights) at first. False after diagnostics, printed. */
bool loaded_ready(Loaded *model);
/* The plan of its kernels. False after diagnostics, printed. */
bool loaded_plan(Loaded *model);
/* Makes the new model ready for what the old one has learned, if it has learned anything; NULL: there is no old one.
 * False after diagnostics, printed: then the old one is to stay. */
bool loaded_succeeds(Loaded *model, const Loaded *old);
/* After that: gives it values of the same name and shape, and the step. Prints what did not fit. */
void loaded_inherit(Loaded *model, Loaded *old);
/* The value of a parameter, state or setting; its data is malloc'd. False when there is none of that name. */
bool loaded_value(const Loaded *model, const char *name, DType dtype, Array *value);
/* One line: inputs, parameters. */
void loaded_summary(const Loaded *model, Text *to);

#endif
