/* Statements, one after the other. */
#include <string.h>

#include "check/check.h"
#include "elaborate/elaborator.h"

static const char *phrase(const Syntax *node)
{
    return syntax_phrase((SyntaxKind)node->kind);
}

/* In a model what a binding computes lies under its name; in the body of a layer or function local names never reach a
 * path. */
static bool names_paths(const Elaborator *el)
{
    return el->body.frame && el->body.frame->model && el->body.kind == SYNTAX_MODEL;
}

static void enter_binding(Elaborator *el, Name name)
{
    if (names_paths(el)) el->body.frame->base = name;
}

static void leave_binding(Elaborator *el)
{
    if (names_paths(el)) el->body.frame->base = NULL;
}

static void name_node(Elaborator *el, Name name, Value value)
{
    if (value.kind == VALUE_TENSOR && !value.count && !el->body.prelude_call.end && !graph_name(el->graph, value.node))
        graph_set_name(el->graph, value.node, name);
}

static bool scalar_of(Elaborator *el, Value value, const char *what, Span at, Node *node)
{
    value = value_as_tensor(el, value, DTYPE_COUNT, at);
    if (value_is_error(value)) return false;
    Type type = value_type(el, value);
    if (type.rank) {
        Diag *diag = complain(el, DIAG_not_scalar, at, "%s must be a single number, but this is `%s`", what,
                              type_text(el, &type));
        diag_hint(diag, "reduce it: `mean(…)` or `sum(…)`");
        return false;
    }
    *node = dtype_is_float(type.dtype) ? value.node : build_cast(el->graph, value.node, el->real);
    return true;
}

static bool is_known(Elaborator *el, Named kind, Name name)
{
    return named_find(el, kind, name) != NAME_MAP_NONE;
}

/* What has the name of a new result already, NULL if nothing. Outputs are asked for by name; losses and metrics are
 * columns of one table, in which `loss` is the sum of all losses. */
static const char *taken_by(Elaborator *el, ResultRole role, Name name)
{
    if (role == RESULT_OUTPUT) return is_known(el, NAMED_OUTPUT, name) ? "an output" : NULL;
    bool total = role == RESULT_METRIC && name == el->name_loss && el->losses.count;
    if (is_known(el, NAMED_METRIC, name)) return "a metric";
    if (role == RESULT_LOSS && is_known(el, NAMED_METRIC, el->name_loss)) return "a metric";
    return total || is_known(el, NAMED_LOSS, name) ? "a loss" : NULL;
}

static bool is_taken(Elaborator *el, ResultRole role, Name name, Span at)
{
    const char *other = taken_by(el, role, name);
    if (!other) return false;
    if (role != RESULT_OUTPUT && strcmp(other, role == RESULT_LOSS ? "a loss" : "a metric"))
        diag_hint(
            complain(el, DIAG_duplicate_result, at, "a metric has the name of a loss, or `loss`, that of their sum"),
            "they are columns of one table: give the metric another name");
    else
        complain(el, DIAG_duplicate_result, at, "there is already %s called `%s`", other, name);
    return true;
}

static void add_loss(Elaborator *el, Name name, Value value, const Syntax *paths, const Syntax *statement)
{
    LossEntry loss = {.name = name, .paths = paths, .place = statement->span};
    if (el->body.frame) loss.name = el->body.frame->model ? path_join(el, name) : path_next(el, name);
    if (value_is_error(value) || is_taken(el, RESULT_LOSS, loss.name, statement->span)) return;
    if (scalar_of(el, value, "a loss", statement->span, &loss.value)) vec_push(&el->losses, loss);
}

static bool is_loss_name(const Elaborator *el, const Syntax *left)
{
    return left->kind == SYNTAX_NAME && left->name == el->name_loss &&
           (el->body.kind == SYNTAX_MODEL || el->body.kind == SYNTAX_LAYER);
}

static void assign_several(Elaborator *el, Scope *scope, const Syntax *left, Value value, const Syntax *right)
{
    bool fits = value.kind == VALUE_TUPLE && value.count == left->n_kids;
    if (!fits && !value_is_error(value))
        complain(el, DIAG_value_count, right->span, "%u names stand on the left, but the right side is %s",
                 left->n_kids, value_describe(el, value));
    for (uint32_t i = 0; i < left->n_kids; i++) {
        const Syntax *name = left->kids[i];
        if (name->kind != SYNTAX_NAME) continue;
        Value one = fits ? identify(el, name->name, value.items[i]) : value_error();
        name_node(el, name->name, one);
        scope_assign(el, scope, name->name, one, name->span);
    }
}

