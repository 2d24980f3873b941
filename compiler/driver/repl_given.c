/* Values that the user gives to inputs, parameters, states and settings. */
#include <stdlib.h>
#include <string.h>

#include "driver/repl_session.h"
#include "ir/eval.h"

/* ---- Values for inputs and parameters ---- */

bool session_takes_value(Op op)
{
    return op == OP_INPUT || op == OP_TARGET || op == OP_PARAM || op == OP_STATE || op == OP_SETTING;
}

/* What stands alone on the left of a statement, NULL when there is nothing or more. */
static const Syntax *left_side(const Syntax *statement)
{
    if (statement->kind == SYNTAX_UPDATE) return kid_target(statement);
    const Syntax *exprs = statement->kind == SYNTAX_BIND ? kid_exprs(statement) : NULL;
    return exprs && exprs->n_kids == 1 ? kid_expr(exprs) : NULL;
}

Node session_source(Session *session, const Syntax *statement)
{
    const Syntax *left = left_side(statement);
    Value value = value_error();
    if (left && left->kind == SYNTAX_NAME) {
        const Binding *binding = scope_find(session->scope, left->name, false);
        if (binding) value = binding->value;
    } else if (left && left->kind == SYNTAX_MEMBER) {
        value = evaluate(session->el, session->scope, left);
    }
    if (value.kind != VALUE_TENSOR || value.count) return NODE_NONE;
    const NodeInfo *info = graph_node(session->el->graph, value.node);
    bool own = left->kind == SYNTAX_MEMBER || info->attr.name == left->name;
    return own && session_takes_value(info->op) ? value.node : NODE_NONE;
}

/* The shape that is wanted, with free sizes from the value's. */
static bool wanted_shape(Session *session, const Type *type, Value value, Span at, Dim *dims)
{
    Elaborator *el = session->el;
    Type have = value_type(el, value);
    Name symbol;
    bool free_size = false;
    for (uint32_t i = 0; i < type->rank; i++) {
        free_size |= dim_is_symbol(el->dims, type->dims[i], &symbol);
        dims[i] = type->dims[i];
    }
    if (!free_size || have.rank == 0) return true;
    for (uint32_t i = 0; i < type->rank && have.rank == type->rank; i++)
        if (dim_is_symbol(el->dims, type->dims[i], &symbol)) dims[i] = have.dims[i];
    if (have.rank == type->rank) return true;
    complain(el, DIAG_shape_mismatch, at, "this should be `%s`, but it is `%s`", type_text(el, type),
             type_text(el, &have));
    return false;
}

static bool within_range(Session *session, const Type *type, const Array *array, const char *name, Span at)
{
    int64_t range;
    if (dim_is_none(type->range) || !dim_is_constant(session->el->dims, type->range, &range)) return true;
    for (int64_t i = 0; i < array->count; i++) {
        int64_t integer;
        integer_load(array->dtype, &integer, (const char *)array->data + (size_t)i * dtype_size(array->dtype), 1);
        if (integer >= 0 && integer < range) continue;
        complain(session->el, DIAG_value_out_of_range, at, "`%s` is at least 0 and below %lld, but this holds %lld",
                 name, (long long)range, (long long)integer);
        return false;
    }
    return true;
}

/* The value goes to the model that the source is a parameter of, else it is the session's. */
static bool keep_value(Session *session, Node source, Array *value, Span at)
{
    const NodeInfo *info = graph_node(session->el->graph, source);
    Name name = info->attr.name;
    const char *model = names_model_of(session, name);
    if (!model) {
        session_give(session, name, *value);
        *value = (Array){0};
        return true;
    }
    Loaded *loaded = session_model_ready(session, model);
    if (!loaded) return false;
    int status = info->op == OP_SETTING
                     ? nn_params_set_setting(loaded->params, name, array_at(value, 0))
                     : nn_params_set(loaded->params, name, (nn_type)value->dtype, value->data, (size_t)value->count);
    if (status) complain(session->el, DIAG_run_time, at, "%s", nn_message());
    return !status;
}

static void complain_missing(Elaborator *el, Name name, const Outcome *outcome, Span at)
{
    Diag *diag = complain(el, DIAG_no_value, at, "`%s` needs a value, but %s`%s` has none", name,
                          outcome->missing_size ? "the size " : "", outcome->missing);
    if (outcome->missing_size)
        diag_hint(diag, "a value with all its elements, as `%s = [1, 2, 3]`, says how many there are", name);
    else
        diag_hint(diag, "give it one first: `%s = …`", outcome->missing);
}

bool session_assign(Session *session, Node source, const Syntax *right)
{
    Elaborator *el = session->el;
    Type type = *node_type(el->graph, source);
    Name name = graph_node(el->graph, source)->attr.name;
    Value value = value_as_tensor(el, evaluate(el, session->scope, right), type.dtype, right->span);
    if (value_is_error(value)) return false;
    DTypeClass have = dtype_class(node_type(el->graph, value.node)->dtype);
    if (have > dtype_class(type.dtype)) {
        complain(el, DIAG_type_mismatch, right->span, "`%s` is `%s`, but this is %s", name, type_text(el, &type),
                 value_describe(el, value));
        return false;
    }
    Dim dims[MAX_RANK];
    if (!wanted_shape(session, &type, value, right->span, dims)) return false;
    value = broadcast_to(el, convert(el, value, type.dtype, right->span), type.rank, dims, right->span);
    if (value_is_error(value)) return false;
    Outcome outcome;
    bool good = session_evaluate(session, value.node, EVALUATE_VALUE, &outcome);
    if (good && !outcome.known) {
        complain_missing(el, name, &outcome, right->span);
        good = false;
    }
    good = good && within_range(session, &type, &outcome.value, name, right->span) &&
           keep_value(session, source, &outcome.value, right->span);
    outcome_free(&outcome);
    return good;
}
