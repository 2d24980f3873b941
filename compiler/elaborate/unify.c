/* Types of signatures against the values of a call: bare names are bound, everything else must agree. */
#include <string.h>

#include "check/foreign.h"
#include "elaborate/elaborator.h"

bool require_same(Elaborator *el, Dim a, Dim b, Span at, const char *what)
{
    int64_t difference;
    if (dim_same(a, b)) return true;
    Name symbol;
    bool decided = dim_is_constant(el->dims, dim_sub(el->dims, a, b), &difference);
    /* Two different free names are two sizes; only computed ones may turn out equal. */
    bool names = dim_is_symbol(el->dims, a, &symbol) && dim_is_symbol(el->dims, b, &symbol);
    if (!decided && !names) {
        const char *message = arena_format(el->arena, "%s: %s must be %s", what, dim_text(el, a), dim_text(el, b));
        check_add(el, (Check){a, b, NODE_NONE, message, at});
        return true;
    }
    Diag *diag = complain(el, DIAG_shape_mismatch, at, "%s: %s should be %s", what, dim_text(el, a), dim_text(el, b));
    note_dim(el, diag, a);
    note_dim(el, diag, b);
    return false;
}

static DType element_type(const Elaborator *el, const Syntax *type, bool *known)
{
    DType dtype = DTYPE_COUNT;
    *known = !type->name || dtype_parse(type->name, strlen(type->name), &dtype);
    return dtype == DTYPE_F32 ? el->real : dtype;
}

static bool unknown_type(Elaborator *el, const Syntax *type)
{
    Diag *diag = complain(el, DIAG_unknown_type, type->name_span, "there is no element type `%s`", type->name);
    if (foreign_type(type->name)) diag_hint(diag, "here it is called %s", foreign_type(type->name));
    diag_hint(diag, "element types are f64, f32, bf16, f16, i64, i32, u8 and bool");
    return false;
}

static Diag *does_not_fit(Elaborator *el, const Syntax *type, const Value *value, const char *what, Span at)
{
    Diag *diag = complain(el, DIAG_shape_mismatch, at, "`%s` should be `%s`, but this is %s", what,
                          syntax_text(el, type), value_describe(el, *value));
    diag_note(diag, type->span, "declared here");
    return diag;
}

/* One size of a signature. */
static bool unify_dim(Elaborator *el, Scope *scope, const Syntax *type, const Syntax *sub, Dim found,
                      const Value *value, const char *what, Span at, Later *later)
{
    Dim expected = DIM_NONE;
    if (sub->kind != SYNTAX_NAME) {
        vec_push(&later->checks, (LaterCheck){type, sub, found, at, what});
        return true;
    }
    const Binding *bound = scope_find(scope, sub->name, false);
    if (!bound && !items_find(el->items, SPACE_CONST, sub->name, scope->inside_prelude)) {
        scope_bind(el, scope, sub->name, false, value_size(el, found), sub->span);
        return true;
    }
    Value size = scope_value(el, scope, sub);
    if (!number_as_size(el, size, "a size", sub->span, &expected)) return false;
    if (dim_same(expected, found)) return true;
    int64_t difference;
    Name a, b;
    bool free_names = dim_is_symbol(el->dims, expected, &a) && dim_is_symbol(el->dims, found, &b);
    if (!free_names && !dim_is_constant(el->dims, dim_sub(el->dims, expected, found), &difference))
        return require_same(el, found, expected, at, what);
    Diag *diag = does_not_fit(el, type, value, what, at);
    if (free_names)
        diag_hint(diag, "free sizes are the same only under the same name");
    else
        diag_hint(diag, "`%s` is %s here, not %s", sub->name, dim_text(el, expected), dim_text(el, found));
    note_dim(el, diag, found);
    note_dim(el, diag, expected);
    return false;
}

static uint32_t dots_of(const Syntax *subs)
{
    for (uint32_t i = 1; i < subs->n_kids; i++)
        if (subs->kids[i]->kind == SYNTAX_DOTS) return i;
    return 0;
}

static const char *dims_text(Elaborator *el, const Dim *dims, uint32_t count)
{
    const char *text = "";
    for (uint32_t i = 0; i < count; i++)
        text = arena_format(el->arena, "%s%s%s", text, i ? ", " : "", dim_text(el, dims[i]));
    return text;
}

static const char *axes_text(Elaborator *el, const Value *sizes, uint32_t count)
{
    Dim dims[MAX_RANK];
    for (uint32_t i = 0; i < count; i++) dims[i] = sizes[i].size;
    return dims_text(el, dims, count);
}

