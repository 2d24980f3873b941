/* Index notation: `y[n, o] = sum[i](x[n, i] * W[i, o])`. Indices label axes; a value with labels takes part in all
 * operations, which align labelled axes by label. */
#include <string.h>

#include "elaborate/elaborator.h"
#include "elaborate/index_internal.h"

/* Names that a reducer inside hides from the search for extents. */
typedef struct Hidden Hidden;
struct Hidden {
    const Syntax *subs;
    const Hidden *outer;
};

static bool is_hidden(const Hidden *hidden, const Syntax *sub)
{
    for (; hidden; hidden = hidden->outer)
        for (uint32_t i = 1; i < hidden->subs->n_kids; i++) {
            const Syntax *other = hidden->subs->kids[i];
            if (sub->kind == SYNTAX_DOTS ? other->kind == SYNTAX_DOTS : other->name == sub->name && other->name)
                return true;
        }
    return false;
}

/* The axes of what is read; false where it has none that say how far an index runs. */
static bool read_type(Elaborator *el, Scope *scope, const Syntax *base, Type *type)
{
    if (base->kind != SYNTAX_NAME) return false;
    bool constant = !scope_find(scope, base->name, false);
    if (constant && !items_find(el->items, SPACE_CONST, base->name, scope->inside_prelude)) return false;
    Value value = scope_value(el, scope, base);
    *type = (Type){.rank = 0};
    if (value.kind == VALUE_TENSOR) *type = value_type(el, value);
    while (value.kind == VALUE_LIST && value.count && type->rank < MAX_RANK) {
        type->dims[type->rank++] = dim_constant(el->dims, value.count);
        value = value.items[0];
    }
    return type->rank != 0;
}

static void infer_read(Elaborator *el, Scope *scope, const Syntax *node, const Hidden *hidden)
{
    const Syntax *subs = kid_subs(node);
    Type type;
    if (!read_type(el, scope, kid_base(node), &type)) return;
    uint32_t wanted = 0, axis = 0;
    for (uint32_t i = 1; i < subs->n_kids; i++) wanted += subs->kids[i]->kind != SYNTAX_DOTS;
    if (wanted > type.rank) return;
    for (uint32_t i = 1; i < subs->n_kids; i++) {
        const Syntax *sub = subs->kids[i];
        bool dots = sub->kind == SYNTAX_DOTS;
        uint32_t width = dots ? type.rank - wanted : 1;
        Name name = dots ? el->name_axes : sub->kind == SYNTAX_NAME ? sub->name : NULL;
        const Binding *index = name && !is_hidden(hidden, sub) ? scope_find(scope, name, false) : NULL;
        if (index && index->value.kind == VALUE_INDEX && dim_is_none(index->value.label->extent))
            index->value.label->extent = type.dims[axis];
        if (index && index->value.kind == VALUE_AXES && !index->value.axes->known)
            meet_axes(el, index->value.axes, type.dims + axis, width, sub->span);
        axis += width;
    }
}

static void infer(Elaborator *el, Scope *scope, const Syntax *node, const Hidden *hidden)
{
    if (!node) return;
    if (node->kind == SYNTAX_BINARY) {
        SyntaxChain chain = {0};
        infer(el, scope, syntax_chain(node, &chain), hidden);
        while (chain.count) infer(el, scope, kid_right(vec_pop(&chain)), hidden);
        vec_free(&chain);
        return;
    }
    Hidden inner = {NULL, hidden};
    if (node->kind == SYNTAX_CALL && kid_callee(node)->kind == SYNTAX_SUBSCRIPT) {
        const Syntax *name = kid_base(kid_callee(node));
        bool keeps = name->name && !strcmp(name->name, "softmax");
        inner.subs = kid_subs(kid_callee(node));
        for (uint32_t i = 1; i < node->n_kids; i++) infer(el, scope, node->kids[i], keeps ? hidden : &inner);
        return;
    }
    if (node->kind == SYNTAX_SUBSCRIPT) infer_read(el, scope, node, hidden);
    for (uint32_t i = 0; i < node->n_kids; i++) infer(el, scope, node->kids[i], hidden);
}

/* Gives indices of `scope` that have no extent yet one, from how `node` reads tensors. */
static void infer_extents(Elaborator *el, Scope *scope, const Syntax *node)
{
    infer(el, scope, node, NULL);
}

