/* Subscripts: single places, slices, gathers, and the indices of index notation, which label axes. */
#include <string.h>

#include "elaborate/elaborator.h"
#include "elaborate/index_internal.h"

/* A tensor while its subscripts are applied from the left: axes before `at` are done. */
typedef struct {
    Node node;
    Label *labels[MAX_RANK]; /* NULL: positional */
    uint32_t at;
} Reading;

static uint32_t rank_of(const Elaborator *el, const Reading *reading)
{
    return node_type(el->graph, reading->node)->rank;
}

/* Axes of a node, each with a label or NULL: sorted into the normal form of a labelled tensor. */
static Value arrange(Elaborator *el, Node node, Label *const *axes)
{
    uint32_t rank = node_type(el->graph, node)->rank, n = 0, n_labels = 0;
    int32_t permutation[MAX_RANK];
    Label *labels[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) n_labels += axes[i] != NULL;
    for (uint32_t k = 0; k < n_labels; k++) {
        int best = -1;
        for (uint32_t i = 0; i < rank; i++) {
            bool taken = !axes[i] || (k && axes[i]->serial <= labels[k - 1]->serial);
            if (!taken && (best < 0 || axes[i]->serial < axes[best]->serial)) best = (int)i;
        }
        labels[k] = axes[best];
        permutation[n++] = best;
    }
    for (uint32_t i = 0; i < rank; i++)
        if (!axes[i]) permutation[n++] = (int32_t)i;
    return value_labelled(el, rank ? build_transpose(el->graph, node, permutation) : node, labels, n_labels);
}

bool meet_extent(Elaborator *el, Label *label, Dim extent, Span at)
{
    if (dim_is_none(label->extent)) label->extent = extent;
    if (dim_same(label->extent, extent)) return true;
    Diag *diag = complain(el, DIAG_index_extent, at, "the index `%s` runs over %s elsewhere, but over %s here",
                          label->name, dim_text(el, label->extent), dim_text(el, extent));
    diag_note(diag, label->place, "the index is named here");
    note_dim(el, diag, label->extent);
    note_dim(el, diag, extent);
    return false;
}

static bool read_label(Elaborator *el, Reading *reading, Label *label, Span at)
{
    for (uint32_t i = 0; i < rank_of(el, reading); i++)
        if (reading->labels[i] == label) {
            unsupported(el, at, "the same index twice in one place (a diagonal)");
            return false;
        }
    if (!meet_extent(el, label, node_type(el->graph, reading->node)->dims[reading->at], at)) return false;
    reading->labels[reading->at++] = label;
    return true;
}

static void slice_axis(Elaborator *el, Reading *reading, Dim start, Dim size)
{
    Type type = *node_type(el->graph, reading->node);
    Dim starts[MAX_RANK], sizes[MAX_RANK];
    int32_t steps[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++) {
        starts[i] = i == reading->at ? start : dim_constant(el->dims, 0);
        sizes[i] = i == reading->at ? size : type.dims[i];
        steps[i] = 1;
    }
    reading->node = build_slice(el->graph, reading->node, starts, sizes, steps);
}

static bool read_range(Elaborator *el, Scope *scope, Reading *reading, const Syntax *range)
{
    Dim from, to;
    if (!range_of(el, scope, range, node_type(el->graph, reading->node)->dims[reading->at], &from, &to)) return false;
    slice_axis(el, reading, from, dim_sub(el->dims, to, from));
    reading->at++;
    return true;
}

static void drop_axis(Elaborator *el, Reading *reading)
{
    Type type = *node_type(el->graph, reading->node);
    for (uint32_t i = reading->at; i + 1 < type.rank; i++) {
        type.dims[i] = type.dims[i + 1];
        reading->labels[i] = reading->labels[i + 1];
    }
    reading->labels[type.rank - 1] = NULL;
    reading->node = build_reshape(el->graph, reading->node, type.rank - 1, type.dims);
}

