/* The commands of a session: what is asked about it, not of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "display/display.h"
#include "driver/repl_session.h"

typedef struct {
    const char *name;
    CommandTakes takes;
    const char *arguments, *summary;
    void (*run)(Session *session, const char *argument);
} CommandRow;

#define COMMAND(name, takes, arguments, summary) static void run_##name(Session *session, const char *argument);
#include "driver/repl_commands.def"
#undef COMMAND

static const CommandRow rows[] = {
#define COMMAND(name, takes, arguments, summary) {#name, TAKES_##takes, arguments, summary, run_##name},
#include "driver/repl_commands.def"
#undef COMMAND
};

enum { N_COMMANDS = sizeof rows / sizeof *rows };

const char *session_command_name(size_t index)
{
    return index < N_COMMANDS ? rows[index].name : NULL;
}

const char *session_command_meant(const char *word)
{
    if (!strcmp(word, "exit")) return "quit";
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strcmp(rows[i].name, word)) return rows[i].name;
    return NULL;
}

CommandTakes session_command_takes(const char *name, size_t length)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strlen(rows[i].name) == length && !strncmp(rows[i].name, name, length)) return rows[i].takes;
    return TAKES_NOTHING;
}

static const CommandRow *find_command(Session *session, const char *name, size_t length);

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

static void run_help(Session *session, const char *name)
{
    if (*name == ':') name++;
    if (*name) {
        const CommandRow *row = find_command(session, name, strlen(name));
        if (row) print_row(row);
        return;
    }
    for (size_t i = 0; i < N_COMMANDS; i++) print_row(&rows[i]);
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
        diag_new(session->context->diagnostics, DIAG_no_value, NO_SPAN, "`%s` has no value yet", outcome.missing);
        good = false;
    }
    if (good) printf("compiled in %.2f ms, ran in %.4f ms\n", 1e3 * outcome.compile_seconds, 1e3 * outcome.run_seconds);
    outcome_free(&outcome);
    return good;
}

static void run_type(Session *session, const char *argument)
{
    session_with(session, argument, use_type, NULL);
}

static void run_latex(Session *session, const char *argument)
{
    session_with(session, argument, use_latex, NULL);
}

static void run_time(Session *session, const char *argument)
{
    session_with(session, argument, use_time, NULL);
}

/* ---- What becomes of an expression or of the model ---- */

typedef struct {
    Context *context;
    const Module *module;
    const Plan *plan;
} Compiled;
typedef bool Listing(const Compiled *what, Text *to);

static bool list_graph(const Compiled *what, Text *to)
{
    module_print(what->module, to);
    return true;
}

static bool list_kernels(const Compiled *what, Text *to)
{
    plan_print(what->plan, to);
    return true;
}

static bool list_llvm(const Compiled *what, Text *to)
{
    static const CodegenOptions how = {.level = 1};
    return codegen_print(what->context, what->plan, &how, CODEGEN_LLVM, to);
}

static bool list_asm(const Compiled *what, Text *to)
{
    static const CodegenOptions how = {.level = 1};
    return codegen_print(what->context, what->plan, &how, CODEGEN_ASSEMBLY, to);
}

static bool list(Listing *listing, const Compiled *what)
{
    Text text = {0};
    bool good = listing(what, &text);
    put(&text);
    return good;
}

static bool use_listing(Session *session, Value value, void *data)
{
    Node node;
    Outcome outcome;
    if (!as_node(session, value, &node)) return false;
    bool good = session_evaluate(session, node, EVALUATE_PLAN, &outcome) &&
                list(*(Listing **)data, &(Compiled){outcome.context, outcome.plan->module, outcome.plan});
    outcome_free(&outcome);
    return good;
}

static void show(Session *session, const char *argument, Listing *listing)
{
    if (*argument) {
        session_with(session, argument, use_listing, &listing);
        return;
    }
    Loaded *model = session_model(session);
    if (!model) return;
    const Pipeline *pipeline = &model->pipeline;
    bool good =
        loaded_plan(model) && list(listing, &(Compiled){pipeline->context, pipeline->program->module, pipeline->plan});
    session->errors += !good;
}

