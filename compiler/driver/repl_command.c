/* The commands of a session: what is asked about it, not of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display/display.h"
#include "driver/repl_session.h"

typedef struct {
    const char *name, *arguments, *summary;
} CommandRow;

static const CommandRow rows[] = {
#define COMMAND(name, arguments, summary) {#name, arguments, summary},
#include "driver/repl_commands.def"
#undef COMMAND
};

enum {
#define COMMAND(name, arguments, summary) COMMAND_INDEX_##name,
#include "driver/repl_commands.def"
#undef COMMAND
    N_COMMANDS
};

const char *session_command_name(size_t index)
{
    return index < N_COMMANDS ? rows[index].name : NULL;
}

static bool mistake(Session *session, const char *format, const char *what)
{
    diag_new(session->context->diagnostics, DIAG_bad_value, NO_SPAN, format, what);
    session_report(session);
    return false;
}

static void put(Text *text)
{
    fputs(text_get(text), stdout);
    if (text->count && text_get(text)[text->count - 1] != '\n') putchar('\n');
    text_free(text);
}

static void print_row(const CommandRow *row)
{
    char left[40];
    snprintf(left, sizeof left, ":%s %s", row->name, row->arguments);
    printf("  %-20s %s\n", left, row->summary);
}

static void run_help(const char *name)
{
    if (*name == ':') name++;
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!*name || !strcmp(rows[i].name, name)) print_row(&rows[i]);
    if (*name) return;
    puts("\nEverything else is a statement: `input x: f32`, `param w: f32 = 0.5`, `y = w * x`, `grad(y, w)`.\n"
         "`x = 2` gives an input or parameter a value; formulas whose names all have values show theirs.");
}

/* ---- Questions about an expression ---- */

static bool use_type(Session *session, Value value, void *data)
{
    Text text = {0};
    (void)data;
    session_describe(session, value, &text);
    put(&text);
    return true;
}

/* A value as a node; sizes and numbers become constants. */
static bool as_node(Session *session, Value value, Node *node)
{
    value = value_as_tensor(session->el, value, DTYPE_COUNT, NO_SPAN);
    if (value_is_error(value)) return false;
    *node = value.node;
    return true;
}

static bool use_latex(Session *session, Value value, void *data)
{
    Node node;
    Outcome outcome;
    (void)data;
    if (!as_node(session, value, &node)) return false;
    bool good = session_evaluate(session, node, EVALUATE_FORMULA, &outcome);
    if (good) {
        Text text = {0};
        display_formula(outcome.graph, outcome.node, DISPLAY_LATEX, &text);
        put(&text);
    }
    outcome_free(&outcome);
    return good;
}

static bool use_time(Session *session, Value value, void *data)
{
    Node node;
    Outcome outcome;
    (void)data;
    if (!as_node(session, value, &node)) return false;
    bool good = session_evaluate(session, node, EVALUATE_VALUE, &outcome);
    if (good && outcome.missing) {
        diag_new(session->context->diagnostics, DIAG_bad_value, NO_SPAN, "`%s` has no value yet", outcome.missing);
        good = false;
    }
    if (good) printf("compiled in %.2f ms, ran in %.4f ms\n", 1e3 * outcome.compile_seconds, 1e3 * outcome.run_seconds);
    outcome_free(&outcome);
    return good;
}

typedef struct {
    int command;
    Context *context;
    Module *module;
    Plan *plan;
} Listing;

/* The graph, the kernels, the LLVM IR or the assembly. */
static bool list(const Listing *what)
{
    CodegenOptions how = {.level = 1};
    Text text = {0};
    bool good = true;
    switch (what->command) {
    case COMMAND_INDEX_graph:
        module_print(what->module, &text);
        break;
    case COMMAND_INDEX_kernels:
        plan_print(what->plan, &text);
        break;
    case COMMAND_INDEX_llvm:
        good = codegen_print(what->context, what->plan, &how, CODEGEN_LLVM, &text);
        break;
    default:
        good = codegen_print(what->context, what->plan, &how, CODEGEN_ASSEMBLY, &text);
    }
    put(&text);
    return good;
}

