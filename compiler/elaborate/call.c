/* Calls: arguments find their formals, sizes are bound, the body is evaluated in place. */
#include <string.h>

#include "elaborate/data.h"

/* The arguments as they will be used: one per formal, NULL where the default counts. */
typedef struct {
    const Argument *at[MOST_ARGUMENTS];
} Matched;

static void list_formals(const Syntax *formals, Text *to)
{
    for (uint32_t i = 0; i < formals->n_kids; i++) text_format(to, "%s%s", i ? ", " : "", formals->kids[i]->name);
}

/* Assigns arguments to formals by name and place. */
static bool match(Elaborator *el, const Item *item, const Argument *args, uint32_t n_args, Span at, Matched *matched)
{
    const Syntax *formals = kid_formals(item->syntax);
    uint32_t next = 0;
    memset(matched, 0, sizeof *matched);
    for (uint32_t i = 0; i < n_args; i++) {
        uint32_t slot = next;
        if (args[i].keyword) {
            for (slot = 0; slot < formals->n_kids && formals->kids[slot]->name != args[i].keyword;) slot++;
            if (slot == formals->n_kids) {
                Diag *diag = complain(el, DIAG_unknown_argument, args[i].keyword_at, "`%s` has no argument `%s`",
                                      item->name, args[i].keyword);
                Text list = {0};
                list_formals(formals, &list);
                diag_hint(diag, "its arguments are: %s", text_get(&list));
                text_free(&list);
                return false;
            }
        } else {
            while (next < formals->n_kids && matched->at[next]) next++;
            slot = next++;
        }
        if (slot >= formals->n_kids) {
            Diag *diag = complain(el, DIAG_too_many_arguments, args[i].at.end ? args[i].at : at,
                                  "`%s` is given too many arguments", item->name);
            diag_hint(diag, "it takes %u, the value before `|>` included", formals->n_kids);
            return false;
        }
        if (matched->at[slot]) {
            complain(el, DIAG_repeated_argument, args[i].keyword ? args[i].keyword_at : at,
                     "`%s` is given its argument `%s` twice", item->name, formals->kids[slot]->name);
            return false;
        }
        matched->at[slot] = &args[i];
    }
    for (uint32_t i = 0; i < formals->n_kids; i++)
        if (!matched->at[i] && !kid_default(formals->kids[i])) {
            Diag *diag = complain(el, DIAG_missing_argument, at, "`%s` needs its argument `%s`", item->name,
                                  formals->kids[i]->name);
            diag_note(diag, formals->kids[i]->span, "it has no default");
            return false;
        }
    return true;
}

static bool wants_function(const Elaborator *el, const Syntax *formal)
{
    return kid_type(formal) && kid_type(formal)->name == el->name_fn && !kid_subs(kid_type(formal));
}

/* The given arguments, evaluated where the call stands. */
static bool evaluate_arguments(Elaborator *el, Scope *scope, const Item *item, const Matched *matched, Value *values)
{
    const Syntax *formals = kid_formals(item->syntax);
    bool good = true;
    for (uint32_t i = 0; i < formals->n_kids; i++) {
        const Argument *arg = matched->at[i];
        if (!arg) continue;
        if (!arg->syntax)
            values[i] = arg->value;
        else if (wants_function(el, formals->kids[i]))
            values[i] = evaluate_function(el, scope, arg->syntax);
        else
            values[i] = evaluate(el, scope, arg->syntax);
        good &= !value_is_error(values[i]);
    }
    return good;
}

static bool bind_formal(Elaborator *el, Scope *scope, const Syntax *formal, Value value, Span at, Later *later)
{
    const Syntax *type = kid_type(formal);
    if (wants_function(el, formal)) {
        if (value.kind != VALUE_FUNCTION) {
            complain(el, DIAG_not_a_function, at, "`%s` wants a function, but this is %s", formal->name,
                     value_describe(el, value));
            return false;
        }
        scope_bind(el, scope, formal->name, true, value, formal->name_span);
        return true;
    }
    if (value.kind == VALUE_FUNCTION || value.kind == VALUE_TUPLE) {
        complain(el, DIAG_type_mismatch, at, "`%s` wants a value, but this is %s", formal->name,
                 value_describe(el, value));
        return false;
    }
    if (type && !unify(el, scope, type, &value, formal->name, at, later)) return false;
    const Binding *size = scope_find(scope, formal->name, false);
    if (size && size->value.kind == VALUE_SIZE && value.kind == VALUE_SIZE &&
        !require_same(el, size->value.size, value.size, at, formal->name))
        return false;
    scope_bind(el, scope, formal->name, false, identify_argument(el, formal->name, value), formal->name_span);
    return true;
}

