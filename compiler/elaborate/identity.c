/* `grad(L, w)` differentiates by the name w, not by its expression: another value that happens to be equal stays
 * constant. Nodes are interned, so a value that a `grad` names becomes a node of its own: a custom gradient that hands
 * its cotangent on unchanged. Declared inputs, parameters and draws are different nodes already.
 *
 * A name that is passed to a function as it is keeps its node there: a `grad` by the parameter is one by that name, so
 * what was computed from it before the call counts. */
#include "elaborate/elaborator.h"

/* The names by which a body takes derivatives, itself or in what it passes them to. */
struct DerivativeNames {
    const Syntax *body;
    Vec(Name) names;
};

static const DerivativeNames *names_of(Elaborator *el, const Syntax *body);

static bool has_name(const DerivativeNames *of, Name name)
{
    for (size_t i = 0; i < of->names.count; i++)
        if (of->names.at[i] == name) return true;
    return false;
}

static void add_name(DerivativeNames *to, const Syntax *value)
{
    if (value && value->kind == SYNTAX_NAME && !has_name(to, value->name)) vec_push(&to->names, value->name);
}

/* The function or layer that a call names, unless a parameter hides it: then nothing is known of it. */
static const Item *callee_of(const Elaborator *el, const Syntax *callee)
{
    return callee && callee->kind == SYNTAX_NAME ? items_find(el->items, SPACE_FUNCTION, callee->name, false) : NULL;
}

static const Syntax *formal_named(const Syntax *formals, Name name)
{
    for (uint32_t i = 0; i < formals->n_kids; i++)
        if (formals->kids[i]->name == name) return formals->kids[i];
    return NULL;
}

/* The arguments of a call, `piped` before them or NULL, that go to parameters by which the callee differentiates. */
static void add_passed(Elaborator *el, DerivativeNames *to, const Syntax *call, const Syntax *piped)
{
    const Item *item = callee_of(el, call->kind == SYNTAX_CALL ? kid_callee(call) : call);
    const Syntax *formals = item ? kid_formals(item->syntax) : NULL;
    const DerivativeNames *by = item ? names_of(el, item->syntax) : NULL;
    uint32_t place = 0;
    if (!by || !by->names.count) return;
    if (piped && formals->n_kids && has_name(by, kid_formal(formals)->name)) add_name(to, piped);
    place += piped != NULL;
    for (uint32_t i = 1; call->kind == SYNTAX_CALL && i < call->n_kids; i++) {
        const Syntax *arg = call->kids[i], *formal;
        bool keyword = arg && arg->kind == SYNTAX_KEYWORD;
        if (keyword)
            formal = formal_named(formals, arg->name);
        else
            formal = place < formals->n_kids ? formals->kids[place] : NULL;
        place += !keyword;
        if (formal && has_name(by, formal->name)) add_name(to, keyword ? kid_value(arg) : arg);
    }
}

static void add_call(Elaborator *el, DerivativeNames *to, const Syntax *call)
{
    Builtin builtin;
    bool grad = call->n_kids == 3 && kid_callee(call) && kid_callee(call)->kind == SYNTAX_NAME &&
                builtin_find(kid_callee(call)->name, &builtin) && builtin.family == BUILTIN_GRAD;
    const Syntax *by = grad ? call->kids[call->n_kids - 1] : NULL;
    if (grad)
        add_name(to, by && by->kind == SYNTAX_KEYWORD ? kid_value(by) : by);
    else
        add_passed(el, to, call, NULL);
}

static void collect(Elaborator *el, DerivativeNames *to, const Syntax *node);

static void collect_inside(Elaborator *el, DerivativeNames *to, const Syntax *node)
{
    if (node->kind == SYNTAX_CALL) add_call(el, to, node);
    if (node->kind == SYNTAX_PIPE && kid_stage(node)) add_passed(el, to, kid_stage(node), kid_head(node));
    for (uint32_t i = 0; i < node->n_kids; i++) collect(el, to, node->kids[i]);
}

/* What is nested deeper than is followed here is refused when it is evaluated. */
static void collect(Elaborator *el, DerivativeNames *to, const Syntax *node)
{
    for (; node && node->kind == SYNTAX_BINARY; node = kid_left(node)) collect(el, to, kid_right(node));
    if (!node) return;
    if (context_descend(el->context)) collect_inside(el, to, node);
    context_ascend(el->context);
}

/* Each body is read once. One that is being read, which a recursion leads to, has none. */
static const DerivativeNames *names_of(Elaborator *el, const Syntax *body)
{
    size_t known = named_find(el, NAMED_BODY, body);
    if (known != NAME_MAP_NONE) return el->derivative_names.at[known];
    DerivativeNames *own = ARENA_NEW(el->arena, DerivativeNames);
    own->body = body;
    vec_push(&el->derivative_names, own);
    collect(el, own, body);
    return own;
}

const Syntax *derivative_names_body(const DerivativeNames *of)
{
    return of->body;
}

void derivative_names_free(Elaborator *el)
{
    for (size_t i = 0; i < el->derivative_names.count; i++) vec_free(&el->derivative_names.at[i]->names);
    vec_free(&el->derivative_names);
    named_forget(el);
}

void enter_body(Elaborator *el, const Syntax *syntax)
{
    if (el->interactive && !el->body.syntax) derivative_names_free(el); /* a session defines functions anew */
    el->body.syntax = syntax;
    el->body.differentiates = syntax && names_of(el, syntax)->names.count;
}

Node identify_node(Elaborator *el, Name name, Node node)
{
    Type type = *node_type(el->graph, node);
    Name unique = intern_format(el->context->names, "d.%s.%u", name, ++el->n_identities);
    Node dy = build_source(el->graph, OP_COTANGENT, unique, type);
    Node args[] = {node, dy, node, dy};
    Attr attr = {.integer = 1};
    return graph_make(el->graph, OP_CUSTOM_GRADIENT, args, 4, &attr, &type);
}

Value identify(Elaborator *el, Name name, Value value)
{
    value.named = false;
    bool tensor = value.kind == VALUE_TENSOR && !value.count;
    if (!tensor || !el->body.differentiates || !dtype_is_float(node_type(el->graph, value.node)->dtype)) return value;
    if (!has_name(names_of(el, el->body.syntax), name)) return value;
    return value_tensor(identify_node(el, name, value.node));
}

Value identify_argument(Elaborator *el, Name name, Value value)
{
    return value.named ? value : identify(el, name, value);
}