/* `...` stands for the same sizes wherever it occurs in a signature. */
static bool unify_dots(Elaborator *el, Scope *scope, const Syntax *type, const Syntax *dots, const Dim *dims,
                       uint32_t count, const Value *value, const char *what, Span at)
{
    const Binding *bound = scope_find(scope, el->name_dots, false);
    if (bound) {
        bool good = bound->value.count == count;
        for (uint32_t i = 0; good && i < count; i++) good = dim_same(bound->value.items[i].size, dims[i]);
        if (!good) {
            Diag *diag = does_not_fit(el, type, value, what, at);
            diag_hint(diag,
                      "`...` stands for the same axes everywhere in a signature: for [%s] by what came before, "
                      "for [%s] here",
                      axes_text(el, bound->value.items, bound->value.count), dims_text(el, dims, count));
        }
        return good;
    }
    Value sizes[MAX_RANK];
    for (uint32_t i = 0; i < count; i++) sizes[i] = value_size(el, dims[i]);
    scope_bind(el, scope, el->name_dots, false, value_list(el, sizes, count), dots->span);
    return true;
}

static bool unify_shape(Elaborator *el, Scope *scope, const Syntax *type, const Value *value, const char *what, Span at,
                        Later *later)
{
    const Syntax *subs = kid_subs(type);
    Type own = value_type(el, *value);
    uint32_t n = subs->n_kids - 1, dots = dots_of(subs), spare = 0;
    if (dots ? own.rank + 1 < n : own.rank != n) {
        Diag *diag = does_not_fit(el, type, value, what, at);
        diag_hint(diag, "%s%u axes are wanted, there are %u", dots ? "at least " : "", dots ? n - 1 : n, own.rank);
        return false;
    }
    if (dots) spare = own.rank - (n - 1);
    uint32_t axis = 0;
    for (uint32_t i = 1; i <= n; i++) {
        if (i == dots) {
            if (!unify_dots(el, scope, type, subs->kids[i], own.dims + axis, spare, value, what, at)) return false;
            axis += spare;
        } else if (!unify_dim(el, scope, type, subs->kids[i], own.dims[axis++], value, what, at, later)) {
            return false;
        }
    }
    return true;
}

/* `in vocab`: a bare name is bound by the value's range. */
static bool unify_range(Elaborator *el, Scope *scope, const Syntax *type, const Value *value, const char *what, Span at)
{
    const Syntax *range = kid_range(type);
    Dim found = node_type(el->graph, value->node)->range, expected;
    if (range->kind == SYNTAX_NAME && !scope_find(scope, range->name, false) &&
        !items_find(el->items, SPACE_CONST, range->name, scope->inside_prelude)) {
        if (dim_is_none(found)) {
            Diag *diag = complain(el, DIAG_range_unknown, at, "the range of `%s` is not known", what);
            diag_hint(diag, "declare it: `input ids: i32[batch] in 100`");
            return false;
        }
        scope_bind(el, scope, range->name, false, value_size(el, found), range->span);
        return true;
    }
    if (!number_as_size(el, evaluate(el, scope, range), "a range", range->span, &expected)) return false;
    int64_t beyond;
    if (dim_is_none(found) || dim_same(found, expected)) return true;
    bool decided = dim_is_constant(el->dims, dim_sub(el->dims, found, expected), &beyond);
    if (decided && beyond <= 0) return true;
    Diag *diag = complain(el, DIAG_range_exceeded, at, "`%s` should be below %s, but it runs to %s", what,
                          dim_text(el, expected), dim_text(el, found));
    diag_note(diag, type->span, "declared here");
    note_dim(el, diag, found);
    note_dim(el, diag, expected);
    return false;
}

static bool unify_element(Elaborator *el, const Syntax *type, Value *value, const char *what, Span at, DType dtype)
{
    DType own = node_type(el->graph, value->node)->dtype;
    if (dtype == DTYPE_COUNT || dtype == own) return true;
    /* A range says integers; which width they have does not matter to the text. */
    bool integers = dtype_class(dtype) == DTYPE_CLASS_INTEGER && dtype_class(own) == DTYPE_CLASS_INTEGER;
    if (integers) return true;
    Diag *diag = complain(el, DIAG_type_mismatch, at, "`%s` should be `%s`, but this is %s", what,
                          syntax_text(el, type), value_describe(el, *value));
    diag_note(diag, type->span, "declared here");
    diag_hint(diag, "convert it: `%s(…)`", dtype_name(dtype));
    return false;
}

/* A number for a shape is that number everywhere. */
static bool stretch_number(Elaborator *el, Scope *scope, const Syntax *type, Value *value, DType dtype, Span at)
{
    Type full;
    if (!resolve_type(el, scope, type, false, &full)) return false;
    Value number = value_as_tensor(el, *value, dtype != DTYPE_COUNT ? dtype : el->real, at);
    if (value_is_error(number)) return false;
    *value = broadcast_to(el, number, full.rank, full.dims, at);
    return !value_is_error(*value);
}

