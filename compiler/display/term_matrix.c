/* Products of matrices and vectors, and what lines axes up. */
#include <string.h>

#include "display/term_internal.h"

/* x @ y, where numbers and scalars stand outside. */
static Term *matmul(TermBuilder *b, Term *x, bool tx, Term *y, bool ty)
{
    Term *sx, *sy, *rest = term_take_scalars(b->arena, x, &sx);
    if (rest)
        x = rest;
    else
        sx = NULL;
    rest = term_take_scalars(b->arena, y, &sy);
    if (rest)
        y = rest;
    else
        sy = NULL;
    if (tx) x = term_wrap(b, TERM_T, x, NULL);
    if (ty) y = term_wrap(b, TERM_T, y, NULL);
    Term *product = term_begin_product(b->arena, 1);
    if (sx) term_multiply(b->arena, product, sx, 1);
    if (sy) term_multiply(b->arena, product, sy, 1);
    term_multiply(b->arena, product, term_wrap(b, TERM_MATMUL, x, y), 1);
    return term_finish_product(b->arena, product);
}

static Term *reshaped(TermBuilder *b, const char *how, Term *x, const char *shape)
{
    Term *term = term_make(b->arena, TERM_CALL, RANK_CALL, 1);
    term->name = how;
    term->kids[0] = x;
    term->note = shape;
    return term;
}

/* A vector as a matrix of one column or row; numbers and scalars stay outside. */
static Term *as_matrix(TermBuilder *b, Node node, Term *x, bool column)
{
    Text text = {0};
    text_string(&text, column ? "[" : "[1, ");
    dim_print(graph_dims(b->graph), node_type(b->graph, node)->dims[0], &text);
    text_string(&text, column ? ", 1]" : "]");
    Term *scalar, *rest = term_take_scalars(b->arena, x, &scalar);
    Term *matrix = reshaped(b, column ? "column" : "row", rest ? rest : x, term_text(b, &text));
    return rest && scalar ? term_product(b->arena, scalar, 1, matrix, 1, 1) : matrix;
}

/* Index letters: what `@` cannot say. */
static Term *contraction_in_letters(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    static const char *const before[] = {"", ", ", " -> "};
    const uint32_t ranks[] = {node_type(b->graph, info->args[0])->rank, node_type(b->graph, info->args[1])->rank,
                              info->type.rank};
    const int32_t *letter = info->attr.ints;
    Text text = {0};
    for (int side = 0; side < 3; side++) {
        text_format(&text, "%s[", before[side]);
        for (uint32_t i = 0; i < ranks[side]; i++)
            text_format(&text, "%s%c", i ? ", " : "", (char)('i' + *letter++ % 16));
        text_string(&text, "]");
    }
    return term_call(b, node, "contract", term_text(b, &text));
}

/* Two matrices, one common axis summed. */
static Term *matrix_product(TermBuilder *b, const int32_t *la, const int32_t *lb, const int32_t *lc, Term *x, Term *y)
{
    if (lc[0] == lb[0] || lc[0] == lb[1]) {
        const int32_t *labels = la;
        Term *term = x;
        la = lb, lb = labels;
        x = y, y = term;
    }
    bool plain_a = la[0] == lc[0], plain_b = lb[1] == lc[1];
    int32_t ka = plain_a ? la[1] : la[0], kb = plain_b ? lb[0] : lb[1];
    if (ka != kb || (la[0] != lc[0] && la[1] != lc[0])) return NULL;
    return matmul(b, x, !plain_a, y, !plain_b);
}

/* An operand of a product of matrices: one number everywhere is a multiple of `ones`. */
static Term *operand(TermBuilder *b, Node node, uint32_t i)
{
    Term *term = term_kid(b, node, i);
    const Type *type = node_type(b->graph, graph_node(b->graph, node)->args[i]);
    if (!term->scalar || !type->rank) return term;
    Term *ones = term_make(b->arena, TERM_CALL, RANK_CALL, 0);
    ones->name = "ones";
    ones->note = term_dims_note(b, type);
    return term_product(b->arena, term, 1, ones, 1, 1);
}

/* A column times a row. One number in each place of either makes it a multiple of the other. */
static Term *outer_product(TermBuilder *b, Node left, Term *x, Node right, Term *y)
{
    if (x->scalar) return term_product(b->arena, x, 1, y, 1, 1);
    Term *column = as_matrix(b, left, x, true);
    if (y->scalar) return term_product(b->arena, column, 1, y, 1, 1);
    return matmul(b, column, false, as_matrix(b, right, y, false), false);
}

/* a @ b with transposes where both are matrices or vectors and one axis is summed. */
Term *term_contraction(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    uint32_t ra = node_type(b->graph, info->args[0])->rank, rb = node_type(b->graph, info->args[1])->rank;
    const int32_t *la = info->attr.ints, *lb = la + ra, *lc = lb + rb;
    Term *x = operand(b, node, 0), *y = operand(b, node, 1), *result = NULL;
    uint32_t rank = info->type.rank;
    if (ra == 2 && rb == 2 && rank == 2)
        result = matrix_product(b, la, lb, lc, x, y);
    else if (ra == 1 && rb == 1 && rank == 0)
        result = matmul(b, x, false, y, false);
    else if (ra == 2 && rb == 1 && rank == 1)
        result = matmul(b, x, la[0] == lb[0], y, false);
    else if (ra == 1 && rb == 2 && rank == 1)
        result = matmul(b, y, lb[0] == la[0], x, false);
    else if (ra == 1 && rb == 1 && rank == 2 && lc[0] == la[0])
        result = outer_product(b, info->args[0], term_kid(b, node, 0), info->args[1], term_kid(b, node, 1));
    else if (ra == 1 && rb == 1 && rank == 2)
        result = outer_product(b, info->args[1], term_kid(b, node, 1), info->args[0], term_kid(b, node, 0));
    else if (ra > 2 && rb == 2 && rank == ra && la[ra - 1] == lb[0] && lc[ra - 1] == lb[1])
        result = matmul(b, x, false, y, false);
    return result ? result : contraction_in_letters(b, node);
}

