/* Built-in functions by family; the larger families have files of their own. */
#include <math.h>
#include <string.h>

#include "elaborate/elaborator.h"
#include "support/memory.h"

static Value shape_of(Elaborator *el, Value x, Span at)
{
    if (x.kind == VALUE_LIST) {
        Value count = value_integer(el, x.count);
        return value_list(el, &count, 1);
    }
    x = value_as_tensor(el, x, DTYPE_COUNT, at);
    if (value_is_error(x)) return x;
    Type type = value_type(el, x);
    Value sizes[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++) sizes[i] = value_size(el, type.dims[i]);
    return value_list(el, sizes, type.rank);
}

/* True if the value, as a tensor, has an integer type. */
static bool is_integer(const Elaborator *el, Value x)
{
    bool all = x.count > 0;
    switch (x.kind) {
    case VALUE_TENSOR:
        return dtype_class(node_type(el->graph, x.node)->dtype) == DTYPE_CLASS_INTEGER;
    case VALUE_SIZE:
        return dim_same(x.divisor, dim_constant(el->dims, 1));
    case VALUE_LIST:
        for (uint32_t i = 0; all && i < x.count; i++) all = is_integer(el, x.items[i]);
        return all;
    default:
        return x.kind == VALUE_INDEX;
    }
}

/* Uniform in (0, 1); each evaluation under one path is a stream of its own. */
static Value random_of(Elaborator *el, Value shape, Span at)
{
    if (!el->body.draw) {
        Diag *diag = complain(el, DIAG_random_outside_draw, at, "random numbers are drawn only on the right of `~`");
        diag_hint(diag, "declare them: `draw u: [batch, 8] ~ uniform`");
        return value_error();
    }
    Type type = type_scalar(el->real);
    if (shape.kind != VALUE_LIST || shape.count > MAX_RANK) {
        complain(el, DIAG_not_a_shape, at, "`random` wants a shape, but this is %s", value_describe(el, shape));
        return value_error();
    }
    for (uint32_t i = 0; i < shape.count; i++)
        if (!number_as_size(el, shape.items[i], "a size", at, &type.dims[type.rank++])) return value_error();
    size_t known = named_find(el, NAMED_STREAM, el->body.draw);
    int64_t stream = known == NAME_MAP_NONE ? 0 : ++el->streams.at[known].count;
    if (known == NAME_MAP_NONE) vec_push(&el->streams, (Counter){el->body.draw, 0});
    el->effects++;
    return value_tensor(build_random(el->graph, el->body.draw, stream, type));
}

static bool reaches(const Graph *graph, Node from, Node to)
{
    uint32_t count;
    bool found = false;
    Node *nodes = graph_reachable(graph, &from, 1, &count);
    for (uint32_t i = 0; i < count && !found; i++) found = node_same(nodes[i], to);
    memory_free(nodes);
    return found;
}

/* Zero by the form of the graph, which is seldom meant. What leads to the name counts even where its derivative is
 * cut off or vanishes. */
static void warn_zero(Elaborator *el, Node of, Node by, const Syntax *of_syntax, const Syntax *by_syntax, Span at)
{
    if (reaches(el->graph, of, by)) return;
    const char *name = syntax_text(el, by_syntax);
    Diag *diag = complain(el, DIAG_zero_derivative, at, "this derivative is 0: `%s` does not depend on `%s`",
                          of_syntax ? syntax_text(el, of_syntax) : "the value", name);
    diag_hint(diag, "compute it from `%s`, and give a function this name itself, not an expression", name);
}