bool unify(Elaborator *el, Scope *scope, const Syntax *type, Value *value, const char *what, Span at, Later *later)
{
    bool known;
    DType dtype = element_type(el, type, &known);
    if (!known) return unknown_type(el, type);
    const Syntax *subs = kid_subs(type);
    bool number = value_is_number(*value) || value->kind == VALUE_BOOL;
    if (number && !subs) return true;
    if (number && subs->n_kids > 1) return stretch_number(el, scope, type, value, dtype, at);
    *value = value_as_tensor(el, *value, dtype, at);
    if (value_is_error(*value)) return false;
    if (value->open && dtype != DTYPE_COUNT) *value = convert(el, *value, dtype, at);
    if (!unify_element(el, type, value, what, at, dtype)) return false;
    if (subs && !unify_shape(el, scope, type, value, what, at, later)) return false;
    if (!subs && type->name && value_type(el, *value).rank) {
        does_not_fit(el, type, value, what, at);
        return false;
    }
    return !kid_range(type) || unify_range(el, scope, type, value, what, at);
}

bool unify_later(Elaborator *el, Scope *scope, Later *later)
{
    for (size_t i = 0; i < later->checks.count; i++) {
        const LaterCheck *check = &later->checks.at[i];
        Dim expected;
        if (!number_as_size(el, evaluate(el, scope, check->dim), "a size", check->dim->span, &expected)) return false;
        const char *what = arena_format(el->arena, "the size `%s` of `%s`", syntax_text(el, check->dim), check->what);
        if (!require_same(el, check->found, expected, check->at, what)) return false;
    }
    return true;
}

static Value free_size(Elaborator *el, Scope *scope, const Syntax *name)
{
    vec_push(&el->dim_names, name->name);
    size_t bound = named_find(el, NAMED_BOUND_SIZE, name->name);
    if (bound != NAME_MAP_NONE)
        return scope_bind(el, scope, name->name, false, el->bound_dims.at[bound].value, name->span)->value;
    Value size = value_size(el, dim_symbol(el->dims, name->name));
    if (named_find(el, NAMED_FREE_SIZE, name->name) == NAME_MAP_NONE)
        vec_push(&el->dim_places, (Binding){.name = name->name, .place = name->span});
    scope_bind(el, scope, name->name, false, size, name->span);
    return size;
}

static bool resolve_size(Elaborator *el, Scope *scope, const Syntax *size, bool introduce, Dim *dim)
{
    bool free_name = introduce && size->kind == SYNTAX_NAME && !scope_find(scope, size->name, false) &&
                     !items_find(el->items, SPACE_CONST, size->name, scope->inside_prelude);
    Value value = free_name ? free_size(el, scope, size) : evaluate(el, scope, size);
    if (!number_as_size(el, value, "a size", size->span, dim)) return false;
    int64_t known;
    if (!dim_is_constant(el->dims, *dim, &known) || known >= 0) return true;
    complain(el, DIAG_negative_size, size->span, "a size cannot be %lld", (long long)known);
    return false;
}

bool resolve_type(Elaborator *el, Scope *scope, const Syntax *type, bool introduce, Type *result)
{
    bool known;
    DType dtype = element_type(el, type, &known);
    if (!known) return unknown_type(el, type);
    *result = type_scalar(dtype == DTYPE_COUNT ? el->real : dtype);
    const Syntax *subs = kid_subs(type);
    for (uint32_t i = 1; subs && i < subs->n_kids; i++) {
        const Syntax *sub = subs->kids[i];
        const Binding *dots = sub->kind == SYNTAX_DOTS ? scope_find(scope, el->name_dots, false) : NULL;
        uint32_t count = dots ? dots->value.count : 1;
        if (sub->kind == SYNTAX_DOTS && !dots) {
            complain(el, DIAG_dots_without_meaning, sub->span, "`...` stands for nothing here");
            return false;
        }
        if (result->rank + count > MAX_RANK) {
            complain(el, DIAG_too_many_axes, type->span, "a tensor has at most %d axes", MAX_RANK);
            return false;
        }
        for (uint32_t k = 0; dots && k < count; k++) result->dims[result->rank++] = dots->value.items[k].size;
        if (!dots && !resolve_size(el, scope, sub, introduce, &result->dims[result->rank++])) return false;
    }
    if (!kid_range(type)) return true;
    if (dtype_class(result->dtype) != DTYPE_CLASS_INTEGER) {
        complain(el, DIAG_range_of_reals, type->span, "a range belongs to integers, and this is %s",
                 dtype_name(result->dtype));
        return false;
    }
    return resolve_size(el, scope, kid_range(type), introduce, &result->range);
}
