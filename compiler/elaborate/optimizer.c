/* Gradients and updates: the optimizer's text is evaluated once for each parameter. */
#include <string.h>

#include "elaborate/train.h"

static bool loss_reaches(const LossEntry *loss, Name path)
{
    if (!loss->paths || !path) return true;
    for (uint32_t i = 0; i < loss->paths->n_kids; i++)
        if (path_under(path, loss->paths->kids[i]->name)) return true;
    return false;
}

/* The sum of the losses that reach a parameter (all losses when path is NULL). */
static Node loss_for(Elaborator *el, Name path)
{
    Node total = NODE_NONE;
    for (size_t i = 0; i < el->losses.count; i++) {
        const LossEntry *loss = &el->losses.at[i];
        if (!loss_reaches(loss, path)) continue;
        if (node_is_none(total)) {
            total = loss->value;
            continue;
        }
        Value sum =
            elementwise(el, OP_ADD, value_tensor(total), value_tensor(loss->value), &(Syntax){.span = loss->place});
        total = sum.node;
    }
    return total;
}

Node total_loss(Elaborator *el)
{
    return loss_for(el, NULL);
}

static bool check_paths(Elaborator *el)
{
    bool good = true;
    for (size_t i = 0; i < el->losses.count; i++) {
        const Syntax *paths = el->losses.at[i].paths;
        for (uint32_t k = 0; paths && k < paths->n_kids; k++) {
            bool used = false;
            for (size_t p = 0; p < el->params.count; p++)
                used |= path_under(el->params.at[p].path, paths->kids[k]->name);
            if (used) continue;
            complain(el, DIAG_unknown_parameter, paths->kids[k]->span, "no parameter lies under `%s`",
                     paths->kids[k]->name);
            good = false;
        }
    }
    return good;
}

/* `total`: the sum of all losses, where each of them reaches every parameter; else NODE_NONE. */
static Node gradient_of(Elaborator *el, const Stored *param, Node total)
{
    Node loss = node_is_none(total) ? loss_for(el, param->path) : total;
    Type type = *node_type(el->graph, param->node);
    return node_is_none(loss) ? build_constant(el->graph, type, 0) : build_gradient(el->graph, loss, param->node);
}

typedef enum { ABOVE_ZERO, BELOW_ONE } Domain; /* x > 0; 0 <= x < 1 */

/* A number of the train block as a setting, whose domain is asked whenever it is set. */
static Value declare_number(Elaborator *el, const TrainSettings *settings, const char *name, double value,
                            Domain domain)
{
    const Syntax at = {.span = settings->place};
    bool share = domain == BELOW_ONE;
    Value number = value_tensor(declare_setting(el, intern(el->context->names, name), el->real, value, NULL, NO_SPAN));
    Value good = elementwise(el, share ? OP_LE : OP_LT, value_real(0), number, &at);
    if (share) good = operate(el, OPERATOR_AND, good, elementwise(el, OP_LT, number, value_real(1), &at), &at);
    const char *message =
        arena_format(el->arena, share ? "%s is less than 1, and not negative" : "%s is positive", name);
    double set = graph_node(el->graph, number.node)->attr.number;
    if (share ? !(set >= 0 && set < 1) : !(set > 0))
        complain(el, DIAG_bad_setting, settings->place, "%s, but it is set to %s", message, number_text(el, set));
    check_add(el, (Check){DIM_NONE, DIM_NONE, good.node, message, settings->place});
    return number;
}

/* Each element of the gradient within ±most. */
static Value clip_elements(Elaborator *el, Value most, Value gradient)
{
    Syntax at = {0};
    Value least = elementwise_unary(el, OP_NEG, most, NO_SPAN);
    return elementwise(el, OP_MAX, elementwise(el, OP_MIN, gradient, most, &at), least, &at);
}

/* min(1, clip / norm), norm over all gradients together. */
static Value clip_factor(Elaborator *el, const TrainSettings *settings, const Value *gradients, size_t count)
{
    Syntax at = {0};
    Value squares = value_real(0);
    for (size_t i = 0; i < count; i++) {
        if (value_is_error(gradients[i])) continue;
        Value square = elementwise(el, OP_MUL, gradients[i], gradients[i], &at);
        Value sum = value_tensor(build_reduce_all(el->graph, OP_SUM, square.node));
        squares = squares.kind == VALUE_REAL ? sum : operate(el, OPERATOR_ADD, squares, sum, &at);
    }
    Value most = declare_number(el, settings, "clip_norm", settings->clip_norm.value, ABOVE_ZERO);
    Value norm = elementwise_unary(el, OP_SQRT, squares, NO_SPAN);
    return elementwise(el, OP_MIN, value_integer(el, 1), operate(el, OPERATOR_DIVIDE, most, norm, &at), &at);
}