/* Indices named by a left side or a reducer's bracket, in order; `...` may add more later. */
typedef struct {
    const Syntax *subs;
    Label *labels[1 + MAX_RANK]; /* one a subscript, from 1; NULL for `...` */
    Axes *axes;
} Indices;

static bool name_indices(Elaborator *el, Scope *scope, Scope *inner, const Syntax *subs, Indices *indices)
{
    *indices = (Indices){.subs = subs};
    if (subs->n_kids > 1 + MAX_RANK) {
        complain(el, DIAG_too_many_axes, subs->span, "a tensor has at most %d axes", MAX_RANK);
        return false;
    }
    for (uint32_t i = 1; i < subs->n_kids; i++) {
        const Syntax *sub = subs->kids[i];
        if (sub->kind == SYNTAX_DOTS) {
            indices->axes = ARENA_NEW(el->arena, Axes);
            scope_bind(el, inner, el->name_axes, false, (Value){.kind = VALUE_AXES, .axes = indices->axes}, sub->span);
            continue;
        }
        if (sub->kind != SYNTAX_NAME && sub->kind != SYNTAX_INDEX) {
            Diag *diag = complain(el, DIAG_bad_index, sub->span, "an index is a name, not %s",
                                  syntax_phrase((SyntaxKind)sub->kind));
            diag_hint(diag, "write `i`, or with its extent `i in 10`");
            return false;
        }
        Label *label = ARENA_NEW(el->arena, Label);
        *label = (Label){sub->name, DIM_NONE, ++el->n_labels, sub->kind == SYNTAX_NAME ? sub->span : sub->name_span};
        if (sub->kind == SYNTAX_INDEX && !number_as_size(el, evaluate(el, scope, kid_extent(sub)), "an index's extent",
                                                         kid_extent(sub)->span, &label->extent))
            return false;
        indices->labels[i] = label;
        scope_bind(el, inner, sub->name, false, (Value){.kind = VALUE_INDEX, .label = label}, label->place);
    }
    return true;
}

/* All labels in the order of the brackets; each must have an extent by now. */
static bool list_labels(Elaborator *el, const Indices *indices, Label **labels, uint32_t *count)
{
    *count = 0;
    for (uint32_t i = 1; i < indices->subs->n_kids; i++) {
        Label *label = indices->labels[i];
        const Axes *axes = label ? NULL : indices->axes;
        if (*count + (label ? 1 : axes->count) > MAX_RANK) {
            complain(el, DIAG_too_many_axes, indices->subs->span, "a tensor has at most %d axes", MAX_RANK);
            return false;
        }
        for (uint32_t k = 0; axes && k < axes->count; k++) labels[(*count)++] = axes->labels[k];
        if (!label) continue;
        if (dim_is_none(label->extent)) {
            Diag *diag = complain(el, DIAG_index_without_extent, label->place,
                                  "nothing says how far the index `%s` runs", label->name);
            diag_hint(diag, "state it: `%s in 10`", label->name);
            return false;
        }
        labels[(*count)++] = label;
    }
    return true;
}

static bool contains(Label *const *labels, uint32_t count, const Label *label)
{
    for (uint32_t i = 0; i < count; i++)
        if (labels[i] == label) return true;
    return false;
}

/* The value with all of these labels beside its own, by serial number. */
static bool with_labels(Elaborator *el, Value *value, Label *const *labels, uint32_t count, Span at)
{
    Label *all[2 * MAX_RANK];
    uint32_t n = 0;
    for (uint32_t i = 0; i < value->count; i++) all[n++] = value->labels[i];
    for (uint32_t i = 0; i < count; i++)
        if (!contains(value->labels, value->count, labels[i])) all[n++] = labels[i];
    for (uint32_t i = 1; i < n; i++) /* insertion sort: they are nearly in order */
        for (uint32_t k = i; k && all[k]->serial < all[k - 1]->serial; k--) {
            Label *swap = all[k];
            all[k] = all[k - 1];
            all[k - 1] = swap;
        }
    Type type = value_type(el, *value);
    if (n + type.rank > MAX_RANK) {
        complain(el, DIAG_too_many_axes, at, "the value would have more than %d axes", MAX_RANK);
        return false;
    }
    *value = value_labelled(el, spread(el, *value, all, n, type.rank, type.dims), all, n);
    return true;
}