static void assign_one(Elaborator *el, Scope *scope, const Syntax *name, Value value, const Syntax *right)
{
    if (value.kind == VALUE_TUPLE) {
        complain(el, DIAG_value_count, right->span, "one name stands on the left, but the right side is %u values",
                 value.count);
        value = value_error();
    }
    value = identify(el, name->name, value);
    name_node(el, name->name, value);
    scope_assign(el, scope, name->name, value, name->span);
}

static Flow run_bind(Elaborator *el, Scope *scope, const Syntax *statement)
{
    const Syntax *left = kid_exprs(statement), *right = kid_value(statement), *first = kid_expr(left);
    if (first->kind == SYNTAX_SUBSCRIPT && left->n_kids == 1) {
        enter_binding(el, kid_base(first)->name);
        index_assign(el, scope, first, right);
        leave_binding(el);
        return FLOW_NEXT;
    }
    if (first->kind != SYNTAX_NAME) {
        check_hint_left(complain(el, DIAG_bad_left_side, first->span, "%s cannot stand left of `=`", phrase(first)),
                        first);
        return FLOW_NEXT;
    }
    enter_binding(el, first->name);
    Value value = evaluate(el, scope, right);
    leave_binding(el);
    if (left->n_kids > 1) {
        assign_several(el, scope, left, value, right);
        return FLOW_NEXT;
    }
    assign_one(el, scope, first, value, right);
    if (is_loss_name(el, first)) add_loss(el, first->name, value, kid_paths(statement), statement);
    return FLOW_NEXT;
}

static Flow run_loss(Elaborator *el, Scope *scope, const Syntax *statement)
{
    enter_binding(el, statement->name);
    Value value = evaluate(el, scope, kid_value(statement));
    leave_binding(el);
    assign_one(el, scope, &(Syntax){.kind = SYNTAX_NAME, .name = statement->name, .span = statement->name_span}, value,
               kid_value(statement));
    add_loss(el, statement->name, value, kid_paths(statement), statement);
    return FLOW_NEXT;
}

static Flow run_metric(Elaborator *el, Scope *scope, const Syntax *statement)
{
    enter_binding(el, statement->name);
    Value value = evaluate(el, scope, kid_value(statement));
    leave_binding(el);
    Result result = {.role = RESULT_METRIC, .name = path_join(el, statement->name)};
    if (value_is_error(value) || is_taken(el, RESULT_METRIC, result.name, statement->name_span)) return FLOW_NEXT;
    if (scalar_of(el, value, "a metric", kid_value(statement)->span, &result.value)) vec_push(&el->results, result);
    return FLOW_NEXT;
}

static void add_output(Elaborator *el, Name name, Value value, Span at)
{
    value = value_settled(el, value_as_tensor(el, value, DTYPE_COUNT, at));
    name_node(el, name, value);
    Result result = {.role = RESULT_OUTPUT, .name = path_join(el, name), .value = value.node};
    if (!value_is_error(value) && !is_taken(el, RESULT_OUTPUT, result.name, at)) vec_push(&el->results, result);
}

static Flow run_output(Elaborator *el, Scope *scope, const Syntax *statement)
{
    const Syntax *names = kid_exprs(statement);
    if (kid_value(statement)) {
        Syntax bind = *statement;
        Syntax *kids[] = {kid_exprs(statement), kid_value(statement), NULL};
        bind.kind = SYNTAX_BIND;
        bind.kids = kids;
        bind.n_kids = 3;
        run_bind(el, scope, &bind);
    }
    for (uint32_t i = 0; i < names->n_kids; i++) {
        const Syntax *name = names->kids[i];
        if (name->kind == SYNTAX_SUBSCRIPT) name = kid_base(name);
        if (name->kind == SYNTAX_NAME) {
            add_output(el, name->name, scope_value(el, scope, name), name->span);
            continue;
        }
        Diag *diag = complain(el, DIAG_unnamed_output, name->span, "an output needs a name");
        diag_hint(diag, "write `output NAME = %s`", syntax_text(el, name));
    }
    return FLOW_NEXT;
}

