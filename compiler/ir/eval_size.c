/* The sizes that the interpreter was given, and its mistakes. */
#include <stdarg.h>

#include "ir/eval_internal.h"
#include "support/vector.h"

bool eval_fail(Eval *eval, Node node, const char *format, ...)
{
    Context *context = graph_context(eval->graph);
    Text text = {0};
    va_list args;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    eval->message = arena_text(context->arena, text_get(&text), text.count);
    eval->culprit = node;
    text_free(&text);

    const Span *places;
    Span at = graph_places(eval->graph, node, &places) ? places[0] : NO_SPAN;
    diag_new(context->diagnostics, DIAG_evaluation, at, "%s", eval->message);
    return false;
}

const char *eval_message(const Eval *eval)
{
    return eval->message;
}

Node eval_culprit(const Eval *eval)
{
    return eval->culprit;
}

void eval_bind_size(Eval *eval, Name symbol, int64_t size)
{
    eval_reset(eval);
    for (size_t i = 0; i < eval->n_sizes; i++) {
        if (eval->sizes[i].symbol != symbol) continue;
        eval->sizes[i].value = size;
        return;
    }
    if (eval->n_sizes == eval->sizes_capacity)
        eval->sizes = vec_grow(eval->sizes, eval->n_sizes, &eval->sizes_capacity, sizeof *eval->sizes);
    eval->sizes[eval->n_sizes++] = (struct EvalSize){symbol, size};
}

static bool symbol_value(void *data, Name symbol, int64_t *value)
{
    const Eval *eval = data;
    for (size_t i = 0; i < eval->n_sizes; i++) {
        if (eval->sizes[i].symbol != symbol) continue;
        *value = eval->sizes[i].value;
        return true;
    }
    return false;
}

bool eval_dim(Eval *eval, Node node, Dim dim, int64_t *value)
{
    DimTable *dims = graph_dims(eval->graph);
    if (dim_evaluate(dims, dim, symbol_value, eval, value)) return true;
    Text text = {0};
    dim_print(dims, dim, &text);
    eval_fail(eval, node, "the size `%s` cannot be computed: a name in it has no value, or it divides by 0",
              text_get(&text));
    text_free(&text);
    return false;
}

bool eval_sizes(Eval *eval, const Type *type, int64_t *dims, int64_t *count)
{
    enum { LARGEST = 1 << 30 };
    *count = 1;
    for (uint32_t i = 0; i < type->rank; i++) {
        if (!dim_evaluate(graph_dims(eval->graph), type->dims[i], symbol_value, eval, &dims[i])) return false;
        if (dims[i] < 0 || dims[i] > LARGEST || __builtin_mul_overflow(*count, dims[i], count)) return false;
        if (*count > LARGEST) return false;
    }
    return true;
}