/* Labelled axes of a left side become axes in its order; labels from further out stay labels. */
static Value place_axes(Elaborator *el, Value value, Label *const *left, uint32_t count)
{
    int32_t permutation[MAX_RANK];
    Label *outer[MAX_RANK];
    uint32_t n = 0;
    for (uint32_t i = 0; i < value.count; i++)
        if (!contains(left, count, value.labels[i])) {
            outer[n] = value.labels[i];
            permutation[n++] = (int32_t)i;
        }
    uint32_t n_outer = n;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < value.count; k++)
            if (value.labels[k] == left[i]) permutation[n++] = (int32_t)k;
    return value_labelled(el, n ? build_transpose(el->graph, value.node, permutation) : value.node, outer, n_outer);
}

static Value index_value(Elaborator *el, Scope *scope, const Syntax *left, const Syntax *right)
{
    Scope *inner = scope_new(el, scope, scope->inside_prelude);
    Indices indices;
    Label *labels[MAX_RANK];
    uint32_t count;
    if (kid_condition(kid_subs(left)))
        return unsupported(el, kid_condition(kid_subs(left))->span, "`where` on a left side");
    if (!name_indices(el, scope, inner, kid_subs(left), &indices)) return value_error();
    infer_extents(el, inner, right);
    Value value = value_as_tensor(el, evaluate(el, inner, right), DTYPE_COUNT, right->span);
    if (value_is_error(value) || !list_labels(el, &indices, labels, &count)) return value_error();
    Type rest = value_type(el, value);
    if (rest.rank) {
        Diag *diag = complain(el, DIAG_axis_without_index, right->span,
                              "the right side still has axes without an index: `%s`", type_text(el, &rest));
        diag_hint(diag, "give each axis an index on both sides, or reduce it: `sum[i](…)`");
        return value_error();
    }
    if (!with_labels(el, &value, labels, count, right->span)) return value_error();
    return place_axes(el, value, labels, count);
}

void index_assign(Elaborator *el, Scope *scope, const Syntax *left, const Syntax *right)
{
    const Syntax *name = kid_base(left);
    if (name->kind != SYNTAX_NAME) {
        complain(el, DIAG_bad_left_side, name->span, "only a name can be given indices on the left");
        return;
    }
    scope_assign(el, scope, name->name, identify(el, name->name, index_value(el, scope, left, right)), name->span);
}

/* Axes of the product's result that an operand really has; false where it was stretched. */
static Node unstretched(const Elaborator *el, Node x, bool *has, int32_t *labels, uint32_t *count)
{
    const NodeInfo *info = graph_node(el->graph, x);
    memset(has, 0, MAX_RANK * sizeof *has);
    bool stretched = info->op == OP_BROADCAST;
    *count = stretched ? node_type(el->graph, info->args[0])->rank : info->type.rank;
    for (uint32_t i = 0; i < *count; i++) {
        labels[i] = stretched ? info->attr.ints[i] : (int32_t)i;
        has[labels[i]] = true;
    }
    return stretched ? info->args[0] : x;
}

/* sum over a product of two stretched values is a contraction. */
static Node contraction(Elaborator *el, Node product, const int32_t *axes, uint32_t n_axes)
{
    const NodeInfo info = *graph_node(el->graph, product);
    if (info.op != OP_MUL || !dtype_is_float(info.type.dtype)) return NODE_NONE;
    bool in_a[MAX_RANK], in_b[MAX_RANK], reduced[MAX_RANK] = {0};
    int32_t labels[3 * MAX_RANK];
    uint32_t n, m, n_result = 0;
    Node a = unstretched(el, info.args[0], in_a, labels, &n);
    Node b = unstretched(el, info.args[1], in_b, labels + n, &m);
    if (node_same(a, info.args[0]) && node_same(b, info.args[1])) return NODE_NONE;
    for (uint32_t i = 0; i < n_axes; i++) {
        reduced[axes[i]] = true;
        if (!in_a[axes[i]] || !in_b[axes[i]]) return NODE_NONE;
    }
    for (uint32_t i = 0; i < info.type.rank; i++) {
        if (!in_a[i] && !in_b[i]) return NODE_NONE;
        if (!reduced[i]) labels[n + m + n_result++] = (int32_t)i;
    }
    return build_contract(el->graph, a, b, labels, n_result);
}