/* What the optimizer makes of the parameter. */
static Node update_param(Elaborator *el, const UpdateRules *rules, const Stored *param, Value g)
{
    const UpdateRule *rule = train_rule(rules, param->path);
    const Syntax *formals = kid_formals(rule->item->syntax);
    Scope *scope = scope_new(el, NULL, rule->item->prelude);
    scope->first = NULL;
    for (const Binding *clock = rules->scope->first; clock; clock = clock->next)
        scope_bind(el, scope, clock->name, clock->function, clock->value, clock->place);
    for (uint32_t i = 0; i < formals->n_kids; i++)
        scope_bind(el, scope, formals->kids[i]->name, false, rule->values[i], formals->kids[i]->name_span);
    StateCell *cell = ARENA_NEW(el->arena, StateCell);
    *cell = (StateCell){param->path, param->node, param->node};
    vec_push(&el->cells, cell);
    scope_bind(el, scope, el->name_w, false, value_tensor(param->node), param->place)->cell = cell;
    scope_bind(el, scope, el->name_g, false, g, param->place);
    Frame *frame = frame_for_model(el);
    frame->model = false;
    frame->base = intern_format(el->context->names, "optimizer/%s", param->path);
    frame->separator = '/';
    const BodyState outer = el->body;
    el->body.frame = frame;
    el->body.kind = SYNTAX_OPTIMIZER;
    el->body.prelude_call = rule->item->prelude ? rule->call->span : NO_SPAN;
    Value ignored;
    run_statements(el, scope, kid_body(rule->item->syntax), &ignored);
    el->body = outer;
    frame_free(frame);
    scope_end(el, scope);
    graph_set_layer(el->graph, NULL);
    return cell->now;
}

/* The running mean of a parameter: mean + (1 - share) * (w - mean), share = min(average, (step - 1) / step). So it is
 * the plain mean of all steps until 1 / (1 - average) of them are done, and needs no first value. */
static bool update_average(Elaborator *el, const UpdateRules *rules, const Stored *param, Value average, Node now)
{
    Name path = intern_format(el->context->names, "optimizer/%s/average", param->path);
    if (stored_find(el, path)) {
        complain(el, DIAG_duplicate_parameter, train_rule(rules, param->path)->call->span,
                 "the optimizer has a state `average`, which the key `average` needs for itself");
        return false;
    }
    Syntax at = {0};
    Type type = *node_type(el->graph, param->node);
    Stored stored = {.path = path, .place = param->place, .form = (int)el->form};
    stored.start = build_constant(el->graph, type, 0);
    stored.node = build_source(el->graph, OP_STATE, path, type);
    vec_push(&el->states, stored);
    Value clock = scope_find(rules->scope, el->name_step, false)->value, one = value_integer(el, 1);
    Value step = convert(el, clock, el->real, NO_SPAN);
    Value before = operate(el, OPERATOR_DIVIDE, operate(el, OPERATOR_SUBTRACT, step, one, &at), step, &at);
    Value part = operate(el, OPERATOR_SUBTRACT, one, elementwise(el, OP_MIN, average, before, &at), &at);
    Value mean = value_tensor(stored.node);
    Value way = elementwise(el, OP_SUB, value_tensor(now), mean, &at);
    Value next = elementwise(el, OP_ADD, mean, elementwise(el, OP_MUL, way, part, &at), &at);
    if (node_type(el->graph, next.node)->dtype != type.dtype) next = convert(el, next, type.dtype, NO_SPAN);
    StateCell *cell = ARENA_NEW(el->arena, StateCell);
    *cell = (StateCell){path, stored.node, next.node};
    vec_push(&el->cells, cell);
    return true;
}

static void clip_gradients(Elaborator *el, const TrainSettings *settings, Value *gradients, size_t count)
{
    if (settings->clip_value.given && count) {
        Value most = declare_number(el, settings, "clip_value", settings->clip_value.value, ABOVE_ZERO);
        for (size_t i = 0; i < count; i++)
            if (!value_is_error(gradients[i])) gradients[i] = clip_elements(el, most, gradients[i]);
    }
    if (settings->clip_norm.given && count) {
        Value factor = clip_factor(el, settings, gradients, count);
        Syntax at = {.span = settings->place};
        for (size_t i = 0; i < count; i++)
            if (!value_is_error(gradients[i])) gradients[i] = elementwise(el, OP_MUL, gradients[i], factor, &at);
    }
}

static bool update_params(Elaborator *el, const TrainSettings *settings, const UpdateRules *rules,
                          const Value *gradients)
{
    Value average = settings->average.given
                        ? declare_number(el, settings, "average", settings->average.value, BELOW_ONE)
                        : value_error();
    for (size_t i = 0; i < el->params.count; i++) {
        Stored param = el->params.at[i];
        if (value_is_error(gradients[i])) continue;
        Node now = update_param(el, rules, &param, gradients[i]);
        bool averaged = settings->average.given && !node_same(now, param.node);
        if (averaged && !update_average(el, rules, &param, average, now)) return false;
    }
    return true;
}

bool optimize(Elaborator *el, const TrainSettings *settings, const UpdateRules *rules)
{
    size_t count = el->params.count;
    if (!check_paths(el)) return false;
    Value *gradients = ARENA_ARRAY(el->arena, Value, count + 1);
    graph_set_place(el->graph, NO_SPAN);
    graph_set_layer(el->graph, NULL);
    bool all = true;
    for (size_t i = 0; i < el->losses.count; i++) all &= !el->losses.at[i].paths;
    Node total = all ? total_loss(el) : NODE_NONE;
    for (size_t i = 0; i < count; i++) {
        const Stored *param = &el->params.at[i];
        gradients[i] = value_error();
        if (!el->losses.count || !dtype_is_float(node_type(el->graph, param->node)->dtype)) continue;
        gradients[i] = value_tensor(gradient_of(el, param, total));
        vec_push(&el->results, (Result){.role = RESULT_GRADIENT, .name = param->path, .value = gradients[i].node});
    }
    if (!rules || !el->losses.count) return true;
    clip_gradients(el, settings, gradients, count);
    return update_params(el, settings, rules, gradients) && train_check_overrides(el, rules);
}