static void run_graph(Session *session, const char *argument)
{
    show(session, argument, list_graph);
}

static void run_kernels(Session *session, const char *argument)
{
    show(session, argument, list_kernels);
}

static void run_llvm(Session *session, const char *argument)
{
    show(session, argument, list_llvm);
}

static void run_asm(Session *session, const char *argument)
{
    show(session, argument, list_asm);
}

/* ---- The session and its model ---- */

static void run_load(Session *session, const char *argument)
{
    session_load(session, argument);
}

static void run_train(Session *session, const char *argument)
{
    model_train(session, argument);
}

static void run_eval(Session *session, const char *argument)
{
    model_eval(session, argument);
}

static void run_params(Session *session, const char *argument)
{
    model_params(session, argument);
}

static void run_grad(Session *session, const char *argument)
{
    model_grad(session, argument);
}

static void run_set(Session *session, const char *argument)
{
    model_set(session, argument);
}

static void run_reset(Session *session, const char *argument)
{
    (void)argument;
    session_reset(session);
}

static void run_quit(Session *session, const char *argument)
{
    (void)argument;
    session->leaving = true;
}

/* ---- Dispatch ---- */

static void complain_short(Session *session, const char *name, size_t length)
{
    Text choices = {0};
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (!strncmp(rows[i].name, name, length))
            text_format(&choices, "%s`:%s`", choices.count ? ", " : "", rows[i].name);
    diag_hint(diag_new(session->context->diagnostics, DIAG_bad_value, NO_SPAN, "`:%.*s` is short for several commands",
                       (int)length, name),
              "they are %s", text_get(&choices));
    text_free(&choices);
    session_report(session);
}

static void complain_unknown(Session *session, const char *name, size_t length)
{
    const char *names[N_COMMANDS];
    for (size_t i = 0; i < N_COMMANDS; i++) names[i] = rows[i].name;
    char *given = strndup(name, length);
    if (!given) abort();
    Diag *diag =
        diag_new(session->context->diagnostics, DIAG_unknown_command, NO_SPAN, "there is no command `:%s`", given);
    const char *near = nearest_spelling(given, names, N_COMMANDS);
    if (near)
        diag_hint(diag, "did you mean `:%s`?", near);
    else
        diag_hint(diag, "`:help` lists them");
    free(given);
    session_report(session);
}

/* By its name or an unambiguous beginning of it; NULL after a diagnostic. */
static const CommandRow *find_command(Session *session, const char *name, size_t length)
{
    const CommandRow *found = NULL;
    bool several = false;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (!length || strncmp(rows[i].name, name, length)) continue;
        if (!rows[i].name[length]) return &rows[i];
        several |= found != NULL;
        found = &rows[i];
    }
    if (found && !several) return found;
    if (several)
        complain_short(session, name, length);
    else
        complain_unknown(session, name, length);
    return NULL;
}

/* True if what stands behind the command is there if it must be, and not there if it must not. */
static bool check_argument(Session *session, const CommandRow *row, const char *argument)
{
    bool unwanted = *argument && !*row->arguments;
    bool lacking = !*argument && *row->arguments && *row->arguments != '[';
    if (unwanted)
        diag_new(session->context->diagnostics, DIAG_bad_value, NO_SPAN, "`:%s` takes no argument, but this says `%s`",
                 row->name, argument);
    if (lacking)
        diag_new(session->context->diagnostics, DIAG_bad_value, NO_SPAN, "`:%s` wants %s", row->name,
                 row->takes == TAKES_FILES ? "a file" : "an expression");
    if (unwanted || lacking) session_report(session);
    return !unwanted && !lacking;
}

void session_command(Session *session, const char *line)
{
    size_t length = strcspn(line, " \t\r\n");
    const CommandRow *row = find_command(session, line, length);
    if (!row) return;
    const char *begin = line + length + strspn(line + length, " \t");
    size_t size = strlen(begin);
    while (size && strchr(" \t\r\n", begin[size - 1])) size--;
    char *argument = strndup(begin, size);
    if (!argument) abort();
    if (check_argument(session, row, argument)) row->run(session, argument);
    free(argument);
    fflush(stdout);
}
