/* Expressions: every name in them is one in sight. */
#include <string.h>

#include "check/check_internal.h"
#include "check/foreign.h"
#include "ir/type.h"

static void walk_subs(Walk *walk, const Syntax *subs)
{
    for (uint32_t i = 0; i < subs->n_kids; i++) {
        const Syntax *sub = subs->kids[i];
        if (!sub || sub->kind == SYNTAX_DOTS) continue;
        if (sub->kind == SYNTAX_RANGE || sub->kind == SYNTAX_INDEX) {
            for (uint32_t k = 0; k < sub->n_kids; k++)
                if (sub->kids[k]) walk_expression(walk, sub->kids[k]);
        } else {
            walk_expression(walk, sub);
        }
    }
}

/* The names in a reducer's bracket or on a left side are indices for what follows. */
static void know_indices(Walk *walk, const Syntax *subs)
{
    for (uint32_t i = 1; i < subs->n_kids; i++) {
        const Syntax *sub = subs->kids[i];
        if (sub->kind == SYNTAX_INDEX) walk_expression(walk, kid_extent(sub));
        if (sub->kind == SYNTAX_NAME || sub->kind == SYNTAX_INDEX) know(walk, sub->name, false, sub->span);
    }
}

static void walk_reducer(Walk *walk, const Syntax *call)
{
    size_t outer = walk->known.count;
    const Syntax *subs = kid_subs(kid_callee(call));
    know_indices(walk, subs);
    if (kid_condition(subs)) walk_expression(walk, kid_condition(subs));
    for (uint32_t i = 1; i < call->n_kids; i++) walk_expression(walk, call->kids[i]);
    forget(walk, outer);
}

static void not_callable(Walk *walk, const Syntax *callee)
{
    Diag *diag =
        mistake(walk, DIAG_not_callable, callee->span, "%s cannot be called", syntax_phrase((SyntaxKind)callee->kind));
    if (callee->kind == SYNTAX_MEMBER && kid_base(callee)->kind == SYNTAX_NAME)
        diag_hint(diag, "a function takes its value as an argument: `%s(%s)`", callee->name, kid_base(callee)->name);
}

/* True if an argument of a function that is not known may itself be a function: then nothing can be said of it. */
static bool may_be_function(const Walk *walk, const Syntax *value)
{
    Builtin builtin;
    if (value->kind == SYNTAX_CALL || value->kind == SYNTAX_BLOCK || value->kind == SYNTAX_REPEAT) return true;
    return value->kind == SYNTAX_NAME && (is_known(walk, value->name, true) || builtin_find(value->name, &builtin) ||
                                          items_find(walk->items, SPACE_FUNCTION, value->name, walk->item->prelude));
}

static void walk_call(Walk *walk, const Syntax *call, uint32_t piped)
{
    bool known = false;
    const Syntax *callee = kid_callee(call);
    Callable callable = {0};
    if (callee->kind == SYNTAX_SUBSCRIPT && !piped) {
        walk_reducer(walk, call);
        return;
    }
    if (callee->kind != SYNTAX_NAME)
        not_callable(walk, callee);
    else if ((known = need_function(walk, callee, &callable)))
        check_arguments(walk, call, piped, &callable);
    for (uint32_t i = 1; i < call->n_kids; i++) {
        const Syntax *arg = call->kids[i], *value = arg->kind == SYNTAX_KEYWORD ? kid_value(arg) : arg;
        const Syntax *formal = callable.item ? formal_of(call, i, piped, callable.item) : NULL;
        bool literal = value->kind == SYNTAX_NUMBER || value->kind == SYNTAX_STRING || value->kind == SYNTAX_LIST ||
                       value->kind == SYNTAX_BOOL;
        if (formal && wants_function(formal) && literal)
            mistake(walk, DIAG_not_a_function, value->span, "`%s` wants a function, but this is %s", formal->name,
                    syntax_phrase((SyntaxKind)value->kind));
        else if (formal && wants_function(formal))
            walk_stage(walk, value);
        else if (known || !may_be_function(walk, value))
            walk_expression(walk, value);
    }
}

/* `net.dense.W`, `table.column`, `x.T`: the root is a value or an instance. */
static void walk_member(Walk *walk, const Syntax *node)
{
    const Syntax *root = node;
    while (root->kind == SYNTAX_MEMBER) root = kid_base(root);
    if (root->kind == SYNTAX_NAME && is_known(walk, root->name, true)) return;
    if (root->kind == SYNTAX_SUBSCRIPT && kid_base(root)->kind == SYNTAX_NAME &&
        is_known(walk, kid_base(root)->name, true))
        return;
    walk_expression(walk, root);
}

static void walk_list(Walk *walk, const Syntax *list)
{
    for (uint32_t i = 0; i < list->n_kids; i++) {
        const Syntax *item = list->kids[i];
        bool blank = item->kind == SYNTAX_NAME && !strcmp(item->name, "_");
        if (item->kind != SYNTAX_DOTS && !blank) walk_expression(walk, item);
    }
}

static void walk_chain(Walk *walk, const Syntax *node)
{
    SyntaxChain chain = {0};
    walk_expression(walk, syntax_chain(node, &chain));
    while (chain.count) walk_expression(walk, kid_right(vec_pop(&chain)));
    vec_free(&chain);
}

