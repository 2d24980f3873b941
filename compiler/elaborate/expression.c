/* Expressions: a walk over the tree that yields values. */
#include <string.h>

#include "elaborate/data.h"

static Value evaluate_number(Elaborator *el, const Syntax *node)
{
    if (node->flags & SYNTAX_INTEGER) return value_integer(el, node->integer);
    if (strpbrk(node->text, ".eE")) return value_real(node->number);
    Diag *diag = complain(el, DIAG_bad_number, node->span,
                          "a whole number in the text has at most 64 bits: it is "
                          "below 9223372036854775808");
    diag_hint(diag, "as a real number it is written `%s.0`", node->text);
    return value_error();
}

static Value evaluate_list(Elaborator *el, Scope *scope, const Syntax *node)
{
    Vec(Value) items = {0};
    bool good = true;
    for (uint32_t i = 0; i < node->n_kids; i++) {
        const Syntax *kid = node->kids[i];
        if (kid->kind == SYNTAX_DOTS) {
            const Binding *dots = scope_find(scope, el->name_dots, false);
            if (!dots) {
                complain(el, DIAG_dots_without_meaning, kid->span, "`...` stands for nothing here");
                good = false;
            }
            for (uint32_t k = 0; dots && k < dots->value.count; k++) vec_push(&items, dots->value.items[k]);
            continue;
        }
        bool blank = kid->kind == SYNTAX_NAME && kid->name == el->name_blank;
        Value item = blank ? value_text("_") : evaluate(el, scope, kid);
        good &= !value_is_error(item);
        vec_push(&items, item);
    }
    Value list = good ? value_list(el, items.at, (uint32_t)items.count) : value_error();
    vec_free(&items);
    return list;
}

/* -9223372036854775808: the only integer whose absolute value is none. */
static bool is_least_integer(const Syntax *node)
{
    const Syntax *kid = kid_operand(node);
    if (node->op != OPERATOR_NEGATE || kid->kind != SYNTAX_NUMBER || kid->flags & SYNTAX_INTEGER) return false;
    return !strcmp(kid->text + strspn(kid->text, "0"), "9223372036854775808");
}

static Value evaluate_unary(Elaborator *el, Scope *scope, const Syntax *node)
{
    if (is_least_integer(node)) return value_integer(el, INT64_MIN);
    Value x = evaluate(el, scope, kid_operand(node));
    if (node->op == OPERATOR_NEGATE) return negate(el, x, node->span);
    if (x.kind == VALUE_BOOL) return value_bool(!x.truth);
    if (value_is_error(x)) return x;
    if (x.kind == VALUE_TENSOR && node_type(el->graph, x.node)->dtype == DTYPE_BOOL)
        return value_labelled(el, build_unary(el->graph, OP_NOT, x.node), x.labels, x.count);
    complain(el, DIAG_not_a_truth_value, node->span, "`not` wants a truth value, but this is %s",
             value_describe(el, x));
    return value_error();
}

/* With a condition known now only the branch taken is evaluated: the other may not even fit. */
static Value evaluate_choose(Elaborator *el, Scope *scope, const Syntax *node)
{
    Value condition = evaluate(el, scope, kid_condition(node));
    if (condition.kind == VALUE_BOOL) return evaluate(el, scope, condition.truth ? kid_then(node) : kid_else(node));
    Value yes = evaluate(el, scope, kid_then(node)), no = evaluate(el, scope, kid_else(node));
    if (value_is_error(condition) || value_is_error(yes) || value_is_error(no)) return value_error();
    bool truth = condition.kind == VALUE_TENSOR && node_type(el->graph, condition.node)->dtype == DTYPE_BOOL;
    if (truth) return choose(el, condition, yes, no, node);
    Diag *diag = complain(el, DIAG_not_a_truth_value, kid_condition(node)->span,
                          "a condition must be a truth value, not %s", value_describe(el, condition));
    diag_hint(diag, "compare it: `%s != 0`", syntax_text(el, kid_condition(node)));
    return value_error();
}