static Value reduce_labels(Elaborator *el, const Builtin *builtin, Value value, Label *const *labels, uint32_t count)
{
    int32_t axes[MAX_RANK];
    Label *kept[MAX_RANK];
    uint32_t n_axes = 0, n_kept = 0;
    for (uint32_t i = 0; i < value.count; i++) {
        if (contains(labels, count, value.labels[i]))
            axes[n_axes++] = (int32_t)i;
        else
            kept[n_kept++] = value.labels[i];
    }
    Node node = builtin->id == BUILTIN_ID_sum ? contraction(el, value.node, axes, n_axes) : NODE_NONE;
    if (node_is_none(node)) node = n_axes ? reduce_node(el, builtin->id, value.node, axes, n_axes) : value.node;
    return value_labelled(el, node, kept, n_kept);
}

/* softmax[j] and log_softmax[j] work along an index of the statement, and keep it. */
static Value along_index(Elaborator *el, Scope *scope, const Builtin *builtin, const Syntax *subs, const Syntax *body)
{
    const Syntax *sub = kid_sub(subs);
    const Binding *index = sub->name ? scope_find(scope, sub->name, false) : NULL;
    if (subs->n_kids != 2 || !index || index->value.kind != VALUE_INDEX) {
        Diag *diag =
            complain(el, DIAG_bad_index, subs->span, "`%s[j]` works along one index of the left side", builtin->name);
        diag_hint(diag, "`a[i, j] = softmax[j](s[i, j])`");
        return value_error();
    }
    Label *label = index->value.label;
    Value x = value_as_tensor(el, evaluate(el, scope, body), DTYPE_COUNT, body->span);
    if (value_is_error(x)) return x;
    if (!contains(x.labels, x.count, label)) {
        complain(el, DIAG_unused_index, body->span, "this does not depend on the index `%s`", label->name);
        return value_error();
    }
    uint32_t axis = 0;
    while (x.labels[axis] != label) axis++;
    if (!dtype_is_float(node_type(el->graph, x.node)->dtype)) x = convert(el, x, el->real, body->span);
    Op op = builtin->id == BUILTIN_ID_softmax ? OP_SOFTMAX : OP_LOG_SOFTMAX;
    return value_labelled(el, build_along(el->graph, op, x.node, axis), x.labels, x.count);
}

static bool is_reducer(const Builtin *builtin)
{
    return builtin->family == BUILTIN_REDUCE && builtin->id != BUILTIN_ID_variance;
}

Value index_reduce(Elaborator *el, Scope *scope, const Syntax *node)
{
    const Syntax *name = kid_base(kid_callee(node)), *subs = kid_subs(kid_callee(node));
    Builtin builtin;
    bool found = name->kind == SYNTAX_NAME && builtin_find(name->name, &builtin);
    bool softmax = found && (builtin.id == BUILTIN_ID_softmax || builtin.id == BUILTIN_ID_log_softmax);
    if (!found || (!softmax && !is_reducer(&builtin))) {
        Diag *diag = complain(el, DIAG_unknown_reducer, name->span, "`%s` is no reducer", syntax_text(el, name));
        diag_hint(diag, "reducers are: sum mean max min prod any all logsumexp argmax argmin softmax log_softmax");
        return value_error();
    }
    if (kid_condition(subs)) return unsupported(el, kid_condition(subs)->span, "`where` in a reducer");
    if (node->n_kids != 2 || kid_arg(node)->kind == SYNTAX_KEYWORD) {
        complain(el, DIAG_too_many_arguments, node->span, "a reducer takes one expression");
        return value_error();
    }
    const Syntax *body = kid_arg(node);
    if (softmax) return along_index(el, scope, &builtin, subs, body);
    Scope *inner = scope_new(el, scope, scope->inside_prelude);
    Indices indices;
    Label *labels[MAX_RANK];
    uint32_t count;
    if (!name_indices(el, scope, inner, subs, &indices)) return value_error();
    infer_extents(el, inner, body);
    Value value = reduction_operand(el, &builtin, evaluate(el, inner, body), body->span);
    if (value_is_error(value) || !list_labels(el, &indices, labels, &count)) return value_error();
    if ((builtin.id == BUILTIN_ID_argmax || builtin.id == BUILTIN_ID_argmin) && count != 1) {
        complain(el, DIAG_bad_index, subs->span, "`%s` takes one index", builtin.name);
        return value_error();
    }
    if (!with_labels(el, &value, labels, count, body->span)) return value_error();
    return reduce_labels(el, &builtin, value, labels, count);
}
