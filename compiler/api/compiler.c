/* nnc.h: compilers and their diagnostics. */
#include <errno.h>
#include <string.h>

#include "api/internal.h"
#include "support/stack.h"

int nnc_version(void)
{
    return NNC_VERSION;
}

nnc_compiler *nnc_new(void)
{
    return memory_outside(sizeof(nnc_compiler));
}

void nnc_free(nnc_compiler *compiler)
{
    if (!compiler) return;
    compiler_begin(compiler);
    memory_outside_free(compiler);
}

void nnc_listen(nnc_compiler *compiler, nnc_listener *listener, void *data)
{
    if (!compiler) return;
    compiler->listener = listener;
    compiler->listener_data = data;
}

const char *nnc_diagnostics(const nnc_compiler *compiler)
{
    if (!compiler) return "";
    if (compiler->exhausted) return "error[out-of-memory]: there is not enough memory\n";
    return compiler->diagnostics ? compiler->diagnostics : "";
}

void compiler_begin(nnc_compiler *compiler)
{
    memory_outside_free(compiler->diagnostics);
    memory_outside_free(compiler->formula);
    compiler->diagnostics = compiler->formula = NULL;
    compiler->exhausted = false;
}

void compiler_keep(char **kept, const Text *text)
{
    *kept = memory_outside(text->count + 1);
    if (!*kept) memory_exhausted();
    memcpy(*kept, text_get(text), text->count + 1);
}

/* ---- Diagnostics as the caller sees them ---- */

typedef struct {
    nnc_compiler *compiler;
    Context *context;
    nnc_diagnostic *list;
    size_t count;
} Report;

static nnc_place place_of(const Context *context, Span span)
{
    Place start, end;
    if (!source_place(context->sources, span.end ? span.start : 0, &start)) return (nnc_place){0};
    source_place(context->sources, span.end, &end);
    return (nnc_place){start.source->name, start.line, start.column, end.line, end.column};
}

static void gather(void *data, const DiagView *view)
{
    Report *report = data;
    nnc_note *notes = ARENA_ARRAY(report->context->arena, nnc_note, view->n_notes);
    for (size_t i = 0; i < view->n_notes; i++)
        notes[i] = (nnc_note){place_of(report->context, view->notes[i].at), view->notes[i].message};
    report->list[report->count++] =
        (nnc_diagnostic){.severity = view->severity == SEVERITY_ERROR ? NNC_ERROR : NNC_WARNING,
                         .id = diag_id_name(view->id),
                         .place = place_of(report->context, view->at),
                         .message = view->message,
                         .notes = notes,
                         .n_notes = view->n_notes,
                         .hints = view->hints,
                         .n_hints = view->n_hints};
}

/* All that is to be said is made before the listener, who may call the library, hears it. */
static void gather_all(void *data)
{
    Report *report = data;
    Diagnostics *diagnostics = report->context->diagnostics;
    Text text = {0};
    diagnostics_print(diagnostics, &text);
    if (text.count) compiler_keep(&report->compiler->diagnostics, &text);
    text_free(&text);
    report->list = ARENA_ARRAY(report->context->arena, nnc_diagnostic, diagnostics_count(diagnostics));
    diagnostics_visit(diagnostics, gather, report);
}

static void clear(void *context)
{
    diagnostics_clear(((Context *)context)->diagnostics);
}

static void tell(const nnc_compiler *compiler, const nnc_diagnostic *list, size_t count)
{
    for (size_t i = 0; compiler->listener && i < count; i++) compiler->listener(compiler->listener_data, &list[i]);
}

bool compiler_report(nnc_compiler *compiler, Workspace *workspace)
{
    Report report = {.compiler = compiler, .context = workspace ? workspace->context : NULL};
    if (workspace && heap_attempt(workspace->heap, gather_all, &report)) {
        tell(compiler, report.list, report.count);
        heap_attempt(workspace->heap, clear, workspace->context);
        return true;
    }
    compiler_begin(compiler);
    compiler->exhausted = true;
    const nnc_diagnostic diagnostic = {
        .severity = NNC_ERROR, .id = "out-of-memory", .message = "there is not enough memory"};
    tell(compiler, &diagnostic, 1);
    return false;
}

/* ---- Workspaces ---- */

static void open_workspace(void *data)
{
    Workspace *workspace = data;
    workspace->context = context_new();
    workspace->provider = provider_new(workspace->context);
}

Workspace *workspace_new(void)
{
    Workspace *workspace = memory_outside(sizeof *workspace);
    if (!workspace) return NULL;
    atomic_init(&workspace->references, 1);
    workspace->heap = heap_new();
    if (workspace->heap && heap_attempt(workspace->heap, open_workspace, workspace)) return workspace;
    workspace_drop(workspace);
    return NULL;
}

Workspace *workspace_keep(Workspace *workspace)
{
    atomic_fetch_add(&workspace->references, 1);
    return workspace;
}

void workspace_drop(Workspace *workspace)
{
    if (!workspace || atomic_fetch_sub(&workspace->references, 1) > 1) return;
    provider_close(workspace->provider);
    heap_free(workspace->heap);
    memory_outside_free(workspace);
}

typedef struct {
    Heap *heap;
    bool (*work)(void *data);
    void *data;
    bool good;
} Errand;

static void do_errand(void *data)
{
    Errand *errand = data;
    errand->good = errand->work(errand->data);
}

static void run_errand(void *data)
{
    Errand *errand = data;
    errand->good = heap_attempt(errand->heap, do_errand, errand) && errand->good;
}

static void refuse_thread(void *context)
{
    diag_new(((Context *)context)->diagnostics, DIAG_out_of_memory, NO_SPAN,
             "no thread with a stack of %d MiB can be started, in which the compiler would work: %s",
             STACK_SIZE / (1024 * 1024), strerror(errno));
}

bool workspace_run(Workspace *workspace, bool (*work)(void *data), void *data)
{
    Errand errand = {.heap = workspace->heap, .work = work, .data = data};
    if (stack_run(run_errand, &errand)) return errand.good;
    heap_attempt(workspace->heap, refuse_thread, workspace->context);
    return false;
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