static Flow run_return(Elaborator *el, Scope *scope, const Syntax *statement, Value *result)
{
    if (statement->n_kids == 1) {
        *result = evaluate(el, scope, kid_expr(statement));
        return FLOW_RETURN;
    }
    Value *items = ARENA_ARRAY(el->arena, Value, statement->n_kids);
    for (uint32_t i = 0; i < statement->n_kids; i++) {
        items[i] = evaluate(el, scope, statement->kids[i]);
        if (value_is_error(items[i])) return FLOW_STOP;
    }
    *result = (Value){.kind = VALUE_TUPLE, .items = items, .count = statement->n_kids};
    return FLOW_RETURN;
}

/* A block has a scope of its own. */
static Flow run_block(Elaborator *el, Scope *scope, const Syntax *block, Value *result)
{
    return run_statements(el, scope_new(el, scope, scope->inside_prelude), block, result);
}

static Flow run_if(Elaborator *el, Scope *scope, const Syntax *statement, Value *result)
{
    bool truth;
    if (!evaluate_truth(el, scope, kid_condition(statement), "an if statement", &truth)) return FLOW_STOP;
    const Syntax *branch = truth ? kid_then(statement) : kid_else(statement);
    if (!branch) return FLOW_NEXT;
    return branch->kind == SYNTAX_IF ? run_if(el, scope, branch, result) : run_block(el, scope, branch, result);
}

static Flow run_expression(Elaborator *el, Scope *scope, const Syntax *statement, Value *result)
{
    const Syntax *first = kid_expr(statement);
    if (statement->n_kids == 1 && first && first->kind == SYNTAX_REPEAT)
        return run_repeat(el, scope, first, NULL, NO_SPAN, result);
    Diag *diag = complain(el, DIAG_bare_expression, statement->span, "this value is computed and thrown away");
    diag_hint(diag, "give it a name, or, if it continues the line above, end that line with its operator");
    return FLOW_NEXT;
}

static Flow run_one(Elaborator *el, Scope *scope, const Syntax *statement, Value *result)
{
    switch (statement->kind) {
    case SYNTAX_INPUT:
    case SYNTAX_TARGET:
        return declare_input(el, scope, statement);
    case SYNTAX_PARAM:
        return declare_param(el, scope, statement);
    case SYNTAX_STATE:
        return declare_state(el, scope, statement);
    case SYNTAX_DRAW:
        return declare_draw(el, scope, statement);
    case SYNTAX_INSTANCE:
        return declare_instance(el, scope, statement);
    case SYNTAX_CONST:
        scope_bind(el, scope, statement->name, false, evaluate(el, scope, kid_value(statement)), statement->name_span);
        return FLOW_NEXT;
    case SYNTAX_BIND:
        return run_bind(el, scope, statement);
    case SYNTAX_UPDATE:
        return update(el, scope, statement);
    case SYNTAX_LOSS:
        return run_loss(el, scope, statement);
    case SYNTAX_METRIC:
        return run_metric(el, scope, statement);
    case SYNTAX_OUTPUT:
        return run_output(el, scope, statement);
    case SYNTAX_ASSERT:
        return run_assert(el, scope, statement);
    case SYNTAX_RETURN:
        return run_return(el, scope, statement, result);
    case SYNTAX_IF:
        return run_if(el, scope, statement, result);
    case SYNTAX_EXPRESSION:
        return run_expression(el, scope, statement, result);
    case SYNTAX_SCAN:
    case SYNTAX_CHECKPOINT:
        unsupported(el, statement->span, phrase(statement));
        return FLOW_STOP;
    default:
        complain(el, DIAG_misplaced_statement, statement->span, "%s cannot stand here", phrase(statement));
        return FLOW_NEXT;
    }
}

Flow run_statement(Elaborator *el, Scope *scope, const Syntax *statement, Value *result)
{
    Flow flow = enter_level(el, statement->span) ? run_one(el, scope, statement, result) : FLOW_STOP;
    context_ascend(el->context);
    return flow;
}

Flow run_statements(Elaborator *el, Scope *scope, const Syntax *block, Value *result)
{
    for (uint32_t i = 0; i < block->n_kids; i++) {
        if (!block->kids[i]) continue;
        Flow flow = run_statement(el, scope, block->kids[i], result);
        if (flow != FLOW_NEXT) return flow;
    }
    return FLOW_NEXT;
}
