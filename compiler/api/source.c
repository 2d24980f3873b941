/* nnc.h: sources to models, files and formulas. */
#include <string.h>

#include "api/deploy.h"
#include "api/derivative.h"
#include "api/evaluation.h"
#include "api/files.h"
#include "api/internal.h"
#include "api/outputs.h"
#include "passes/passes.h"
#include "schedule/schedule.h"

/* What one call compiles, and into what. */
typedef struct {
    nnc_compiler *compiler;
    const char *path, *text;
    const nnc_options *given;
    Workspace *workspace;
    nnc_options options;
    Program *program;
    nn_model **model;
    const char *output;
    const char *of, *wrt;
    nnc_form form;
} Job;

static bool refuse(Context *context, const char *what)
{
    diag_new(context->diagnostics, DIAG_bad_option, NO_SPAN, "%s", what);
    return false;
}

/* Names may be missing in what a caller fills by hand. */
static bool names_are_there(const nnc_options *options)
{
    for (size_t i = 0; i < options->n_bindings; i++)
        if (!options->bindings || !options->bindings[i].name) return false;
    for (size_t i = 0; i < options->n_presets; i++)
        if (!options->presets || !options->presets[i].name) return false;
    for (size_t i = 0; i < options->n_data; i++)
        if (!options->data || !options->data[i].name || !options->data[i].path) return false;
    return true;
}

static bool read_options(const Job *job, ProgramOptions *to)
{
    Context *context = job->workspace->context;
    const nnc_options *from = &job->options;
    if (!names_are_there(from)) return refuse(context, "a binding, preset or data file has no name");
    BindOption *binds = ARENA_ARRAY(context->arena, BindOption, from->n_bindings);
    SetOption *sets = ARENA_ARRAY(context->arena, SetOption, from->n_presets);
    DataOption *data = ARENA_ARRAY(context->arena, DataOption, from->n_data);
    for (size_t i = 0; i < from->n_bindings; i++) {
        if (from->bindings[i].size < 0) return refuse(context, "a dimension is bound to less than 0");
        binds[i] = (BindOption){intern(context->names, from->bindings[i].name), from->bindings[i].size};
    }
    for (size_t i = 0; i < from->n_presets; i++)
        sets[i] = (SetOption){intern(context->names, from->presets[i].name), from->presets[i].value};
    for (size_t i = 0; i < from->n_data; i++) {
        const nnc_data *item = &from->data[i];
        data[i] = (DataOption){item->split ? intern(context->names, item->split) : NULL,
                               intern(context->names, item->name), item->path};
    }
    *to = (ProgramOptions){.model = from->model,
                           .binds = binds,
                           .sets = sets,
                           .data = data,
                           .n_binds = from->n_bindings,
                           .n_sets = from->n_presets,
                           .n_data = from->n_data,
                           .f64 = from->f64,
                           .provider = provider_callbacks(job->workspace->provider)};
    return true;
}

static const Source *find_source(Context *context, const char *path, const char *text)
{
    if (!path && !text) {
        refuse(context, "there is no source: neither a path nor a text");
        return NULL;
    }
    if (!text) return read_source(context, path);
    const Source *source = source_add(context->sources, path ? path : "text", text, strlen(text));
    if (!source) refuse(context, "the text is larger than 4 GiB");
    return source;
}

static bool elaborate(Job *job)
{
    Context *context = job->workspace->context;
    const Source *source = find_source(context, job->path, job->text);
    ProgramOptions how;
    if (!source || !options_read(context, job->given, &job->options) || !read_options(job, &how)) return false;
    job->program = program_compile(context, job->path, source, &how);
    if (!job->program) return false;
    job->workspace->graph = job->program->module->graph;
    if (job->options.name && !deploy_rename(context, job->program, job->options.name)) return false;
    if (job->options.inference) deploy_without_training(context, job->program);
    return true;
}

static int run(Job *job, bool (*work)(void *job))
{
    job->workspace = workspace_new();
    compiler_begin(job->compiler);
    bool good = job->workspace && workspace_run(job->workspace, work, job);
    good = compiler_report(job->compiler, job->workspace) && good;
    workspace_drop(job->workspace);
    return good ? 0 : 1;
}

static bool make_model(void *data)
{
    Job *job = data;
    bool good = elaborate(job) && passes_run(RECIPE_COMPILE, job->program->module, NULL);
    Plan *plan = good ? schedule(job->workspace->context, job->program->module, NULL) : NULL;
    return plan && model_make(job->workspace, plan, &job->options, job->model);
}

int nnc_compile(nnc_compiler *compiler, const char *path, const char *text, const nnc_options *options,
                nn_model **model)
{
    if (!compiler || !model) return 1;
    *model = NULL;
    int status =
        run(&(Job){.compiler = compiler, .path = path, .text = text, .given = options, .model = model}, make_model);
    return status ? drop_model(model) : 0;
}

static bool write_output(void *data)
{
    Job *job = data;
    if (!elaborate(job)) return false;
    Context *context = job->workspace->context;
    Module *module = job->program->module;
    const Output *output = output_find(context, "", job->output);
    if (!output || !passes_run(RECIPE_COMPILE, module, NULL)) return false;
    Plan *plan = NULL;
    MetricPart *parts;
    size_t n_parts;
    if (output_needs_plan(output)) {
        if (!evaluation_add(job->program, &parts, &n_parts)) return false;
        plan = schedule(context, module, NULL);
        if (!plan) return false;
    }
    return model_write(context, output, module, plan, &job->options, job->output);
}

int nnc_write(nnc_compiler *compiler, const char *path, const char *text, const nnc_options *options,
              const char *output)
{
    if (!compiler || !output) return 1;
    return run(&(Job){.compiler = compiler, .path = path, .text = text, .given = options, .output = output},
               write_output);
}

static Node find_operand(Job *job, const char *of)
{
    const Module *module = job->program->module;
    if (of) return derivative_value(module, "of", of);
    Node loss = module_function(module, "inference")->loss;
    if (node_is_none(loss)) refuse(job->workspace->context, "the model has no loss; say what is differentiated");
    return loss;
}

static bool make_formula(void *data)
{
    Job *job = data;
    Node y = elaborate(job) ? find_operand(job, job->of) : NODE_NONE;
    Node x = node_is_none(y) ? NODE_NONE : derivative_value(job->program->module, "by", job->wrt);
    return !node_is_none(x) && formula_make(job->compiler, job->program->module, y, x, job->form);
}

int nnc_gradient(nnc_compiler *compiler, const char *path, const char *text, const nnc_options *options, const char *of,
                 const char *wrt, nnc_form form, const char **formula)
{
    if (!compiler || !wrt || !formula) return 1;
    *formula = NULL;
    Job job = {.compiler = compiler, .path = path, .text = text, .given = options, .of = of, .wrt = wrt, .form = form};
    int status = run(&job, make_formula);
    if (!status) *formula = compiler->formula ? compiler->formula : "";
    return status;
}