static Term *with_kept_axes(TermBuilder *b, Node from, const int32_t *axes, uint32_t rank);

static Term *keep_axes(TermBuilder *b, Node from, const int32_t *axes, uint32_t rank)
{
    const NodeInfo *info = graph_node(b->graph, from);
    OpClass class = op_info(info->op)->class;
    Term *saved[3];
    if (class == OP_CLASS_REDUCTION && node_type(b->graph, info->args[0])->rank == rank) {
        uint32_t next = 0;
        for (uint32_t i = 0; i < info->type.rank; i++, next++) {
            while (next < rank && term_is_reduced(info, next)) next++;
            if ((uint32_t)axes[i] != next) return NULL;
        }
        return term_reduction(b, from, true);
    }
    if (class != OP_CLASS_ELEMENTWISE || term_ends_chain(b, from)) return NULL;
    Term *result = NULL;
    bool good = true;
    uint32_t n_args = info->n_args;
    for (uint32_t i = 0; i < n_args; i++) saved[i] = term_kid(b, from, i);
    for (uint32_t i = 0; i < n_args && good; i++) {
        Term *kept = with_kept_axes(b, info->args[i], axes, rank);
        good = kept != NULL;
        if (good) b->terms[info->args[i].id] = kept;
    }
    if (good) result = term_elementwise(b, from);
    for (uint32_t i = 0; i < n_args; i++) b->terms[info->args[i].id] = saved[i];
    return result;
}

/* The value of `from` with a 1 at each axis that `axes` skips: what its reductions reduced is kept. NULL where it
 * cannot be said so. What is asked for again is the same term. */
static Term *with_kept_axes(TermBuilder *b, Node from, const int32_t *axes, uint32_t rank)
{
    KeptAxes *kept = &b->kept[from.id];
    size_t size = node_type(b->graph, from)->rank * sizeof *axes;
    if (b->terms[from.id]->scalar) return b->terms[from.id];
    if (b->names[from.id]) return NULL;
    if (kept->term && kept->rank == rank && !memcmp(kept->axes, axes, size)) return kept->term;
    Term *term = keep_axes(b, from, axes, rank);
    kept->rank = rank;
    memcpy(kept->axes, axes, size);
    kept->term = term;
    return term;
}

/* Axes that do not line up from the right need their place kept. */
Term *term_broadcast(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    const Type *inner = node_type(b->graph, info->args[0]);
    bool aligned = true;
    for (uint32_t i = 0; i < inner->rank; i++)
        aligned &= (uint32_t)info->attr.ints[i] + inner->rank == info->type.rank + i;
    Term *x = term_kid(b, node, 0);
    if (aligned || x->scalar) return x;
    Term *kept = with_kept_axes(b, info->args[0], info->attr.ints, info->type.rank);
    if (kept) return kept;
    Text text = {0};
    uint32_t k = 0;
    for (uint32_t i = 0; i < info->type.rank; i++) {
        text_string(&text, i ? ", " : "[");
        if (k < inner->rank && (uint32_t)info->attr.ints[k] == i)
            dim_print(graph_dims(b->graph), inner->dims[k++], &text);
        else
            text_string(&text, "1");
    }
    text_string(&text, "]");
    return reshaped(b, "reshape", x, term_text(b, &text));
}

/* One along the last axis: pick, one_hot; rows: a subscript. */
Term *term_gather_node(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    uint32_t rank = node_type(b->graph, info->args[0])->rank, axis = (uint32_t)info->attr.ints[0];
    uint32_t batch = (uint32_t)info->attr.ints[1], ids = node_type(b->graph, info->args[1])->rank;
    if (axis + 1 == rank && batch == axis && ids == batch) return term_call(b, node, "pick", NULL);
    if (axis || batch) return term_call(b, node, "gather", NULL);
    Term *term = term_wrap(b, TERM_INDEX, term_kid(b, node, 0), term_kid(b, node, 1));
    return term;
}

Term *term_scatter_node(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    uint32_t axis = (uint32_t)info->attr.ints[0], batch = (uint32_t)info->attr.ints[1];
    uint32_t ids = node_type(b->graph, info->args[0])->rank;
    Term *g = term_kid(b, node, 1);
    bool last = axis + 1 == info->type.rank && batch == axis && ids == batch;
    if (!last) return term_call(b, node, "scatter_add", NULL);
    Term *hot = term_make(b->arena, TERM_CALL, RANK_CALL, 1);
    hot->name = "one_hot";
    hot->kids[0] = term_kid(b, node, 0);
    if (dim_is_none(node_type(b->graph, info->args[0])->range)) {
        Text text = {0};
        dim_print(graph_dims(b->graph), info->type.dims[axis], &text);
        hot->note = term_text(b, &text);
    }
    if (g->scalar) return term_product(b->arena, g, 1, hot, 1, 1);
    Text text = {0};
    text_string(&text, "[");
    for (uint32_t i = 0; i < axis; i++) {
        dim_print(graph_dims(b->graph), info->type.dims[i], &text);
        text_string(&text, ", ");
    }
    text_string(&text, "1]");
    return term_product(b->arena, reshaped(b, "reshape", g, term_text(b, &text)), 1, hot, 1, 1);
}