static Value gradient(Elaborator *el, Value of, Value by, const Syntax *of_syntax, const Syntax *by_syntax, Span at)
{
    bool named = by_syntax && (by_syntax->kind == SYNTAX_NAME || by_syntax->kind == SYNTAX_MEMBER);
    if (!named || by.kind != VALUE_TENSOR) {
        Diag *diag = complain(el, DIAG_derivative_by_expression, by_syntax ? by_syntax->span : at,
                              "a derivative is taken by a named value or parameter, not by %s", value_describe(el, by));
        diag_hint(diag, named
                            ? "a constant has no place in the graph: make it a `param`, or a value of a type, `f32(2)`"
                            : "give the expression a name first, and compute with that name");
        return value_error();
    }
    of = value_settled(el, value_as_tensor(el, of, DTYPE_COUNT, at));
    if (value_is_error(of)) return of;
    if (of.count || by.count) return unsupported(el, at, "a derivative inside index notation");
    Type type = value_type(el, of), wrt = value_type(el, by);
    Span of_at = of_syntax ? of_syntax->span : at;
    if (type.rank && el->interactive) {
        of = value_tensor(build_reduce_all(el->graph, OP_SUM, of.node));
        el->summed = true;
        el->effects++;
    } else if (type.rank) {
        Diag *diag = complain(el, DIAG_not_scalar, of_at, "only a single number has a gradient, but this is `%s`",
                              type_text(el, &type));
        diag_hint(diag, "`grad(sum(%s), %s)` adds its elements up first", of_syntax ? syntax_text(el, of_syntax) : "…",
                  syntax_text(el, by_syntax));
        return value_error();
    }
    if (!dtype_is_float(wrt.dtype) || !dtype_is_float(type.dtype)) {
        complain(el, DIAG_derivative_not_real, at, "derivatives are of and by real numbers, not `%s` by `%s`",
                 type_text(el, &type), type_text(el, &wrt));
        return value_error();
    }
    warn_zero(el, of.node, by.node, of_syntax, by_syntax, at);
    return value_tensor(build_gradient(el->graph, of.node, by.node));
}

static Value plain(Elaborator *el, const Builtin *builtin, const Value *args, const Syntax *const *syntax, Span at)
{
    double y, x;
    switch (builtin->id) {
    case BUILTIN_ID_shape:
        return shape_of(el, args[0], at);
    case BUILTIN_ID_is_integer:
        return value_bool(is_integer(el, args[0]));
    case BUILTIN_ID_random:
        return random_of(el, args[0], at);
    case BUILTIN_ID_atan2:
        if (value_is_constant(el, args[0], &y) && value_is_constant(el, args[1], &x)) return value_real(atan2(y, x));
        return elementwise(el, OP_ATAN2, args[0], args[1], &(Syntax){.span = at});
    default: {
        (void)syntax;
        Value value = value_as_tensor(el, args[0], DTYPE_COUNT, at);
        if (value_is_error(value)) return value;
        return value_labelled(el, build_stop_gradient(el->graph, value.node), value.labels, value.count);
    }
    }
}

static Value cast_to(Elaborator *el, const Builtin *builtin, Value x, Span at)
{
    DType dtype;
    dtype_parse(builtin->name, strlen(builtin->name), &dtype);
    return convert(el, x, dtype == DTYPE_F32 ? el->real : dtype, at);
}

Value call_builtin(Elaborator *el, const Builtin *builtin, const Value *args, uint32_t n_many, const bool *given,
                   const Syntax *const *syntax, Span at)
{
    switch (builtin->family) {
    case BUILTIN_REDUCE:
        return reduce(el, builtin, args, given, at);
    case BUILTIN_ALONG:
        return along(el, builtin, args, given, at);
    case BUILTIN_STRUCTURE:
        return structure(el, builtin, args, n_many, given, at);
    case BUILTIN_PLAIN:
        return plain(el, builtin, args, syntax, at);
    case BUILTIN_GRAD:
        return gradient(el, args[0], args[1], syntax[0], syntax[1], at);
    case BUILTIN_CAST:
        return cast_to(el, builtin, args[0], at);
    case BUILTIN_ELEMENTWISE:
        return elementwise_unary(el, builtin->op, args[0], at);
    }
    return value_error();
}