void walk_expression(Walk *walk, const Syntax *node)
{
    if (!node) return;
    switch (node->kind) {
    case SYNTAX_BINARY:
        walk_chain(walk, node);
        return;
    case SYNTAX_NAME:
        need_value(walk, node);
        return;
    case SYNTAX_CALL:
        walk_call(walk, node, 0);
        return;
    case SYNTAX_LIST:
        walk_list(walk, node);
        return;
    case SYNTAX_MEMBER:
        walk_member(walk, node);
        return;
    case SYNTAX_SUBSCRIPT:
        walk_expression(walk, kid_base(node));
        walk_subs(walk, kid_subs(node));
        return;
    case SYNTAX_PIPE:
        walk_expression(walk, kid_head(node));
        walk_stage(walk, kid_stage(node));
        return;
    case SYNTAX_BLOCK:
    case SYNTAX_REPEAT: {
        Diag *diag = mistake(walk, DIAG_stage_without_value, node->span, "%s is no value by itself",
                             syntax_phrase((SyntaxKind)node->kind));
        diag_hint(diag, "send something through it: `x |> …`");
        return;
    }
    default:
        for (uint32_t i = 0; i < node->n_kids; i++) walk_expression(walk, node->kids[i]);
        return;
    }
}

static void walk_through(Walk *walk, const Syntax *block)
{
    size_t outer = walk->known.count, outer_block = walk->block;
    walk->block = outer;
    for (uint32_t i = 0; i < block->n_kids; i++) {
        const Syntax *statement = block->kids[i];
        if (!statement) continue;
        bool last = i + 1 == block->n_kids && statement->kind == SYNTAX_EXPRESSION && statement->n_kids == 1;
        if (last)
            walk_stage(walk, kid_expr(statement));
        else
            walk_statement(walk, statement);
    }
    forget(walk, outer);
    walk->block = outer_block;
}

/* A function or layer of a file or the prelude, not an instance of one. */
static bool is_item(const Walk *walk, const Syntax *name)
{
    return name->kind == SYNTAX_NAME && !is_known(walk, name->name, true) &&
           items_find(walk->items, SPACE_FUNCTION, name->name, walk->item->prelude);
}

void walk_stage(Walk *walk, const Syntax *node)
{
    Callable callable;
    size_t outer = walk->known.count;
    if (!node) return;
    switch (node->kind) {
    case SYNTAX_NAME:
        if (need_function(walk, node, &callable) && callable.item) {
            const Syntax *formals = kid_formals(callable.item->syntax);
            for (uint32_t i = 1; i < formals->n_kids; i++)
                if (!kid_default(formals->kids[i])) {
                    Diag *diag = mistake(walk, DIAG_missing_argument, node->span, "`%s` needs its argument `%s`",
                                         node->name, formals->kids[i]->name);
                    diag_note(diag, formals->kids[i]->span, "it has no default");
                    break;
                }
        }
        return;
    case SYNTAX_CALL:
        walk_call(walk, node, 1);
        return;
    case SYNTAX_PIPE:
        walk_stage(walk, kid_head(node));
        walk_stage(walk, kid_stage(node));
        return;
    case SYNTAX_AS:
    case SYNTAX_MEMBER:
        walk_stage(walk, kid_base(node));
        return;
    case SYNTAX_SUBSCRIPT:
        if (is_item(walk, kid_base(node))) {
            const char *name = kid_base(node)->name;
            Diag *diag = mistake(walk, DIAG_wrong_bracket, node->span, "`%s` is called with `[ ]`", name);
            diag_hint(diag, "arguments stand in `( )`: `%s(…)`", name);
            return;
        }
        walk_stage(walk, kid_base(node));
        walk_subs(walk, kid_subs(node));
        return;
    case SYNTAX_BLOCK:
        walk_through(walk, node);
        return;
    case SYNTAX_REPEAT:
        walk_expression(walk, kid_count(node));
        know(walk, node->name, false, node->name_span);
        walk_through(walk, kid_body(node));
        forget(walk, outer);
        return;
    default: {
        Diag *diag = mistake(walk, DIAG_bad_stage, node->span, "a value cannot go through %s",
                             syntax_phrase((SyntaxKind)node->kind));
        diag_hint(diag, "a stage is a function, a layer, or a call that lacks its first argument: `|> dense(10)`");
        return;
    }
    }
}

static void check_element(Walk *walk, const Syntax *type)
{
    DType dtype;
    if (!type->name || dtype_parse(type->name, strlen(type->name), &dtype) || !strcmp(type->name, "fn")) return;
    Diag *diag = mistake(walk, DIAG_unknown_type, type->name_span, "there is no element type `%s`", type->name);
    if (foreign_type(type->name)) diag_hint(diag, "here it is called %s", foreign_type(type->name));
    diag_hint(diag, "element types are f64, f32, bf16, f16, i64, i32, u8 and bool");
}

void walk_type(Walk *walk, const Syntax *type, bool signature)
{
    if (!type) return;
    check_element(walk, type);
    const Syntax *subs = kid_subs(type), *range = kid_range(type);
    for (uint32_t i = 1; subs && i < subs->n_kids; i++) {
        const Syntax *sub = subs->kids[i];
        if (signature && sub->kind == SYNTAX_NAME &&
            !items_find(walk->items, SPACE_CONST, sub->name, walk->item->prelude))
            know(walk, sub->name, false, sub->span);
        else if (!signature && sub->kind != SYNTAX_DOTS)
            walk_expression(walk, sub);
    }
    if (range && signature && range->kind == SYNTAX_NAME)
        know(walk, range->name, false, range->span);
    else if (range && !signature)
        walk_expression(walk, range);
}

void walk_type_sizes(Walk *walk, const Syntax *type)
{
    const Syntax *subs = type ? kid_subs(type) : NULL;
    for (uint32_t i = 1; subs && i < subs->n_kids; i++)
        if (subs->kids[i]->kind != SYNTAX_NAME && subs->kids[i]->kind != SYNTAX_DOTS)
            walk_expression(walk, subs->kids[i]);
    if (type && kid_range(type)) walk_expression(walk, kid_range(type));
}
