/* The train block: its numbers, and the optimizers of the parameters. */
#include "elaborate/train.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

/* Keys that the language has and this version does not read yet. */
static const char *const later_keys[] = {"precision"};

static OptionalNumber *number_field(TrainSettings *settings, const char *key, bool *whole)
{
#define TRAIN_KEY(name, is_whole)                                                                                      \
    if (!strcmp(key, #name)) {                                                                                         \
        *whole = is_whole;                                                                                             \
        return &settings->name;                                                                                        \
    }
#include "check/train_keys.def"
#undef TRAIN_KEY
    return NULL;
}

static void unknown_key(Elaborator *el, const Syntax *name)
{
    static const char *const keys[] = {
#define TRAIN_KEY(key, whole) #key,
#include "check/train_keys.def"
#undef TRAIN_KEY
        "optimizer", "weights", "precision"};
    for (size_t i = 0; i < sizeof later_keys / sizeof *later_keys; i++)
        if (!strcmp(later_keys[i], name->name)) {
            unsupported(el, name->span, arena_format(el->arena, "the key `%s`", name->name));
            return;
        }
    Diag *diag = complain(el, DIAG_unknown_key, name->span, "`train` has no key `%s`", name->name);
    const char *near = nearest_spelling(name->name, keys, sizeof keys / sizeof *keys);
    if (near)
        diag_hint(diag, "did you mean `%s`?", near);
    else
        diag_hint(
            diag,
            "its keys are: optimizer batch epochs steps seed clip_norm clip_value accumulate average weights patience");
}

static void read_number(Elaborator *el, Scope *scope, const Syntax *name, const Syntax *right, TrainSettings *settings)
{
    bool whole;
    double number;
    OptionalNumber *field = number_field(settings, name->name, &whole);
    if (!field) {
        unknown_key(el, name);
        return;
    }
    if (field->given) {
        complain(el, DIAG_duplicate_key, name->span, "the key `%s` is given twice", name->name);
        return;
    }
    Value value = evaluate(el, scope, right);
    if (value_is_error(value)) return;
    bool known = value_is_constant(el, value, &number), positive = number > 0 || field == &settings->seed;
    if (!known || !positive || number < 0 || (whole && number != floor(number))) {
        complain(el, DIAG_bad_setting, right->span, "`%s` must be a %s number, but this is %s", name->name,
                 field == &settings->seed ? "whole"
                 : whole                  ? "positive whole"
                                          : "positive",
                 value_describe(el, value));
        return;
    }
    if (field == &settings->average && number >= 1) {
        complain(el, DIAG_bad_setting, right->span, "`average` must be less than 1, but this is %s",
                 value_describe(el, value));
        return;
    }
    *field = (OptionalNumber){true, number};
}

/* The name of a file, as the file of the model sees it. */
static void read_weights(Elaborator *el, const Syntax *name, const Syntax *right, TrainSettings *settings)
{
    if (settings->weights) {
        complain(el, DIAG_duplicate_key, name->span, "the key `weights` is given twice");
        return;
    }
    if (right->kind != SYNTAX_STRING || !*right->text) {
        complain(el, DIAG_bad_setting, right->span, "`weights` must be the name of a file in quotes");
        return;
    }
    bool beside = *right->text != '/' && el->folder;
    settings->weights =
        beside ? arena_format(el->arena, "%s/%s", el->folder, right->text) : arena_format(el->arena, "%s", right->text);
    settings->weights_place = right->span;
}

static void read_key(Elaborator *el, Scope *scope, const Syntax *name, const Syntax *right, TrainSettings *settings)
{
    if (!strcmp(name->name, "weights"))
        read_weights(el, name, right, settings);
    else
        read_number(el, scope, name, right, settings);
}

/* The rule that an expression names: `sgd` or `adam(lr = 0.1)`. */
static bool find_rule(Elaborator *el, const Syntax *expr, UpdateRule *rule)
{
    const Syntax *name = expr->kind == SYNTAX_CALL ? kid_callee(expr) : expr;
    if (name->kind != SYNTAX_NAME) {
        complain(el, DIAG_not_an_optimizer, expr->span, "an optimizer should stand here, such as `adam(lr = 1e-3)`");
        return false;
    }
    rule->item = items_find(el->items, SPACE_OPTIMIZER, name->name, false);
    rule->call = expr;
    if (rule->item) return true;
    Diag *diag = complain(el, DIAG_unknown_optimizer, name->span, "there is no optimizer called `%s`", name->name);
    const char *near = items_nearest(el->items, SPACE_OPTIMIZER, name->name);
    if (near) diag_hint(diag, "did you mean `%s`?", near);
    return false;
}

/* The expression given for a formal, NULL when there is none. */
static const Syntax *given_argument(const Syntax *call, const Syntax *formals, uint32_t formal)
{
    if (call->kind != SYNTAX_CALL) return NULL;
    uint32_t place = 0;
    for (uint32_t i = 1; i < call->n_kids; i++) {
        const Syntax *arg = call->kids[i];
        if (arg->kind == SYNTAX_KEYWORD) {
            if (arg->name == formals->kids[formal]->name) return kid_value(arg);
        } else if (place++ == formal) {
            return arg;
        }
    }
    return NULL;
}

static bool check_arguments(Elaborator *el, const UpdateRule *rule)
{
    const Syntax *call = rule->call, *formals = kid_formals(rule->item->syntax);
    if (call->kind != SYNTAX_CALL) return true;
    uint32_t place = 0;
    bool *given = ARENA_ARRAY(el->arena, bool, formals->n_kids + 1);
    for (uint32_t i = 1; i < call->n_kids; i++) {
        const Syntax *arg = call->kids[i];
        uint32_t slot = 0;
        while (arg->kind == SYNTAX_KEYWORD && slot < formals->n_kids && formals->kids[slot]->name != arg->name) slot++;
        if (arg->kind != SYNTAX_KEYWORD) slot = place++;
        if (slot < formals->n_kids && given[slot]) {
            complain(el, DIAG_repeated_argument, arg->span, "`%s` is given its argument `%s` twice", rule->item->name,
                     formals->kids[slot]->name);
            return false;
        }
        if (slot < formals->n_kids) given[slot] = true;
        if (slot < formals->n_kids) continue;
        Diag *diag =
            complain(el, arg->kind == SYNTAX_KEYWORD ? DIAG_unknown_argument : DIAG_too_many_arguments, arg->span,
                     arg->kind == SYNTAX_KEYWORD ? "`%s` has no argument `%s`" : "`%s` is given too many arguments%s",
                     rule->item->name, arg->kind == SYNTAX_KEYWORD ? arg->name : "");
        Text list = {0};
        for (uint32_t k = 0; k < formals->n_kids; k++)
            text_format(&list, "%s%s", k ? ", " : "", formals->kids[k]->name);
        diag_hint(diag, "its arguments are: %s", text_get(&list));
        text_free(&list);
        return false;
    }
    return true;
}

static bool is_set(const Elaborator *el, Name name)
{
    for (size_t i = 0; i < el->options->n_sets; i++)
        if (!strcmp(el->options->sets[i].name, name)) return true;
    return false;
}

/* A number becomes a setting under the argument's name; an expression of step or progress stays one, unless the
 * setting is given from outside. */
static Value argument_value(Elaborator *el, Scope *scope, const UpdateRule *rule, const Syntax *formal,
                            const Syntax *expr)
{
    Name name = rule->where ? intern_format(el->context->names, "%s.%s", rule->where, formal->name) : formal->name;
    Value value = evaluate(el, scope, expr);
    double number = 0;
    if (value_is_error(value)) return value;
    if (value_is_constant(el, value, &number) || is_set(el, name))
        return value_tensor(declare_setting(el, name, el->real, number, formal->doc, NO_SPAN));
    value = value_as_tensor(el, value, el->real, expr->span);
    if (value_is_error(value)) return value;
    Type type = value_type(el, value);
    if (!type.rank && dtype_class(type.dtype) != DTYPE_CLASS_BOOL) return convert(el, value, el->real, expr->span);
    complain(el, DIAG_not_a_number, expr->span, "`%s` must be a number, but this is %s", formal->name,
             value_describe(el, value));
    return value_error();
}

/* The number that an argument was given, unless it is an expression of the step. */
static Value given_number(const Elaborator *el, Value value)
{
    if (value.kind != VALUE_TENSOR) return value_error();
    const NodeInfo *info = graph_node(el->graph, value.node);
    bool clock =
        info->attr.name == el->name_step || info->attr.name == el->name_steps || info->attr.name == el->name_progress;
    return info->op == OP_SETTING && !clock ? value_real(info->attr.number) : value_error();
}

static void outside(Elaborator *el, const UpdateRule *rule, const Syntax *condition, const Syntax *formals)
{
    Text numbers = {0};
    Span at = rule->call->span;
    for (uint32_t i = formals->n_kids; i-- > 0;) {
        if (!syntax_mentions(condition, formals->kids[i]->name)) continue;
        const Syntax *given = given_argument(rule->call, formals, i);
        if (given) at = given->span;
        Value number = given_number(el, rule->values[i]);
        if (number.kind != VALUE_REAL) continue;
        text_format(&numbers, "%s`%s` is %s", numbers.count ? " and " : "", formals->kids[i]->name,
                    number_text(el, number.number));
    }
    complain(el, DIAG_out_of_domain, at, "`%s` wants `%s`, but %s", rule->item->name, syntax_text(el, condition),
             text_get(&numbers));
    text_free(&numbers);
}

/* The assertions at the head of an optimizer are about the numbers that it is given. */
static void check_domain(Elaborator *el, const UpdateRule *rule)
{
    const Syntax *formals = kid_formals(rule->item->syntax), *block = kid_body(rule->item->syntax);
    Scope *scope = scope_new(el, NULL, rule->item->prelude);
    for (uint32_t i = 0; i < formals->n_kids; i++)
        scope_bind(el, scope, formals->kids[i]->name, false, given_number(el, rule->values[i]), NO_SPAN);
    for (uint32_t i = 0; i < block->n_kids && block->kids[i] && block->kids[i]->kind == SYNTAX_ASSERT; i++) {
        Value holds = evaluate(el, scope, kid_condition(block->kids[i]));
        if (holds.kind == VALUE_BOOL && !holds.truth) outside(el, rule, kid_condition(block->kids[i]), formals);
    }
}

static bool evaluate_rule(Elaborator *el, Scope *outer, UpdateRule *rule, const UpdateRule *main_rule)
{
    const Syntax *formals = kid_formals(rule->item->syntax);
    if (!check_arguments(el, rule)) return false;
    rule->values = ARENA_ARRAY(el->arena, Value, formals->n_kids + 1);
    Scope *scope = scope_new(el, NULL, rule->item->prelude);
    for (uint32_t i = 0; i < formals->n_kids; i++) {
        const Syntax *formal = formals->kids[i], *given = given_argument(rule->call, formals, i);
        if (!given && main_rule && main_rule->item == rule->item) {
            rule->values[i] = main_rule->values[i];
        } else if (given || kid_default(formal)) {
            rule->values[i] =
                argument_value(el, given ? outer : scope, rule, formal, given ? given : kid_default(formal));
        } else {
            complain(el, DIAG_missing_argument, rule->call->span, "`%s` needs its argument `%s`", rule->item->name,
                     formal->name);
            return false;
        }
        if (value_is_error(rule->values[i])) return false;
        scope_bind(el, scope, formal->name, false, rule->values[i], formal->name_span);
    }
    check_domain(el, rule);
    return true;
}

/* `steps` is what the block says; 0 where it says nothing: then whoever trains does. */
static void bind_clock(Elaborator *el, Scope *scope, double count)
{
    Value step = value_tensor(declare_setting(el, el->name_step, DTYPE_I64, 1, NULL, NO_SPAN));
    Value steps = value_tensor(declare_setting(el, el->name_steps, DTYPE_I64, count, NULL, NO_SPAN));
    Value progress = value_tensor(declare_setting(el, el->name_progress, el->real, 0, NULL, NO_SPAN));
    scope_bind(el, scope, el->name_step, false, step, NO_SPAN);
    scope_bind(el, scope, el->name_steps, false, steps, NO_SPAN);
    scope_bind(el, scope, el->name_progress, false, progress, NO_SPAN);
}

/* A key of the block, NULL where the statement is something else. */
static const Syntax *key_of(const Syntax *statement)
{
    if (!statement || statement->kind != SYNTAX_BIND || kid_exprs(statement)->n_kids != 1) return NULL;
    const Syntax *name = kid_expr(kid_exprs(statement));
    return name->kind == SYNTAX_NAME ? name : NULL;
}

/* What the expressions of the block look at stands before them. */
static void read_steps(Elaborator *el, const Syntax *block, Scope *scope, TrainSettings *settings)
{
    for (uint32_t i = 0; i < block->n_kids; i++) {
        const Syntax *name = key_of(block->kids[i]);
        if (name && !strcmp(name->name, "steps")) read_key(el, scope, name, kid_value(block->kids[i]), settings);
    }
}

bool train_read(Elaborator *el, const Syntax *train, TrainSettings *settings, UpdateRules *rules)
{
    Scope *scope = scope_new(el, NULL, false);
    const Syntax *block = kid_body(train), *main_expr = NULL;
    settings->present = true;
    settings->place = train->name_span;
    el->form = FORM_TRAINING;
    read_steps(el, block, scope, settings);
    bind_clock(el, scope, settings->steps.given ? settings->steps.value : 0);
    for (uint32_t i = 0; i < block->n_kids; i++) {
        const Syntax *statement = block->kids[i];
        if (!statement || statement->kind != SYNTAX_BIND) continue;
        const Syntax *name = key_of(statement);
        if (!name)
            complain(el, DIAG_unknown_key, kid_expr(kid_exprs(statement))->span, "a key should stand here");
        else if (!strcmp(name->name, "steps"))
            continue; /* it is read */
        else if (strcmp(name->name, "optimizer"))
            read_key(el, scope, name, kid_value(statement), settings);
        else if (main_expr)
            complain(el, DIAG_duplicate_key, name->span, "the key `optimizer` is given twice");
        else
            main_expr = kid_value(statement);
    }
    if (settings->epochs.given && settings->steps.given) {
        Diag *diag = complain(el, DIAG_epochs_and_steps, train->name_span, "`epochs` and `steps` are both given");
        diag_hint(diag, "a training has so many epochs, or so many steps");
    }
    rules->scope = scope;
    rules->main.item = NULL;
    if (!main_expr) {
        Diag *diag = complain(el, DIAG_missing_optimizer, train->name_span, "`train` needs an optimizer");
        diag_hint(diag, "write `optimizer = adam(lr = 1e-3)`");
        return false;
    }
    if (!find_rule(el, main_expr, &rules->main) || !evaluate_rule(el, scope, &rules->main, NULL)) return false;
    for (uint32_t i = 0; i < block->n_kids; i++) {
        const Syntax *statement = block->kids[i];
        if (!statement || statement->kind != SYNTAX_OVERRIDE) continue;
        UpdateRule rule = {.place = kid_where(statement)->span};
        const Syntax *where = kid_where(statement);
        rule.glob = where->kind == SYNTAX_STRING;
        rule.where = rule.glob ? intern(el->context->names, where->text) : where->name;
        if (!find_rule(el, kid_value(statement), &rule) || !evaluate_rule(el, scope, &rule, &rules->main)) return false;
        vec_push(&rules->overrides, rule);
    }
    return true;
}

bool path_under(Name path, Name where)
{
    size_t length = strlen(where);
    return !strncmp(path, where, length) && (!path[length] || path[length] == '.' || path[length] == '[');
}

const UpdateRule *train_rule(const UpdateRules *rules, Name path)
{
    for (size_t i = rules->overrides.count; i-- > 0;) {
        const UpdateRule *rule = &rules->overrides.at[i];
        if (rule->glob ? !fnmatch(rule->where, path, 0) : path_under(path, rule->where)) return rule;
    }
    return &rules->main;
}

bool train_check_overrides(Elaborator *el, const UpdateRules *rules)
{
    bool good = true;
    for (size_t i = 0; i < rules->overrides.count; i++) {
        const UpdateRule *rule = &rules->overrides.at[i];
        bool used = false;
        Vec(const char *) paths = {0};
        for (size_t k = 0; k < el->params.count; k++) {
            Name path = el->params.at[k].path;
            vec_push(&paths, path);
            used |= rule->glob ? !fnmatch(rule->where, path, 0) : path_under(path, rule->where);
        }
        if (!used) {
            Diag *diag = complain(el, DIAG_unknown_parameter, rule->place, "no parameter lies under `%s`", rule->where);
            const char *near = nearest_spelling(rule->where, paths.at, paths.count);
            if (near) diag_hint(diag, "did you mean `%s`?", near);
            good = false;
        }
        vec_free(&paths);
    }
    return good;
}
