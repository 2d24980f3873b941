/* Broadcasting: trailing axes are aligned, and one operand may be stretched to the shape of the other, never both. */
#include <assert.h>
#include <string.h>

#include "elaborate/elaborator.h"

static bool is_one(const Elaborator *el, Dim dim)
{
    int64_t size;
    return dim_is_constant(el->dims, dim, &size) && size == 1;
}

/* A shape during alignment, and which operand it is so far. */
typedef struct {
    uint32_t rank;
    Dim dims[MAX_RANK];
} Shape;

typedef enum { FIT, MISMATCH, TWO_SIDED } Fit;

static Fit combine(const Elaborator *el, const Shape *a, const Shape *b, Shape *result, uint32_t *axis)
{
    bool stretched_a = false, stretched_b = false;
    result->rank = a->rank > b->rank ? a->rank : b->rank;
    for (uint32_t i = 0; i < result->rank; i++) {
        int from_a = (int)i - (int)(result->rank - a->rank), from_b = (int)i - (int)(result->rank - b->rank);
        Dim x = from_a >= 0 ? a->dims[from_a] : DIM_NONE, y = from_b >= 0 ? b->dims[from_b] : DIM_NONE;
        *axis = i;
        result->dims[i] = x;
        if (dim_same(x, y)) continue;
        bool loose_x = dim_is_none(x) || is_one(el, x), loose_y = dim_is_none(y) || is_one(el, y);
        if (loose_x && loose_y) {
            if (dim_is_none(x)) result->dims[i] = y;
        } else if (loose_x) {
            result->dims[i] = y;
            stretched_a = true;
        } else if (loose_y) {
            stretched_b = true;
        } else {
            return MISMATCH;
        }
    }
    /* A scalar stretches freely beside anything. */
    return stretched_a && stretched_b ? TWO_SIDED : FIT;
}

static void visit_symbol(void *data, Name symbol)
{
    Name *first = data;
    if (!*first) *first = symbol;
}

void note_dim(Elaborator *el, Diag *diag, Dim dim)
{
    Name symbol = NULL;
    if (!dim_is_none(dim)) dim_symbols(el->dims, dim, visit_symbol, &symbol);
    size_t known = symbol ? named_find(el, NAMED_FREE_SIZE, symbol) : NAME_MAP_NONE;
    if (known != NAME_MAP_NONE)
        diag_note(diag, el->dim_places.at[known].place, "the size `%s` is first named here", symbol);
}

/* Where a tensor that takes part in a mistake comes from. */
static void note_operand(Elaborator *el, Diag *diag, Value x, const Syntax *syntax)
{
    const Span *places;
    uint32_t count = graph_places(el->graph, x.node, &places);
    Type type = value_type(el, x);
    Span at = syntax ? syntax->span : NO_SPAN;
    if (count && places[0].end && (!syntax || syntax->kind == SYNTAX_NAME)) at = places[0];
    if (at.end) diag_note(diag, at, "`%s` is `%s`", syntax ? syntax_text(el, syntax) : "this", type_text(el, &type));
}

static const Syntax *operand_syntax(const Syntax *at, uint32_t i)
{
    if (at->kind != SYNTAX_BINARY && at->kind != SYNTAX_CHOOSE) return NULL;
    return i < at->n_kids ? at->kids[i] : NULL;
}

static void report(Elaborator *el, Fit fit, Value *operands, uint32_t a, uint32_t b, const Shape *shapes,
                   const Syntax *at)
{
    Type x = value_type(el, operands[a]), y = value_type(el, operands[b]);
    Diag *diag;
    if (fit == TWO_SIDED) {
        diag = complain(el, DIAG_two_sided_stretch, at->span,
                        "`%s` and `%s` would both have to be stretched to fit each other", type_text(el, &x),
                        type_text(el, &y));
        diag_hint(diag, "give both the same axes first (`x[:, 0]`, `reshape`), or write an outer product in index "
                        "notation: `y[i, j] = a[i] - b[j]`");
    } else {
        diag = complain(el, DIAG_shape_mismatch, at->span, "shapes `%s` and `%s` do not fit", type_text(el, &x),
                        type_text(el, &y));
    }
    note_operand(el, diag, operands[a], operand_syntax(at, a));
    note_operand(el, diag, operands[b], operand_syntax(at, b));
    if (fit == MISMATCH) {
        uint32_t shorter = shapes[a].rank < shapes[b].rank ? shapes[a].rank : shapes[b].rank;
        for (uint32_t back = 1; back <= shorter; back++) {
            Dim p = shapes[a].dims[shapes[a].rank - back], q = shapes[b].dims[shapes[b].rank - back];
            if (dim_same(p, q) || is_one(el, p) || is_one(el, q)) continue;
            note_dim(el, diag, p);
            note_dim(el, diag, q);
            diag_hint(diag, "their axis -%u has %s and %s", back, dim_text(el, p), dim_text(el, q));
            break;
        }
    }
}