/* `net[0].dense.W` as a path; NULL when the tree is no path. */
static Name member_path(Elaborator *el, Scope *scope, const Syntax *node)
{
    Name base;
    int64_t turn;
    switch (node->kind) {
    case SYNTAX_NAME: {
        const Binding *binding = scope_find(scope, node->name, true);
        if (binding && binding->value.kind == VALUE_FUNCTION && binding->value.callee->kind == CALLEE_INSTANCE)
            return binding->value.callee->path;
        return node->name;
    }
    case SYNTAX_MEMBER:
        base = member_path(el, scope, kid_base(node));
        return base ? intern_format(el->context->names, "%s.%s", base, node->name) : NULL;
    case SYNTAX_SUBSCRIPT:
        base = member_path(el, scope, kid_base(node));
        if (!base || kid_subs(node)->n_kids != 2 || kid_sub(kid_subs(node))->kind != SYNTAX_NUMBER) return NULL;
        turn = kid_sub(kid_subs(node))->integer;
        return intern_format(el->context->names, "%s[%lld]", base, (long long)turn);
    default:
        return NULL;
    }
}

static Value transposed(Elaborator *el, Value x, Span at)
{
    if (value_is_error(x)) return x;
    x = value_as_tensor(el, x, DTYPE_COUNT, at);
    if (value_is_error(x)) return x;
    uint32_t rank = node_type(el->graph, x.node)->rank;
    if (rank - x.count < 2) {
        complain(el, DIAG_bad_axis, at, "`.T` swaps the last two axes, but this is %s", value_describe(el, x));
        return value_error();
    }
    int32_t permutation[MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) permutation[i] = (int32_t)i;
    permutation[rank - 1] = (int32_t)rank - 2;
    permutation[rank - 2] = (int32_t)rank - 1;
    return value_labelled(el, build_transpose(el->graph, x.node, permutation), x.labels, x.count);
}

/* True if a parameter's path begins with the name: `h` of `h.dense.W`. */
static bool owns_parameters(const Elaborator *el, Name name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < el->params.count; i++) {
        const char *path = el->params.at[i].path;
        if (!strncmp(path, name, length) && (path[length] == '.' || path[length] == '[')) return true;
    }
    return false;
}

static Value no_parts(Elaborator *el, const Syntax *node, const Binding *named)
{
    const char *name = kid_base(node)->name;
    Diag *diag = complain(el, DIAG_not_a_table, node->name_span, "`%s` is %s, which has no part `%s`", name,
                          value_describe(el, named->value), node->name);
    if (!strcmp(node->name, "shape"))
        diag_hint(diag, "its sizes are `shape(%s)`", name);
    else
        diag_hint(diag, "layers have parameters, `%s.dense.W`, and tables of data have columns", name);
    return value_error();
}

static Value evaluate_member(Elaborator *el, Scope *scope, const Syntax *node)
{
    if (node->name == el->name_transpose) return transposed(el, evaluate(el, scope, kid_base(node)), node->span);
    Name path = member_path(el, scope, node);
    const Stored *stored = path ? stored_find(el, path) : NULL;
    if (stored) {
        size_t cell = named_find(el, NAMED_CELL, path);
        return value_tensor(cell == NAME_MAP_NONE ? stored->node : el->cells.at[cell]->now);
    }
    const Syntax *base = kid_base(node);
    const Binding *named = base->kind == SYNTAX_NAME ? scope_find(scope, base->name, false) : NULL;
    Value table = base->kind == SYNTAX_CALL ? evaluate(el, scope, base) : named ? named->value : value_bool(false);
    if (value_is_error(table)) return table;
    if (table.kind == VALUE_TABLE) return table_column(el, table, node->name, node->name_span);
    if (named && named->value.kind == VALUE_TENSOR && !owns_parameters(el, base->name))
        return no_parts(el, node, named);
    Diag *diag =
        complain(el, DIAG_unknown_parameter, node->name_span, "there is no parameter `%s`", path ? path : node->name);
    Vec(const char *) near = {0};
    for (size_t i = 0; i < el->params.count; i++) vec_push(&near, el->params.at[i].path);
    const char *best = path ? nearest_spelling(path, near.at, near.count) : NULL;
    if (best)
        diag_hint(diag, "did you mean `%s`?", best);
    else
        diag_hint(diag, "a parameter can be read after the statement that makes it, by its whole path");
    vec_free(&near);
    return value_error();
}

/* A block or repeat as a value only makes sense where something goes through it. */
static Value misplaced_stage(Elaborator *el, const Syntax *node)
{
    Diag *diag = complain(el, DIAG_stage_without_value, node->span, "%s is no value by itself",
                          syntax_phrase((SyntaxKind)node->kind));
    diag_hint(diag, "send something through it: `x |> …`");
    return value_error();
}

