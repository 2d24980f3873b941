/* What operators need of sizes beyond what their type rule decides, as checks of the module: no size and no width of a
 * frame is negative, as `n - 5` may be; the position of the largest of no elements would lie outside of every axis, and
 * the largest of no indices, or the zeros around them, outside of their range. It runs before differentiation: what
 * that makes takes no such value as an index. */
#include "ir/build.h"
#include "passes/passes_internal.h"
#include "support/memory.h"
#include "support/vector.h"

typedef struct {
    Module *module;
    Graph *graph;
    DimTable *dims;
    Vec(Check) checks;
    bool failed;
} Requirements;

/* Requires that the free `size` is at least `least` as soon as it is known; `message` says why. */
static void require_later(Requirements *r, Node node, int64_t least, Dim size, const char *message)
{
    Node bound = build_size(r->graph, dim_constant(r->dims, least), DTYPE_I64);
    Node condition = build_binary(r->graph, OP_LE, bound, build_size(r->graph, size, DTYPE_I64));
    vec_push(&r->checks, ((Check){DIM_NONE, DIM_NONE, condition, message, node_place(r->graph, node)}));
}

/* Requires that `size` is at least 1; `message` says why. */
static void require_element(Requirements *r, Node node, Dim size, const char *message)
{
    int64_t known;
    if (!dim_is_constant(r->dims, size, &known)) {
        require_later(r, node, 1, size, message);
    } else if (known < 1) {
        diag_new(graph_context(r->graph)->diagnostics, DIAG_empty_axis, node_place(r->graph, node), "%s", message);
        r->failed = true;
    }
}

/* Requires that a free size, for which `what` stands, is not negative. */
static void require_natural(Requirements *r, Node node, Dim size, const char *what)
{
    int64_t known;
    if (dim_is_constant(r->dims, size, &known) || dim_at_least(r->dims, size, dim_constant(r->dims, 0))) return;
    Text text = {0};
    text_format(&text, "%s is negative: ", what);
    dim_print(r->dims, size, &text);
    require_later(r, node, 0, size, arena_text(graph_context(r->graph)->arena, text_get(&text), text.count));
    text_free(&text);
}

static bool has_dim(const Type *type, Dim dim)
{
    for (uint32_t i = 0; i < type->rank; i++)
        if (dim_same(type->dims[i], dim)) return true;
    return false;
}

/* The sizes that the node has of itself. Those of a slice were asked of its ends. */
static void require_sizes(Requirements *r, Node node)
{
    const NodeInfo info = *graph_node(r->graph, node);
    if (info.op == OP_SLICE) return;
    for (uint32_t i = 0; i < info.type.rank; i++) {
        bool known = false;
        for (uint32_t k = 0; k < info.n_args; k++)
            known |= has_dim(node_type(r->graph, info.args[k]), info.type.dims[i]);
        if (!known) require_natural(r, node, info.type.dims[i], "a size");
    }
    if (info.op != OP_PAD) return;
    const Type x = *node_type(r->graph, info.args[0]);
    for (uint32_t i = 0; i < x.rank; i++) {
        Dim front = info.attr.sizes[i], whole = dim_sub(r->dims, info.type.dims[i], x.dims[i]);
        require_natural(r, node, front, "the width of a pad");
        require_natural(r, node, dim_sub(r->dims, whole, front), "the width of a pad");
    }
}

static void require_axes(Requirements *r, Node node, const char *message)
{
    const NodeInfo info = *graph_node(r->graph, node);
    const Type type = *node_type(r->graph, info.args[0]);
    for (uint32_t i = 0; i < info.attr.n_ints; i++) require_element(r, node, type.dims[info.attr.ints[i]], message);
}

static void require(Requirements *r, Node node)
{
    const NodeInfo *info = graph_node(r->graph, node);
    Arena *arena = graph_context(r->graph)->arena;
    bool ranged = !dim_is_none(info->type.range);
    require_sizes(r, node);
    info = graph_node(r->graph, node);
    switch (info->op) {
    case OP_ARGMAX:
    case OP_ARGMIN:
        require_axes(r, node,
                     arena_format(arena, "`%s` needs an axis with at least one element", op_info(info->op)->spelling));
        break;
    case OP_REDUCE_MAX:
    case OP_REDUCE_MIN:
        if (ranged)
            require_axes(r, node,
                         arena_format(arena, "the %s of indices needs at least one of them",
                                      info->op == OP_REDUCE_MAX ? "largest" : "smallest"));
        break;
    case OP_PAD:
    case OP_WINDOW:
        if (ranged)
            require_element(r, node, info->type.range, "indices are padded with 0, which is not in their range");
        break;
    default:
        break;
    }
}

bool pass_require(Module *module, const PassOptions *options)
{
    (void)options;
    Requirements r = {.module = module, .graph = module->graph, .dims = graph_dims(module->graph)};
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    for (uint32_t i = 0; i < module->n_checks; i++) vec_push(&r.checks, module->checks[i]);
    for (uint32_t i = 0; i < count; i++) require(&r, nodes[i]);
    memory_free(nodes);
    if (r.checks.count > module->n_checks) {
        module->checks = ARENA_COPY(graph_context(module->graph)->arena, Check, r.checks.at, r.checks.count);
        module->n_checks = (uint32_t)r.checks.count;
    }
    vec_free(&r.checks);
    return !r.failed;
}
