/* The model's C header: what entry.c exports, in C99 and C++, with the model's own names and shapes as comments. */
#include <ctype.h>
#include <string.h>

#include "codegen/codegen.h"

static const char *const c_words[] = {
    "auto", "bool", "break", "case", "char", "class", "const", "continue", "default", "delete", "do", "double", "else",
    "enum", "extern", "false", "float", "for", "friend", "goto", "if", "inline", "int", "long", "namespace", "new",
    "not", "operator", "or", "and", "private", "protected", "public", "register", "restrict", "return", "short",
    "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true", "try", "typedef", "union",
    "unsigned", "using", "virtual", "void", "volatile", "while", "xor",
    /* the functions' own parameters */
    "session", "training", "loss"};

/* A name of the model as a parameter's name: what C would misread gets a final underscore. */
static void put_name(Text *to, const char *name)
{
    for (const char *c = name; *c; c++) {
        char plain = isalnum((unsigned char)*c) ? *c : '_';
        if (c == name && isdigit((unsigned char)*c)) text_string(to, "_");
        text_put(to, &plain, 1);
    }
    for (size_t i = 0; i < sizeof c_words / sizeof *c_words; i++) {
        if (!strcmp(name, c_words[i])) text_string(to, "_");
    }
}

/* True if two characters mean something to C even inside of a comment: its ends, and the beginning of a trigraph, of
 * which `??/` continues a line. */
static bool is_read_by_c(const char *text)
{
    if (text[0] == '?') return text[1] == '?';
    return (text[0] == '*' && text[1] == '/') || (text[0] == '/' && text[1] == '*');
}

/* The user's text inside a comment: it cannot end the comment, nor do anything to a terminal. */
static void put_comment(Text *to, const char *text)
{
    Text shown = {0};
    for (const char *line = text; *line; line += *line == '\n') {
        size_t length = strcspn(line, "\n");
        if (line > text) text_string(&shown, "\n *     ");
        text_shown(&shown, line, length);
        line += length;
    }
    for (const char *c = text_get(&shown); *c; c++) {
        text_put(to, c, 1);
        if (is_read_by_c(c)) text_string(to, " ");
    }
    text_free(&shown);
}

static const char *c_type(DType dtype)
{
    switch (dtype) {
    case DTYPE_F64:
        return "double";
    case DTYPE_F32:
        return "float";
    case DTYPE_I64:
        return "int64_t";
    case DTYPE_I32:
        return "int32_t";
    case DTYPE_BF16:
    case DTYPE_F16:
        return "uint16_t";
    default:
        return "uint8_t";
    }
}

static const NodeInfo *declared(const Module *module, const Declared *what)
{
    return graph_node(module->graph, what->node);
}

static void put_opening(const Module *module, Text *to)
{
    const char *m = module->name;
    text_format(to, "/* %s: a compiled neural network. Made by nnc; do not edit.\n *\n", m);
    bool learns = module_function(module, "training");
    text_format(to, " *     %s_params *params; %s_session *session;%s\n", m, m, learns ? " float loss;" : "");
    text_format(to, " *     %s_params_new(1, &params);\n", m);
    if (!learns) text_format(to, " *     %s_params_load(params, \"%s.safetensors\");\n", m, m);
    text_format(to, " *     %s_session_new(params, &session);\n", m);
    if (learns) {
        text_format(to, " *     %s_step(session, ..., &loss);            one step of training, as often as you like\n",
                    m);
        text_format(to, " *     %s_params_save(params, \"%s.safetensors\");\n *\n", m, m);
    } else {
        text_format(to, " *     %s_forward(session, ..., 0);             as often as you like\n *\n", m);
    }
    text_string(
        to, " * Every function that can fail returns 0, or an error that the message explains. A session keeps its\n"
            " * parameters alive, so they may be freed in any order. A session is used by one thread at a time; any\n"
            " * number of sessions may run forward without training over the same parameters at once. */\n");
    text_format(to, "#ifndef NN_MODEL_%s_H\n#define NN_MODEL_%s_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n", m,
                m);
    text_string(to, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
}

/* Sizes, inputs and targets with their shapes, as a comment's lines. */
static void put_inputs_comment(const Module *module, Text *to)
{
    const DimTable *dims = graph_dims(module->graph);
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        const NodeInfo *info = declared(module, &module->inputs[i]);
        text_string(to, " *   ");
        put_name(to, info->attr.name);
        text_string(to, "  ");
        type_print(dims, &info->type, to);
        if (info->op == OP_TARGET) text_string(to, "; a target: NULL where there is none, then no loss");
        if (module->inputs[i].doc) text_string(to, "; ");
        if (module->inputs[i].doc) put_comment(to, module->inputs[i].doc);
        text_string(to, "\n");
    }
}

static void put_run_parameters(const Module *module, Text *to)
{
    text_format(to, "%s_session *session", module->name);
    for (uint32_t i = 0; i < module->n_dims; i++) {
        text_string(to, ", int64_t ");
        put_name(to, module->dims[i]);
    }
    for (uint32_t i = 0; i < module->n_inputs; i++) {
        const NodeInfo *info = declared(module, &module->inputs[i]);
        text_format(to, ", const %s *", c_type(info->type.dtype));
        put_name(to, info->attr.name);
    }
}

