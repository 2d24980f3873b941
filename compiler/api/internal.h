/* What the files behind nnc.h share. */
#ifndef NNC_API_INTERNAL_H
#define NNC_API_INTERNAL_H

#include <stdatomic.h>

#include "api/outputs.h"
#include "api/provider.h"
#include "codegen/codegen.h"
#include "display/display.h"
#include "elaborate/program.h"
#include "nnc/nnc.h"
#include "support/memory.h"

struct nnc_compiler {
    nnc_listener *listener;
    void *listener_data;
    char *diagnostics, *formula; /* of the last call; NULL: none */
    bool exhausted;              /* it had no memory for what it would say */
};

/* Where one source or graph is compiled: it lives as long as anything that was made in it. */
typedef struct {
    atomic_int references;
    Heap *heap; /* all that is made in it, and these three */
    Context *context;
    Provider *provider;
    Graph *graph; /* NULL until there is one */
} Workspace;

/* NULL without memory. */
Workspace *workspace_new(void);
Workspace *workspace_keep(Workspace *workspace);
void workspace_drop(Workspace *workspace);

/* Does the work as an attempt in the workspace's heap, on a stack of a known size, in another thread while this one
 * waits. What it returned; false when memory runs out, and after a diagnostic when there is no such thread. */
bool workspace_run(Workspace *workspace, bool (*work)(void *data), void *data);

/* Forgets what the last call left. */
void compiler_begin(nnc_compiler *compiler);
/* Hands over the workspace's diagnostics and forgets them there. False when memory has run out: that is what is said
 * then. The workspace may be NULL: there was none for it. */
bool compiler_report(nnc_compiler *compiler, Workspace *workspace);
/* Keeps the text until the next call. Only within an attempt: without memory for it, the attempt fails. */
void compiler_keep(char **kept, const Text *text);
/* The options as this version knows them: a caller's older structure has fewer. False after a diagnostic. */
bool options_read(Context *context, const nnc_options *given, nnc_options *options);

/* A rewritten module and its plan become a model over machine code, which keeps the workspace. False after a
 * diagnostic. */
bool model_make(Workspace *workspace, const Plan *plan, const nnc_options *options, nn_model **model);
/* Frees the model of a call that failed after it was made. 1. */
int drop_model(nn_model **model);
/* Writes a rewritten module, and its plan where the output needs one, with the weights that the options name. False
 * after a diagnostic. */
bool model_write(Context *context, const Output *output, const Module *module, const Plan *plan,
                 const nnc_options *options, const char *path);
/* d of / d wrt as a formula in compiler->formula. False after a diagnostic. */
bool formula_make(nnc_compiler *compiler, const Module *module, Node of, Node wrt, nnc_form form);

#endif