static bool read_place(Elaborator *el, Reading *reading, Value value, Span at)
{
    Dim place;
    if (!place_of(el, value, node_type(el->graph, reading->node)->dims[reading->at], at, &place)) return false;
    slice_axis(el, reading, place, dim_constant(el->dims, 1));
    drop_axis(el, reading);
    return true;
}

/* Places in a list, as such of one place are. */
static Value places_of(Elaborator *el, const Reading *reading, Value list, Span at)
{
    Dim size = node_type(el->graph, reading->node)->dims[reading->at], place;
    Value *items = ARENA_ARRAY(el->arena, Value, list.count + 1);
    for (uint32_t i = 0; i < list.count; i++) {
        items[i] = list.items[i];
        if (items[i].kind == VALUE_LIST)
            items[i] = places_of(el, reading, items[i], at);
        else if (items[i].kind == VALUE_SIZE && place_of(el, items[i], size, at, &place))
            items[i] = value_size(el, place);
        else if (items[i].kind == VALUE_SIZE)
            return value_error();
        if (value_is_error(items[i])) return items[i];
    }
    return value_list(el, items, list.count);
}

static bool has_label(const Value *value, const Label *label)
{
    for (uint32_t i = 0; i < value->count; i++)
        if (value->labels[i] == label) return true;
    return false;
}

/* Axes of the read tensor and of the ids in the order that a gather wants: what both share first. */
static bool read_gather(Elaborator *el, Reading *reading, Value ids, Span at)
{
    uint32_t rank = rank_of(el, reading), id_rank = node_type(el->graph, ids.node)->rank, shared = 0, n = 0, m = 0;
    int32_t of_x[MAX_RANK], of_ids[MAX_RANK];
    Label *labels[2 * MAX_RANK];
    if (rank - 1 + id_rank > MAX_RANK) {
        complain(el, DIAG_too_many_axes, at, "the result would have more than %d axes", MAX_RANK);
        return false;
    }
    for (uint32_t k = 0; k < ids.count; k++)
        for (uint32_t i = 0; i < rank; i++)
            if (reading->labels[i] == ids.labels[k]) {
                of_x[shared] = (int32_t)i;
                of_ids[shared++] = (int32_t)k;
            }
    n = m = shared;
    uint32_t axis = 0;
    for (uint32_t i = 0; i < rank; i++) {
        if (reading->labels[i] && has_label(&ids, reading->labels[i])) continue;
        if (i == reading->at) axis = n;
        of_x[n++] = (int32_t)i;
    }
    for (uint32_t k = 0; k < id_rank; k++) {
        bool both = false;
        for (uint32_t i = 0; i < shared; i++) both |= of_ids[i] == (int32_t)k;
        if (!both) of_ids[m++] = (int32_t)k;
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < axis; i++) labels[count++] = reading->labels[of_x[i]];
    for (uint32_t k = shared; k < id_rank; k++)
        labels[count++] = (uint32_t)of_ids[k] < ids.count ? ids.labels[of_ids[k]] : NULL;
    uint32_t next = count;
    for (uint32_t i = axis + 1; i < rank; i++) labels[count++] = reading->labels[of_x[i]];
    Node x = build_transpose(el->graph, reading->node, of_x);
    Node which = id_rank ? build_transpose(el->graph, ids.node, of_ids) : ids.node;
    reading->node = build_gather(el->graph, x, which, axis, shared);
    memset(reading->labels, 0, sizeof reading->labels);
    memcpy(reading->labels, labels, count * sizeof *labels);
    reading->at = next;
    return true;
}

/* True if the expression uses an index directly, not only inside another subscript. */
static bool is_affine(const Scope *scope, const Syntax *node)
{
    for (; node->kind == SYNTAX_BINARY; node = kid_left(node))
        if (is_affine(scope, kid_right(node))) return true;
    if (node->kind == SYNTAX_NAME) {
        const Binding *binding = scope_find(scope, node->name, false);
        return binding && binding->value.kind == VALUE_INDEX;
    }
    return node->kind == SYNTAX_UNARY && is_affine(scope, kid_operand(node));
}