static bool use_listing(Session *session, Value value, void *data)
{
    Listing *what = data;
    Node node;
    Outcome outcome;
    if (!as_node(session, value, &node)) return false;
    bool good = session_evaluate(session, node, EVALUATE_PLAN, &outcome);
    if (good) {
        *what = (Listing){what->command, outcome.context, outcome.plan->module, outcome.plan};
        good = list(what);
    }
    outcome_free(&outcome);
    return good;
}

static void run_listing(Session *session, int command, const char *argument)
{
    Listing what = {.command = command};
    if (*argument) {
        session_with(session, argument, use_listing, &what);
        return;
    }
    Loaded *model = session_model(session);
    if (!model || !loaded_plan(model)) return;
    Pipeline *pipeline = &model->pipeline;
    what = (Listing){command, pipeline->context, pipeline->program->module, pipeline->plan};
    list(&what);
}

/* ---- Dispatch ---- */

static int find_command(Session *session, const char *name, size_t length)
{
    int found = -1;
    const char *names[N_COMMANDS];
    for (int i = 0; i < N_COMMANDS; i++) {
        names[i] = rows[i].name;
        if (strlen(rows[i].name) == length && !strncmp(rows[i].name, name, length)) return i;
        if (length && !strncmp(rows[i].name, name, length)) found = found == -1 ? i : -2;
    }
    if (found >= 0) return found;
    char given[32];
    snprintf(given, sizeof given, "%.*s", (int)length, name);
    Diag *diag = diag_new(session->context->diagnostics, DIAG_bad_value, NO_SPAN,
                          found == -2 ? "`:%s` is short for several commands" : "there is no command `:%s`", given);
    const char *near = nearest_spelling(given, names, N_COMMANDS);
    if (near)
        diag_hint(diag, "did you mean `:%s`?", near);
    else
        diag_hint(diag, "`:help` lists them");
    session_report(session);
    return -1;
}

static void need(Session *session, const char *argument, bool (*use)(Session *, Value, void *), int command)
{
    if (*argument)
        session_with(session, argument, use, NULL);
    else
        mistake(session, "`:%s` wants an expression", rows[command].name);
}

static bool run_command(Session *session, int command, const char *argument)
{
    switch (command) {
    case COMMAND_INDEX_help:
        run_help(argument);
        break;
    case COMMAND_INDEX_load:
        if (*argument)
            session_load(session, argument);
        else
            mistake(session, "`:%s` wants a file", "load");
        break;
    case COMMAND_INDEX_train:
        model_train(session, argument);
        break;
    case COMMAND_INDEX_eval:
        model_eval(session, argument);
        break;
    case COMMAND_INDEX_params:
        model_params(session, argument);
        break;
    case COMMAND_INDEX_grad:
        model_grad(session, argument);
        break;
    case COMMAND_INDEX_set:
        model_set(session, argument);
        break;
    case COMMAND_INDEX_type:
        need(session, argument, use_type, command);
        break;
    case COMMAND_INDEX_latex:
        need(session, argument, use_latex, command);
        break;
    case COMMAND_INDEX_time:
        need(session, argument, use_time, command);
        break;
    case COMMAND_INDEX_reset:
        session_reset(session);
        break;
    case COMMAND_INDEX_quit:
        return false;
    default:
        run_listing(session, command, argument);
    }
    return true;
}

bool session_command(Session *session, const char *line)
{
    size_t length = strcspn(line, " \t\r\n");
    int command = find_command(session, line, length);
    if (command < 0) return true;
    const char *begin = line + length + strspn(line + length, " \t");
    size_t size = strlen(begin);
    while (size && strchr(" \t\r\n", begin[size - 1])) size--;
    char *argument = strndup(begin, size);
    if (!argument) abort();
    bool stay = run_command(session, command, argument);
    free(argument);
    fflush(stdout);
    return stay;
}