/* All labels of the operands, by serial number. */
static uint32_t union_labels(const Value *operands, uint32_t count, Label **labels)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < operands[i].count; k++) {
            Label *label = operands[i].labels[k];
            uint32_t at = 0;
            while (at < n && labels[at]->serial < label->serial) at++;
            if (at < n && labels[at] == label) continue;
            memmove(labels + at + 1, labels + at, (n - at) * sizeof *labels);
            labels[at] = label;
            n++;
        }
    return n;
}

Node spread(Elaborator *el, Value x, Label *const *labels, uint32_t n_labels, uint32_t rank, const Dim *dims)
{
    Type to = {.dtype = node_type(el->graph, x.node)->dtype, .rank = n_labels + rank};
    for (uint32_t i = 0; i < n_labels; i++) to.dims[i] = labels[i]->extent;
    for (uint32_t i = 0; i < rank; i++) to.dims[n_labels + i] = dims[i];
    if (type_same_shape(node_type(el->graph, x.node), &to)) return x.node;
    if (node_is_constant(el->graph, x.node, NULL)) return build_spread_constant(el->graph, x.node, &to);

    /* Axes of size 1 that are stretched vanish first: a broadcast node only adds axes. */
    Type own = *node_type(el->graph, x.node), squeezed = type_with(own, own.dtype);
    int32_t axes[MAX_RANK] = {0};
    uint32_t kept = 0, positional = own.rank - x.count;
    for (uint32_t i = 0; i < own.rank; i++) {
        uint32_t target = n_labels + rank - positional + (i - x.count);
        if (i < x.count) {
            target = 0;
            while (labels[target] != x.labels[i]) target++;
        } else if (!dim_same(own.dims[i], to.dims[target])) {
            continue;
        }
        squeezed.dims[kept] = own.dims[i];
        axes[kept++] = (int32_t)target;
    }
    Node node = kept < own.rank ? build_reshape(el->graph, x.node, kept, squeezed.dims) : x.node;
    return build_broadcast(el->graph, node, &to, axes);
}

bool align(Elaborator *el, Value *operands, uint32_t count, const Syntax *at, Label *const **labels, uint32_t *n_labels)
{
    Label *all[MAX_RANK * 3];
    Shape shapes[3], shape;
    assert(count <= 3);
    for (uint32_t i = 0; i < count; i++) {
        if (value_is_error(operands[i])) return false;
        Type type = value_type(el, operands[i]);
        shapes[i].rank = type.rank;
        memcpy(shapes[i].dims, type.dims, sizeof type.dims);
    }
    /* The last two first: the branches of a choice belong together. */
    uint32_t axis;
    shape = shapes[count - 1];
    for (uint32_t i = count - 1; i-- > 0;) {
        Shape both = {0};
        Fit fit = combine(el, &shapes[i], &shape, &both, &axis);
        if (fit != FIT) {
            report(el, fit, operands, i, i + 1, shapes, at);
            return false;
        }
        shape = both;
    }
    *n_labels = union_labels(operands, count, all);
    if (*n_labels + shape.rank > MAX_RANK) {
        complain(el, DIAG_too_many_axes, at->span, "the result would have more than %d axes", MAX_RANK);
        return false;
    }
    *labels = *n_labels ? ARENA_COPY(el->arena, Label *, all, *n_labels) : NULL;
    for (uint32_t i = 0; i < count; i++)
        operands[i] =
            value_labelled(el, spread(el, operands[i], all, *n_labels, shape.rank, shape.dims), all, *n_labels);
    return true;
}

Value broadcast_to(Elaborator *el, Value x, uint32_t rank, const Dim *dims, Span at)
{
    x = value_as_tensor(el, x, DTYPE_COUNT, at);
    if (value_is_error(x)) return x;
    if (x.count + rank > MAX_RANK) {
        complain(el, DIAG_too_many_axes, at, "the result would have more than %d axes", MAX_RANK);
        return value_error();
    }
    Type own = value_type(el, x), to = type_make(own.dtype, rank, dims);
    Shape a = {.rank = own.rank}, b = {.rank = rank}, result;
    memcpy(a.dims, own.dims, sizeof own.dims);
    memcpy(b.dims, to.dims, sizeof to.dims);
    uint32_t axis;
    bool good = combine(el, &a, &b, &result, &axis) == FIT && result.rank == rank;
    for (uint32_t i = 0; good && i < rank; i++) good = dim_same(result.dims[i], dims[i]);
    if (!good) {
        Diag *diag = complain(el, DIAG_shape_mismatch, at, "`%s` cannot be stretched to `%s`", type_text(el, &own),
                              type_text(el, &to));
        note_dim(el, diag, axis < rank ? dims[axis] : DIM_NONE);
        return value_error();
    }
    return value_labelled(el, spread(el, x, x.labels, x.count, rank, dims), x.labels, x.count);
}