/* One subscript that is a number, or integers that gather. */
static bool read_value(Elaborator *el, Reading *reading, Value value, const Syntax *sub)
{
    if (value_is_error(value)) return false;
    if (value_is_number(value)) return read_place(el, reading, value, sub->span);
    if (value.kind == VALUE_LIST) value = places_of(el, reading, value, sub->span);
    value = value_as_tensor(el, value, DTYPE_COUNT, sub->span);
    if (value_is_error(value)) return false;
    Type type = *node_type(el->graph, value.node);
    if (dtype_class(type.dtype) == DTYPE_CLASS_INTEGER) {
        Dim size = node_type(el->graph, reading->node)->dims[reading->at];
        if (!type.rank) check_place(el, value.node, size, syntax_text(el, sub), sub->span);
        return read_gather(el, reading, value, sub->span);
    }
    Diag *diag = complain(el, DIAG_subscript_type, sub->span, "a subscript is an integer or integers, not `%s`",
                          type_text(el, &type));
    diag_hint(diag, "convert it: `i32(%s)`", syntax_text(el, sub));
    return false;
}

static bool read_one(Elaborator *el, Scope *scope, Reading *reading, const Syntax *sub)
{
    if (sub->kind == SYNTAX_RANGE) return read_range(el, scope, reading, sub);
    if (sub->kind == SYNTAX_INDEX) {
        Diag *diag =
            complain(el, DIAG_misplaced_index, sub->span, "an index is named on the left or in a reducer, not here");
        diag_hint(diag, "write `%s` alone", sub->name);
        return false;
    }
    if (sub->kind == SYNTAX_NAME) {
        const Binding *binding = scope_find(scope, sub->name, false);
        if (binding && binding->value.kind == VALUE_INDEX)
            return read_label(el, reading, binding->value.label, sub->span);
    } else if (is_affine(scope, sub)) {
        unsupported(el, sub->span, "arithmetic with an index in a subscript");
        return false;
    }
    return read_value(el, reading, evaluate(el, scope, sub), sub);
}

/* What `...` stands for in index notation: the axes' labels, made when it is first met. */
bool meet_axes(Elaborator *el, Axes *axes, const Dim *dims, uint32_t count, Span at)
{
    if (!axes->known) {
        axes->known = true;
        axes->count = count;
        for (uint32_t i = 0; i < count; i++) {
            axes->labels[i] = ARENA_NEW(el->arena, Label);
            *axes->labels[i] = (Label){el->name_dots, dims[i], ++el->n_labels, at};
        }
    }
    if (axes->count != count) {
        complain(el, DIAG_index_extent, at, "`...` stands for %u axes elsewhere, but for %u here", axes->count, count);
        return false;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!meet_extent(el, axes->labels[i], dims[i], at)) return false;
    return true;
}

static bool read_dots(Elaborator *el, Scope *scope, Reading *reading, uint32_t count, Span at)
{
    const Binding *binding = scope_find(scope, el->name_axes, false);
    if (!binding) {
        reading->at += count;
        return true;
    }
    Axes *axes = binding->value.axes;
    const Type *type = node_type(el->graph, reading->node);
    if (!meet_axes(el, axes, type->dims + reading->at, count, at)) return false;
    for (uint32_t i = 0; i < count; i++) reading->labels[reading->at++] = axes->labels[i];
    return true;
}

/* True if an index of index notation or `...` of it is among the subscripts: it runs over a tensor. */
static bool has_index(const Elaborator *el, const Scope *scope, const Syntax *subs)
{
    for (uint32_t i = 1; i < subs->n_kids; i++) {
        const Syntax *sub = subs->kids[i];
        Name name = sub->kind == SYNTAX_DOTS ? el->name_axes : sub->kind == SYNTAX_NAME ? sub->name : NULL;
        const Binding *binding = name ? scope_find(scope, name, false) : NULL;
        if (binding && (binding->value.kind == VALUE_INDEX || binding->value.kind == VALUE_AXES)) return true;
    }
    return false;
}