static Value evaluate_chain(Elaborator *el, Scope *scope, const Syntax *node)
{
    SyntaxChain chain = {0};
    Value value = evaluate(el, scope, syntax_chain(node, &chain));
    while (chain.count) {
        const Syntax *operation = vec_pop(&chain);
        Value right = evaluate(el, scope, kid_right(operation));
        mark_place(el, operation->span);
        value = operate(el, (Operator)operation->op, value, right, operation);
    }
    vec_free(&chain);
    return value;
}

static Value evaluate_node(Elaborator *el, Scope *scope, const Syntax *node)
{
    Value left;
    switch (node->kind) {
    case SYNTAX_NAME:
        left = scope_value(el, scope, node);
        left.named = left.kind == VALUE_TENSOR;
        return left;
    case SYNTAX_NUMBER:
        return evaluate_number(el, node);
    case SYNTAX_STRING:
        return value_text(node->text);
    case SYNTAX_BOOL:
        return value_bool(node->integer != 0);
    case SYNTAX_LIST:
        return evaluate_list(el, scope, node);
    case SYNTAX_UNARY:
        return evaluate_unary(el, scope, node);
    case SYNTAX_BINARY:
        return evaluate_chain(el, scope, node);
    case SYNTAX_CHOOSE:
        return evaluate_choose(el, scope, node);
    case SYNTAX_PIPE:
        left = evaluate(el, scope, kid_head(node));
        return apply_stage(el, scope, kid_stage(node), left, kid_head(node)->span, NULL);
    case SYNTAX_CALL:
        return call_syntax(el, scope, node, NULL, NULL);
    case SYNTAX_SUBSCRIPT:
        return subscript(el, scope, node, evaluate(el, scope, kid_base(node)));
    case SYNTAX_MEMBER:
        left = evaluate_member(el, scope, node);
        left.named = left.kind == VALUE_TENSOR && node->name != el->name_transpose;
        return left;
    case SYNTAX_AS: {
        Frame *as = frame_for_as(el, node->name), *outer = el->body.frame;
        Value value;
        if (kid_base(node)->kind == SYNTAX_CALL) {
            value = call_syntax(el, scope, kid_base(node), NULL, as);
        } else {
            el->body.frame = as;
            value = evaluate(el, scope, kid_base(node));
            el->body.frame = outer;
        }
        frame_free(as);
        return value;
    }
    case SYNTAX_BLOCK:
    case SYNTAX_REPEAT:
        return misplaced_stage(el, node);
    default:
        complain(el, DIAG_dots_without_meaning, node->span, "%s cannot stand here",
                 syntax_phrase((SyntaxKind)node->kind));
        return value_error();
    }
}

Value evaluate(Elaborator *el, Scope *scope, const Syntax *node)
{
    if (!node) return value_error(); /* what the parser could not read */
    if (context_stopped(el->context) || !spend(el, 1, node->span)) return value_error();
    Value value = value_error();
    if (enter_level(el, node->span)) {
        mark_place(el, node->span);
        value = evaluate_node(el, scope, node);
    }
    context_ascend(el->context);
    return value;
}

bool evaluate_truth(Elaborator *el, Scope *scope, const Syntax *node, const char *what, bool *truth)
{
    Value value = evaluate(el, scope, node);
    if (value.kind == VALUE_BOOL) {
        *truth = value.truth;
        return true;
    }
    if (!value_is_error(value)) {
        Diag *diag = complain(el, DIAG_condition_not_constant, node->span,
                              "the condition of %s must be known when the program is compiled, but this is %s", what,
                              value_describe(el, value));
        diag_hint(diag, "between values of a tensor choose by `if … then … else …`");
    }
    return false;
}

Value evaluate_function(Elaborator *el, Scope *scope, const Syntax *node)
{
    Callee callee = {.kind = CALLEE_STAGE, .stage = node, .scope = scope, .inside_prelude = scope->inside_prelude};
    if (node->kind == SYNTAX_NAME && !scope_function(el, scope, node->name, &callee)) {
        Diag *diag = complain(el, DIAG_unknown_function, node->span, "there is no function called `%s`", node->name);
        const char *near = items_nearest(el->items, SPACE_FUNCTION, node->name);
        if (near) diag_hint(diag, "did you mean `%s`?", near);
        return value_error();
    }
    if (node->kind == SYNTAX_NUMBER || node->kind == SYNTAX_STRING || node->kind == SYNTAX_LIST) {
        complain(el, DIAG_not_a_function, node->span, "a function should stand here, not %s",
                 syntax_phrase((SyntaxKind)node->kind));
        return value_error();
    }
    return (Value){.kind = VALUE_FUNCTION, .callee = ARENA_COPY(el->arena, Callee, &callee, 1)};
}
