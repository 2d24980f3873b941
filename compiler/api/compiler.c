/* nnc.h: compilers and their diagnostics. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "support/stack.h"

int nnc_version(void)
{
    return NNC_VERSION;
}

nnc_compiler *nnc_new(void)
{
    return calloc(1, sizeof(nnc_compiler));
}

void nnc_free(nnc_compiler *compiler)
{
    if (!compiler) return;
    text_free(&compiler->diagnostics);
    text_free(&compiler->formula);
    free(compiler);
}

void nnc_listen(nnc_compiler *compiler, nnc_listener *listener, void *data)
{
    if (!compiler) return;
    compiler->listener = listener;
    compiler->listener_data = data;
}

const char *nnc_diagnostics(const nnc_compiler *compiler)
{
    return compiler ? text_get(&compiler->diagnostics) : "";
}

void compiler_begin(nnc_compiler *compiler)
{
    text_free(&compiler->diagnostics);
    text_free(&compiler->formula);
}

/* ---- Diagnostics as the caller sees them ---- */

typedef struct {
    const nnc_compiler *compiler;
    const Context *context;
} Report;

static nnc_place place_of(const Context *context, Span span)
{
    Place start, end;
    if (!source_place(context->sources, span.end ? span.start : 0, &start)) return (nnc_place){0};
    source_place(context->sources, span.end, &end);
    return (nnc_place){start.source->name, start.line, start.column, end.line, end.column};
}

static void tell(void *data, const DiagView *view)
{
    const Report *report = data;
    nnc_note *notes = ARENA_ARRAY(report->context->arena, nnc_note, view->n_notes);
    for (size_t i = 0; i < view->n_notes; i++)
        notes[i] = (nnc_note){place_of(report->context, view->notes[i].at), view->notes[i].message};
    nnc_diagnostic diagnostic = {.severity = view->severity == SEVERITY_ERROR ? NNC_ERROR : NNC_WARNING,
                                 .id = diag_id_name(view->id),
                                 .place = place_of(report->context, view->at),
                                 .message = view->message,
                                 .notes = notes,
                                 .n_notes = view->n_notes,
                                 .hints = view->hints,
                                 .n_hints = view->n_hints};
    report->compiler->listener(report->compiler->listener_data, &diagnostic);
}

void compiler_report(nnc_compiler *compiler, Workspace *workspace)
{
    Report report = {compiler, workspace->context};
    diagnostics_print(workspace->context->diagnostics, &compiler->diagnostics);
    if (compiler->listener) diagnostics_visit(workspace->context->diagnostics, tell, &report);
    diagnostics_clear(workspace->context->diagnostics);
}

/* ---- Workspaces ---- */

Workspace *workspace_new(void)
{
    Workspace *workspace = calloc(1, sizeof *workspace);
    if (!workspace) return NULL;
    atomic_init(&workspace->references, 1);
    workspace->context = context_new();
    workspace->provider = provider_new(workspace->context);
    return workspace;
}

Workspace *workspace_keep(Workspace *workspace)
{
    atomic_fetch_add(&workspace->references, 1);
    return workspace;
}

void workspace_drop(Workspace *workspace)
{
    if (!workspace || atomic_fetch_sub(&workspace->references, 1) > 1) return;
    if (workspace->graph) graph_free(workspace->graph);
    provider_free(workspace->provider);
    context_free(workspace->context);
    free(workspace);
}

typedef struct {
    bool (*work)(void *data);
    void *data;
    bool good;
} Errand;

static void run_errand(void *data)
{
    Errand *errand = data;
    errand->good = errand->work(errand->data);
}

bool workspace_run(Workspace *workspace, bool (*work)(void *data), void *data)
{
    Errand errand = {.work = work, .data = data};
    if (!stack_run(run_errand, &errand))
        diag_new(workspace->context->diagnostics, DIAG_out_of_memory, NO_SPAN,
                 "no thread with a stack of %d MiB can be started, in which the compiler would work: %s",
                 STACK_SIZE / (1024 * 1024), strerror(errno));
    return errand.good;
}

bool options_read(Context *context, const nnc_options *given, nnc_options *options)
{
    *options = (nnc_options)NNC_OPTIONS_INIT;
    if (!given) return true;
    if (given->size < offsetof(nnc_options, model) + sizeof given->model) {
        diag_new(context->diagnostics, DIAG_bad_option, NO_SPAN,
                 "the options begin with their size, %zu cannot be right; NNC_OPTIONS_INIT sets it", given->size);
        return false;
    }
    memcpy(options, given, given->size < sizeof *options ? given->size : sizeof *options);
    if (options->budget) context->budget = options->budget;
    return true;
}