static void put_params(const Module *module, Text *to)
{
    const char *m = module->name;
    text_format(to, "typedef struct %s_params %s_params;   /* weights, states, step, settings */\n", m, m);
    text_format(to, "typedef struct %s_session %s_session; /* the buffers of one caller */\n\n", m, m);
    text_string(to, "/* What went wrong in this thread's last failing call. */\n");
    text_format(to, "const char *%s_message(void);\n\n/* New parameters, drawn from the seed. */\n", m);
    text_format(to, "int %s_params_new(uint64_t seed, %s_params **params);\n", m, m);
    text_format(to, "void %s_params_free(%s_params *params);\n", m, m);
    text_string(to, "/* Safetensors files; loading a file without optimizer states leaves those as they are. */\n");
    text_format(to, "int %s_params_load(%s_params *params, const char *path);\n", m, m);
    text_format(to, "int %s_params_save(%s_params *params, const char *path);\n", m, m);
    text_string(
        to, "/* The same in memory. *size is how many bytes they are; bytes = NULL and capacity = 0 ask for it. */\n");
    text_format(to, "int %s_params_load_memory(%s_params *params, const void *bytes, size_t size);\n", m, m);
    text_format(to, "int %s_params_save_memory(%s_params *params, void *bytes, size_t capacity, size_t *size);\n", m,
                m);
    text_string(to, "/* Copies a tensor out or in, row-major; count is its number of elements. */\n");
    text_format(to, "int %s_params_get(%s_params *params, const char *name, float *values, size_t count);\n", m, m);
    text_format(to, "int %s_params_set(%s_params *params, const char *name, const float *values, size_t count);\n", m,
                m);
    text_string(to, "/* The same of integers, exactly: a float holds them up to 2^24. */\n");
    text_format(to, "int %s_params_get_i64(%s_params *params, const char *name, int64_t *values, size_t count);\n", m,
                m);
    text_format(
        to, "int %s_params_set_i64(%s_params *params, const char *name, const int64_t *values, size_t count);\n", m, m);
}

/* A setting that follows from the number of updates: nobody can set it. */
static bool follows(const char *name)
{
    return !strcmp(name, "step") || !strcmp(name, "progress");
}

/* Declared things of one kind, by name and type. */
static void put_list(const Module *module, const char *title, const Declared *list, uint32_t count, Text *to)
{
    if (!count) return;
    text_format(to, "/* %s\n", title);
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = declared(module, &list[i]);
        if (info->op == OP_SETTING && follows(info->attr.name)) continue;
        text_string(to, " *   \"");
        put_comment(to, info->attr.name);
        text_string(to, "\"");
        if (info->op == OP_SETTING && !strcmp(info->attr.name, "steps") && !info->attr.number) {
            text_string(to, "  the number of updates that a training will have, where a schedule looks at it");
        } else if (info->op == OP_SETTING) {
            text_string(to, " = ");
            text_number(to, info->attr.number);
        } else {
            text_string(to, "  ");
            type_print(graph_dims(module->graph), &info->type, to);
        }
        text_string(to, "\n");
    }
    text_string(to, " */\n");
}

static void put_learning(const Module *module, Text *to)
{
    const char *m = module->name;
    text_string(to, "/* Gradients of the loss, after forward in training with all targets. */\n");
    text_format(to, "int %s_backward(%s_session *session);\n", m, m);
    text_string(to, "/* One update of the parameters by the optimizer, after backward. */\n");
    text_format(to, "int %s_update(%s_session *session);\n", m, m);
    text_string(to, "/* The three at once, and faster; loss (or NULL) is the loss before the update. */\n");
    text_format(to, "int %s_step(", m);
    put_run_parameters(module, to);
    text_string(to, ", float *loss);\n");
}

static void put_session(const Module *module, Text *to)
{
    const char *m = module->name;
    text_format(to, "\nint %s_session_new(%s_params *params, %s_session **session);\n", m, m, m);
    text_format(to, "void %s_session_free(%s_session *session);\n\n", m, m);
    text_string(to, "/* Runs the model; training: its training form, which backward may follow. All row-major:\n");
    put_inputs_comment(module, to);
    text_format(to, " */\nint %s_forward(", m);
    put_run_parameters(module, to);
    text_string(to, ", int training);\n");
    if (module_function(module, "training")) put_learning(module, to);
    text_string(to, "/* Copies a result: an output, \"loss\", a metric, \"grad.PATH\". */\n");
    text_format(to, "int %s_get(%s_session *session, const char *output, float *values, size_t count);\n", m, m);
    text_string(to, "/* The same of integers, exactly: a float holds them up to 2^24. */\n");
    text_format(to, "int %s_get_i64(%s_session *session, const char *output, int64_t *values, size_t count);\n", m, m);
    text_format(to, "int %s_get_i32(%s_session *session, const char *output, int32_t *values, size_t count);\n", m, m);
    text_string(to, "/* Writes a gradient between backward and update, or a state of the session. */\n");
    text_format(to, "int %s_session_set(%s_session *session, const char *name, const float *values, size_t count);\n",
                m, m);
    text_format(to,
                "int %s_session_set_i64(%s_session *session, const char *name, const int64_t *values, size_t count);\n",
                m, m);
    text_string(to, "/* Gives the states of the session, which go from call to call, their first values again. */\n");
    text_format(to, "int %s_session_reset(%s_session *session);\n", m, m);
}

void header_print(const Module *module, Text *to)
{
    put_opening(module, to);
    put_params(module, to);
    put_list(module, "Parameters:", module->params, module->n_params, to);
    put_list(module, "States:", module->states, module->n_states, to);
    text_string(to, "/* A setting: it takes part in every call from now on. */\n");
    text_format(to, "int %s_set(%s_params *params, const char *setting, double value);\n", module->name, module->name);
    put_list(module, "Settings and their defaults:", module->settings, module->n_settings, to);
    put_session(module, to);
    text_string(to, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}