static bool bind_formals(Elaborator *el, Scope *scope, const Item *item, const Matched *matched, const Value *values,
                         Span at)
{
    const Syntax *formals = kid_formals(item->syntax);
    Later later = {0};
    bool good = true;
    for (uint32_t i = 0; good && i < formals->n_kids; i++) {
        const Syntax *formal = formals->kids[i], *start = kid_default(formal);
        Value value = values[i];
        if (!matched->at[i])
            value = wants_function(el, formal) ? evaluate_function(el, scope, start) : evaluate(el, scope, start);
        Span from = matched->at[i] && matched->at[i]->at.end ? matched->at[i]->at : at;
        good = !value_is_error(value) && bind_formal(el, scope, formal, value, from, &later);
    }
    good = good && unify_later(el, scope, &later);
    vec_free(&later.checks);
    return good;
}

/* The results against the types after `->`. */
static bool check_results(Elaborator *el, Scope *scope, const Syntax *types, Value *result, Span at)
{
    if (!types || value_is_error(*result)) return true;
    uint32_t count = result->kind == VALUE_TUPLE ? result->count : 1;
    if (count != types->n_kids) {
        complain(el, DIAG_value_count, at, "%u values were announced after `->`, but %u are returned", types->n_kids,
                 count);
        return false;
    }
    Later later = {0};
    bool good = true;
    for (uint32_t i = 0; good && i < count; i++) {
        Value one = result->kind == VALUE_TUPLE ? result->items[i] : *result;
        good = unify(el, scope, types->kids[i], &one, "the result", at, &later);
        if (result->kind != VALUE_TUPLE) *result = one;
    }
    good = good && unify_later(el, scope, &later);
    vec_free(&later.checks);
    return good;
}

static Value run_body(Elaborator *el, Scope *scope, const Item *item)
{
    const Syntax *body = kid_body(item->syntax);
    if (item->syntax->kind == SYNTAX_FN && item->syntax->flags & SYNTAX_EQUALS) return evaluate(el, scope, body);
    Value result = value_error();
    Flow flow = run_statements(el, scope, body, &result);
    if (flow == FLOW_STOP) return value_error();
    if (flow == FLOW_NEXT) {
        complain(el, DIAG_missing_return, item->place, "`%s` ends without a `return`", item->name);
        return value_error();
    }
    return result;
}

/* A value that is no real number has no derivative, so one that was written for it would be ignored. */
static bool can_have_derivative(Elaborator *el, const Item *item, const Value *formals, Value value)
{
    DType dtype = value_type(el, value).dtype;
    bool real = dtype_is_float(dtype);
    for (uint32_t i = 0; !real && i < kid_names(item->derivative)->n_kids; i++) {
        if (formals[i].kind != VALUE_TENSOR || !dtype_is_float(value_type(el, formals[i]).dtype)) continue;
        Diag *diag =
            complain(el, DIAG_derivative_not_real, item->derivative->span,
                     "`%s` has a derivative, but its value is %s, not a real number", item->name, dtype_name(dtype));
        diag_hint(diag, "write numbers with a point: `1.0` instead of `1`");
        return false;
    }
    return true;
}

/* The user's own reverse product: custom_gradient(value, cotangent, x1 … xn, g1 … gn). Arguments that are known at
 * compile time have no gradient and their expressions are not read. */
static Value with_derivative(Elaborator *el, const Item *item, const Value *formals, Value value)
{
    const Syntax *names = kid_names(item->derivative), *exprs = kid_exprs(item->derivative);
    value = value_settled(el, value_as_tensor(el, value, DTYPE_COUNT, item->place));
    if (value_is_error(value) || value.count) return value;
    if (!can_have_derivative(el, item, formals, value)) return value_error();
    Scope *scope = scope_new(el, NULL, item->prelude);
    Type type = *node_type(el->graph, value.node);
    Name unique = intern_format(el->context->names, "dy.%s.%u", item->name, value.node.id);
    Node args[2 + 2 * MOST_ARGUMENTS] = {value.node, build_source(el->graph, OP_COTANGENT, unique, type)};
    scope_bind(el, scope, el->name_dy, false, value_tensor(args[1]), NO_SPAN);
    scope_bind(el, scope, el->name_out, false, value, NO_SPAN);
    for (uint32_t i = 0; i < names->n_kids; i++)
        scope_bind(el, scope, names->kids[i]->name, false, formals[i], names->kids[i]->span);
    uint32_t n = 0, used = 0;
    for (uint32_t i = 0; i < names->n_kids; i++) n += formals[i].kind == VALUE_TENSOR;
    for (uint32_t i = 0; i < names->n_kids; i++) {
        if (formals[i].kind != VALUE_TENSOR) continue;
        Type own = value_type(el, formals[i]);
        Value g = evaluate(el, scope, exprs->kids[i]);
        if (value_is_error(g)) return g;
        g = convert(el, g, own.dtype, exprs->kids[i]->span);
        g = broadcast_to(el, g, own.rank, own.dims, exprs->kids[i]->span);
        if (value_is_error(g)) return g;
        args[2 + used] = formals[i].node;
        args[2 + n + used++] = g.node;
    }
    Attr attr = {.integer = n};
    return n ? value_tensor(graph_make(el->graph, OP_CUSTOM_GRADIENT, args, 2 + 2 * n, &attr, &type)) : value;
}