/* The numbers of a list at the places that a tensor holds. */
static Value gather_list(Elaborator *el, Value list, Value places, const Syntax *node)
{
    Value base = value_as_tensor(el, list, DTYPE_COUNT, kid_base(node)->span);
    if (value_is_error(base)) return base;
    Reading reading = {.node = base.node};
    if (!read_value(el, &reading, places, kid_sub(kid_subs(node)))) return value_error();
    return arrange(el, reading.node, reading.labels);
}

static bool list_place(Elaborator *el, Value value, Span at, int64_t *place)
{
    return is_subscript(el, value, at) && number_as_integer(el, value, "a subscript", at, place);
}

static Value subscript_list(Elaborator *el, Scope *scope, const Syntax *node, Value list)
{
    const Syntax *subs = kid_subs(node), *sub = kid_sub(subs);
    int64_t from = 0, to = list.count;
    bool range = sub->kind == SYNTAX_RANGE;
    if (subs->n_kids != 2 || sub->kind == SYNTAX_INDEX || sub->kind == SYNTAX_DOTS) {
        complain(el, DIAG_subscript_count, subs->span, "a list takes one subscript, a number or a slice");
        return value_error();
    }
    const Syntax *low = range ? kid_from(sub) : sub, *high = range ? kid_to(sub) : NULL;
    Value start = low ? evaluate(el, scope, low) : value_integer(el, 0);
    if (!range && (start.kind == VALUE_TENSOR || start.kind == VALUE_LIST)) return gather_list(el, list, start, node);
    if (low && !list_place(el, start, low->span, &from)) return value_error();
    if (high && !list_place(el, evaluate(el, scope, high), high->span, &to)) return value_error();
    if (from < 0) from += list.count;
    if (to < 0) to += list.count;
    if (range && from >= 0 && to <= list.count)
        return value_list(el, list.items + from, to > from ? (uint32_t)(to - from) : 0);
    if (!range && from >= 0 && from < list.count) return list.items[from];
    complain(el, DIAG_out_of_bounds, sub->span, "the list has %u items", list.count);
    return value_error();
}

Value subscript(Elaborator *el, Scope *scope, const Syntax *node, Value base)
{
    const Syntax *subs = kid_subs(node);
    if (value_is_error(base)) return base;
    if (base.kind == VALUE_LIST && !has_index(el, scope, subs)) return subscript_list(el, scope, node, base);
    if (kid_condition(subs)) return unsupported(el, kid_condition(subs)->span, "`where` in a subscript");
    base = value_as_tensor(el, base, DTYPE_COUNT, kid_base(node)->span);
    if (value_is_error(base)) return base;
    uint32_t rank = node_type(el->graph, base.node)->rank - base.count, wanted = 0, dots = 0;
    for (uint32_t i = 1; i < subs->n_kids; i++) {
        bool is_dots = subs->kids[i]->kind == SYNTAX_DOTS;
        wanted += !is_dots;
        if (is_dots) dots = i;
    }
    if (wanted > rank) {
        Diag *diag =
            complain(el, DIAG_subscript_count, subs->span, "%u subscripts for %s", wanted, value_describe(el, base));
        diag_note(diag, kid_base(node)->span, "this has %u axes", rank);
        return value_error();
    }
    Reading reading = {.node = base.node, .at = base.count};
    for (uint32_t i = 0; i < base.count; i++) reading.labels[i] = base.labels[i];
    for (uint32_t i = 1; i < subs->n_kids; i++) {
        bool good = i == dots ? read_dots(el, scope, &reading, rank - wanted, subs->kids[i]->span)
                              : read_one(el, scope, &reading, subs->kids[i]);
        if (!good) return value_error();
    }
    return arrange(el, reading.node, reading.labels);
}