/* The value of a body with what was given for its formals; `values` is then what they are bound to. */
static Value evaluate_item(Elaborator *el, const Item *item, const Matched *matched, Value *values, Span at, Frame *as)
{
    const BodyState outer = el->body;
    Frame *own = NULL;
    if (!item->prelude) {
        el->body.call = at;
        el->body.prelude_call = NO_SPAN;
    } else if (!outer.prelude_call.end) {
        el->body.prelude_call = at;
    }
    enter_body(el, item->syntax);
    el->body.kind = (SyntaxKind)item->syntax->kind;
    if (item->syntax->kind == SYNTAX_LAYER) {
        own = as ? NULL : frame_for_layer(el, item->name);
        el->body.frame = as ? as : own;
    }
    Scope *scope = scope_new(el, NULL, item->prelude);
    Value result = value_error();
    if (bind_formals(el, scope, item, matched, values, at)) {
        const Syntax *formals = kid_formals(item->syntax);
        for (uint32_t i = 0; item->derivative && i < formals->n_kids; i++) {
            const Binding *formal = scope_find(scope, formals->kids[i]->name, false);
            values[i] = formal ? formal->value : value_error();
        }
        Value body = run_body(el, scope, item);
        if (check_results(el, scope, kid_types(item->syntax), &body, at)) result = body;
        if (item->derivative && !value_is_error(result)) result = with_derivative(el, item, values, result);
    }
    el->body = outer;
    frame_free(own);
    return result;
}

static Value call_item(Elaborator *el, Scope *caller, const Item *item, const Argument *args, uint32_t n_args, Span at,
                       Frame *as)
{
    Matched matched;
    Value values[MOST_ARGUMENTS], result;
    memset(values, 0, sizeof values);
    if (!match(el, item, args, n_args, at, &matched)) return value_error();
    if (!evaluate_arguments(el, caller, item, &matched, values)) return value_error();
    bool kept = item->syntax->kind == SYNTAX_FN && el->calls;
    MemoKey key;
    if (!el->calls) memo_begin(el);
    if (kept) memo_key(el, item, values, kid_formals(item->syntax)->n_kids, at, &key);
    if (kept && memo_find(el, &key, &result)) return result;
    el->calls++;
    result = evaluate_item(el, item, &matched, values, at, as);
    el->calls--;
    if (kept) memo_keep(el, &key, result);
    return result;
}

static Value call_stage(Elaborator *el, Scope *caller, const Callee *callee, const Argument *args, uint32_t n_args,
                        Span at, Frame *as)
{
    if (!callee->stage) return value_error();
    if (n_args != 1 || args[0].keyword) {
        complain(el, DIAG_too_many_arguments, at, "a pipeline takes one argument, but %u are given", n_args);
        return value_error();
    }
    Value x = args[0].syntax ? evaluate(el, caller, args[0].syntax) : args[0].value;
    const BodyState outer = el->body;
    if (!callee->inside_prelude) el->body.prelude_call = NO_SPAN;
    Frame *instance = callee->kind == CALLEE_INSTANCE ? frame_for_instance(el, callee) : NULL;
    Value value = apply_stage(el, callee->scope, callee->stage, x, args[0].at, instance ? instance : as);
    frame_free(instance);
    el->body = outer;
    return value;
}

/* An argument that no formal is left for. */
static void wrong_argument(Elaborator *el, const Builtin *builtin, const Argument *arg, bool given, Span at)
{
    Diag *diag;
    Span place = arg->at.end ? arg->at : at;
    if (arg->keyword && given)
        diag = complain(el, DIAG_repeated_argument, arg->keyword_at, "`%s` is given its argument `%s` twice",
                        builtin->name, arg->keyword);
    else if (arg->keyword)
        diag = complain(el, DIAG_unknown_argument, arg->keyword_at, "`%s` has no argument `%s`", builtin->name,
                        arg->keyword);
    else
        diag = complain(el, DIAG_too_many_arguments, place, "`%s` is given too many arguments", builtin->name);
    diag_hint(diag, "its arguments are: %s", builtin->formals);
}

/* Built-in arguments by their formals; `grad` looks at the syntax of its arguments too. */
static Value call_of_builtin(Elaborator *el, Scope *scope, const Builtin *builtin, const Argument *args,
                             uint32_t n_args, Span at)
{
    Value values[BUILTIN_FORMALS + MOST_ARGUMENTS] = {0};
    const Syntax *syntax[BUILTIN_FORMALS + MOST_ARGUMENTS] = {0};
    bool given[BUILTIN_FORMALS] = {0};
    BuiltinFormal formals[BUILTIN_FORMALS];
    uint32_t n_formals = 0, n_many = 0, next = 0;
    for (size_t from = 0; builtin_formal(builtin->formals, &from, &formals[n_formals]);) n_formals++;
    bool many = formals[0].many;
    for (uint32_t i = 0; i < n_args; i++) {
        uint32_t slot = next;
        if (args[i].keyword)
            for (slot = 0; slot < n_formals && strcmp(formals[slot].name, args[i].keyword);) slot++;
        bool more = many && !args[i].keyword;
        if (more) slot = 0;
        if (slot >= n_formals || (given[slot] && !more)) {
            wrong_argument(el, builtin, &args[i], slot < n_formals, at);
            return value_error();
        }
        given[slot] = true;
        Value value = args[i].syntax ? evaluate(el, scope, args[i].syntax) : args[i].value;
        if (value_is_error(value)) return value;
        uint32_t place = more ? BUILTIN_FORMALS + n_many++ : slot;
        values[place] = value;
        syntax[place] = args[i].syntax;
        if (!args[i].keyword && !more) next++;
    }
    for (uint32_t i = 0; i < n_formals; i++)
        if (!given[i] && !formals[i].optional) {
            complain(el, DIAG_missing_argument, at, "`%s` needs its argument `%s`", builtin->name, formals[i].name);
            return value_error();
        }
    mark_place(el, at);
    return call_builtin(el, builtin, values, n_many, given, syntax, at);
}

static Value call_kind(Elaborator *el, Scope *scope, const Callee *callee, const Argument *args, uint32_t n_args,
                       Span at, Frame *as)
{
    switch (callee->kind) {
    case CALLEE_BUILTIN:
        return call_of_builtin(el, scope, &callee->builtin, args, n_args, at);
    case CALLEE_ITEM:
        return call_item(el, scope, callee->item, args, n_args, at, as);
    default:
        return call_stage(el, scope, callee, args, n_args, at, as);
    }
}

Value call(Elaborator *el, Scope *scope, const Callee *callee, const Argument *args, uint32_t n_args, Span at,
           Frame *as)
{
    Value value = enter_level(el, at) ? call_kind(el, scope, callee, args, n_args, at, as) : value_error();
    context_ascend(el->context);
    value.named = false;
    return value;
}

Value call_syntax(Elaborator *el, Scope *scope, const Syntax *node, const Argument *first, Frame *as)
{
    const Syntax *name = kid_callee(node);
    if (!first && name->kind == SYNTAX_SUBSCRIPT) return index_reduce(el, scope, node);
    Callee callee;
    Value data;
    if (!first && data_call(el, scope, node, &data)) return data;
    if (name->kind != SYNTAX_NAME) {
        complain(el, DIAG_not_callable, name->span, "%s cannot be called", syntax_phrase((SyntaxKind)name->kind));
        return value_error();
    }
    if (!scope_function(el, scope, name->name, &callee)) {
        Diag *diag =
            complain(el, DIAG_unknown_function, name->span, "there is no function or layer called `%s`", name->name);
        const char *near = items_nearest(el->items, SPACE_FUNCTION, name->name);
        if (near) diag_hint(diag, "did you mean `%s`?", near);
        return value_error();
    }
    Argument args[MOST_ARGUMENTS];
    uint32_t n = 0;
    if (first) args[n++] = *first;
    for (uint32_t i = 1; i < node->n_kids; i++) {
        const Syntax *arg = node->kids[i];
        if (n == MOST_ARGUMENTS) {
            complain(el, DIAG_too_many_arguments, arg->span, "a call takes at most %d arguments", MOST_ARGUMENTS);
            return value_error();
        }
        bool keyword = arg->kind == SYNTAX_KEYWORD;
        args[n++] = (Argument){.keyword = keyword ? arg->name : NULL,
                               .keyword_at = arg->name_span,
                               .syntax = keyword ? kid_value(arg) : arg,
                               .at = keyword ? kid_value(arg)->span : arg->span};
    }
    return call(el, scope, &callee, args, n, node->span, as);
}
