/* What a layer owns: parameters, states, draws, and the paths by which they are known. */
#include <string.h>

#include "elaborate/elaborator.h"
#include "support/memory.h"

static int next_count(Elaborator *el, Name path)
{
    Frame *frame = el->body.frame;
    el->effects++;
    size_t slot = name_map_get(&frame->counted, (NameKey){.name = path});
    if (slot != NAME_MAP_NONE) return ++frame->counters.at[slot].count;
    frame_count(el, (Counter){path, 1});
    return 1;
}

void frame_count(Elaborator *el, Counter counter)
{
    Frame *frame = el->body.frame;
    const NameKey key = {.name = counter.name};
    if (name_map_get(&frame->counted, key) != NAME_MAP_NONE) return;
    name_map_put(el->arena, &frame->counted, key, frame->counters.count);
    vec_push(&frame->counters, counter);
}

void frame_recount(Elaborator *el)
{
    Frame *frame = el->body.frame;
    frame->counted = (NameMap){0};
    for (size_t i = 0; i < frame->counters.count; i++)
        name_map_put(el->arena, &frame->counted, (NameKey){.name = frame->counters.at[i].name}, i);
}

Name path_join(Elaborator *el, const char *component)
{
    const Frame *frame = el->body.frame;
    if (!frame || !frame->base) return intern_format(el->context->names, "%s%s", component, frame ? frame->turns : "");
    return intern_format(el->context->names, "%s%s%c%s", frame->base, frame->turns, frame->separator, component);
}

Name path_next(Elaborator *el, const char *component)
{
    Name path = path_join(el, component);
    int count = next_count(el, path);
    return count == 1 ? path : intern_format(el->context->names, "%s_%d", path, count);
}

static Frame *frame_make(Elaborator *el, Name base, const void *shared)
{
    Frame *frame = memory_calloc(1, sizeof *frame);
    frame->base = base;
    frame->turns = "";
    frame->separator = '.';
    frame->shared = shared != NULL;
    frame->owner = shared ? shared : arena_alloc(el->arena, 1);
    return frame;
}

void frame_free(Frame *frame)
{
    if (!frame) return;
    vec_free(&frame->counters);
    memory_free(frame);
}

/* Inside a shared instance all uses belong to the instance. */
static const void *inherited_owner(const Elaborator *el, Name path)
{
    return el->body.frame && el->body.frame->shared ? path : NULL;
}

Frame *frame_for_layer(Elaborator *el, Name layer)
{
    if (!el->body.frame) return frame_make(el, layer, NULL);
    Name path = path_next(el, layer);
    return frame_make(el, path, inherited_owner(el, path));
}

Frame *frame_for_as(Elaborator *el, Name name)
{
    if (!el->body.frame) return frame_make(el, name, NULL);
    Name base = el->body.frame->base;
    if (el->body.frame->model) el->body.frame->base = NULL;
    Name path = path_next(el, name);
    el->body.frame->base = base;
    return frame_make(el, path, inherited_owner(el, path));
}

Frame *frame_for_instance(Elaborator *el, const Callee *instance)
{
    return frame_make(el, instance->path, instance->path);
}

Frame *frame_for_model(Elaborator *el)
{
    Frame *frame = frame_make(el, NULL, NULL);
    frame->model = true;
    return frame;
}

const char *frame_turn(Elaborator *el, const char *outer, int64_t turn)
{
    return arena_format(el->arena, "%s[%lld]", outer, (long long)turn);
}

static Stored *find(Elaborator *el, Name path)
{
    size_t param = named_find(el, NAMED_PARAM, path);
    if (param != NAME_MAP_NONE) return &el->params.at[param];
    size_t state = named_find(el, NAMED_STATE, path);
    return state != NAME_MAP_NONE ? &el->states.at[state] : NULL;
}

const Stored *stored_find(Elaborator *el, Name path)
{
    return find(el, path);
}

/* True if the integers of the value might not be of the integer type `want`: such a value is converted in so many
 * words, because a conversion wraps around. A free size counts as an i32. */
static bool narrows(Elaborator *el, Value value, DType want)
{
    double number;
    if (dtype_class(want) != DTYPE_CLASS_INTEGER || value.kind == VALUE_LIST) return false;
    if (value.kind == VALUE_SIZE) return want == DTYPE_U8 && !value_is_constant(el, value, &number);
    DType have = value.kind == VALUE_TENSOR ? node_type(el->graph, value.node)->dtype : want;
    return dtype_class(have) == DTYPE_CLASS_INTEGER && dtype_size(have) > dtype_size(want);
}

/* What stands behind `=` or `~` of a declaration, in exactly the given type. */
static bool evaluate_start(Elaborator *el, Scope *scope, const Syntax *start, bool drawn, const Type *type, Name path,
                           Node *node)
{
    Value value;
    if (drawn) {
        Value sizes[MAX_RANK];
        for (uint32_t i = 0; i < type->rank; i++) sizes[i] = value_size(el, type->dims[i]);
        Name outer = el->body.draw;
        el->body.draw = path;
        value = apply_stage(el, scope, start, value_list(el, sizes, type->rank), start->span, NULL);
        el->body.draw = outer;
    } else {
        value = evaluate(el, scope, start);
    }
    if (value_is_error(value)) return false;
    bool number = value_is_number(value) || value.kind == VALUE_BOOL || value.kind == VALUE_LIST;
    if (!value_must_fit(el, value, type->dtype, start->span)) return false;
    if (narrows(el, value, type->dtype)) {
        Diag *diag = complain(el, DIAG_type_mismatch, start->span, "this should be `%s`, but it is %s",
                              type_text(el, type), value_describe(el, value));
        diag_hint(diag, "say so if it is to wrap around: `%s(%s)`", dtype_name(type->dtype), syntax_text(el, start));
        return false;
    }
    value = value_as_tensor(el, value, type->dtype, start->span);
    if (value_is_error(value)) return false;
    DTypeClass have = dtype_class(node_type(el->graph, value.node)->dtype), want = dtype_class(type->dtype);
    if (have > want && !number) {
        complain(el, DIAG_type_mismatch, start->span, "this should be `%s`, but it is %s", type_text(el, type),
                 value_describe(el, value));
        return false;
    }
    value = broadcast_to(el, convert(el, value, type->dtype, start->span), type->rank, type->dims, start->span);
    *node = value.node;
    return !value_is_error(value);
}

/* A second declaration under one path is a mistake, unless it is another use of a shared instance. */
static bool clashes(Elaborator *el, Stored *known, Span at)
{
    bool again = known->form == (int)el->form && known->owner != el->body.frame->owner;
    if (known->form != (int)el->form || !again) return false;
    Diag *diag = complain(el, DIAG_duplicate_parameter, at, "there is already a parameter or state `%s`", known->path);
    diag_note(diag, known->place, "the first one is here");
    return true;
}

typedef struct {
    const Syntax *statement, *name;
    Type type;
    bool state;
} Declaration;

static bool declare_stored(Elaborator *el, Scope *scope, const Declaration *what, Name path, Stored **result)
{
    el->effects++;
    Stored *known = find(el, path);
    if (known && clashes(el, known, what->name->span)) return false;
    if (known) {
        known->form = (int)el->form;
        known->owner = el->body.frame->owner;
        *result = known;
        return true;
    }
    Stored stored = {.path = path, .doc = what->statement->doc, .place = what->name->span};
    stored.made_by = el->body.prelude_call;
    stored.owner = el->body.frame->owner;
    stored.form = (int)el->form;
    bool drawn = what->statement->flags & SYNTAX_DRAWN;
    if (!evaluate_start(el, scope, kid_start(what->statement), drawn, &what->type, path, &stored.start)) return false;
    mark_place(el, what->statement->span);
    stored.node = build_source(el->graph, what->state ? OP_STATE : OP_PARAM, path, what->type);
    if (what->state) {
        vec_push(&el->states, stored);
        *result = &vec_last(&el->states);
    } else {
        vec_push(&el->params, stored);
        *result = &vec_last(&el->params);
    }
    return true;
}

/* Nothing can be drawn for a parameter without elements, or learned by it. */
static bool has_elements(Elaborator *el, const Syntax *name, const Type *type)
{
    int64_t size;
    for (uint32_t i = 0; i < type->rank; i++) {
        if (!dim_is_constant(el->dims, type->dims[i], &size) || size) continue;
        Diag *diag = complain(el, DIAG_empty_parameter, name->span, "the parameter `%s` has no elements: it is `%s`",
                              name->name, type_text(el, type));
        diag_hint(diag, "each of its sizes is at least 1");
        return false;
    }
    return true;
}

Flow declare_param(Elaborator *el, Scope *scope, const Syntax *statement)
{
    const Syntax *names = kid_names(statement);
    Type type;
    bool typed = resolve_type(el, scope, kid_type(statement), false, &type);
    for (uint32_t i = 0; i < names->n_kids; i++) {
        Declaration what = {statement, names->kids[i], type, false};
        Stored *stored;
        bool good = typed && has_elements(el, what.name, &type) &&
                    declare_stored(el, scope, &what, path_join(el, what.name->name), &stored);
        Value value = good ? value_tensor(stored->node) : value_error();
        scope_bind(el, scope, what.name->name, false, value, what.name->span);
    }
    return FLOW_NEXT;
}

static StateCell *cell_of(Elaborator *el, const Stored *stored)
{
    size_t known = named_find(el, NAMED_CELL, stored->path);
    if (known != NAME_MAP_NONE) return el->cells.at[known];
    StateCell *cell = ARENA_NEW(el->arena, StateCell);
    *cell = (StateCell){stored->path, stored->node, stored->node};
    vec_push(&el->cells, cell);
    return cell;
}

static bool state_type(Elaborator *el, Scope *scope, const Syntax *statement, Type *type)
{
    if (kid_type(statement)) return resolve_type(el, scope, kid_type(statement), false, type);
    const Binding *w = scope_find(scope, el->name_w, false);
    if (el->body.kind == SYNTAX_OPTIMIZER && w && w->cell) {
        *type = *node_type(el->graph, w->cell->old);
        return true;
    }
    Diag *diag = complain(el, DIAG_missing_type, statement->span, "a state needs a type here");
    diag_hint(diag, "only in an optimizer it has the shape of `w` by itself; write `state %s: [units] = 0`",
              kid_name(kid_names(statement))->name);
    return false;
}

Flow declare_state(Elaborator *el, Scope *scope, const Syntax *statement)
{
    const Syntax *names = kid_names(statement);
    Type type;
    bool typed = state_type(el, scope, statement, &type);
    for (uint32_t i = 0; i < names->n_kids; i++) {
        Declaration what = {statement, names->kids[i], type, true};
        Stored *stored;
        bool good = typed && declare_stored(el, scope, &what, path_join(el, what.name->name), &stored);
        Binding *binding = scope_bind(el, scope, what.name->name, false, value_error(), what.name->span);
        if (!good) continue;
        binding->value = value_tensor(stored->node);
        binding->cell = cell_of(el, stored);
    }
    return FLOW_NEXT;
}

Flow declare_draw(Elaborator *el, Scope *scope, const Syntax *statement)
{
    const Syntax *names = kid_names(statement);
    Type type;
    bool typed = resolve_type(el, scope, kid_type(statement), false, &type);
    for (uint32_t i = 0; i < names->n_kids; i++) {
        const Syntax *name = names->kids[i];
        Node node;
        bool good =
            typed && evaluate_start(el, scope, kid_start(statement), true, &type, path_join(el, name->name), &node);
        scope_bind(el, scope, name->name, false, good ? value_tensor(node) : value_error(), name->span);
    }
    return FLOW_NEXT;
}

Flow declare_instance(Elaborator *el, Scope *scope, const Syntax *statement)
{
    Callee callee = {.kind = CALLEE_INSTANCE,
                     .name = statement->name,
                     .stage = kid_value(statement),
                     .scope = scope,
                     .inside_prelude = scope->inside_prelude,
                     .path = path_next(el, statement->name)};
    Value value = {.kind = VALUE_FUNCTION, .callee = ARENA_COPY(el->arena, Callee, &callee, 1)};
    scope_bind(el, scope, statement->name, true, value, statement->name_span);
    return FLOW_NEXT;
}

Node declare_setting(Elaborator *el, Name name, DType dtype, double value, const char *doc, Span place)
{
    for (size_t i = 0; i < el->options->n_sets; i++)
        if (!strcmp(el->options->sets[i].name, name)) value = el->options->sets[i].value;
    size_t known = named_find(el, NAMED_SETTING, name);
    if (known != NAME_MAP_NONE) return el->settings.at[known].node;
    Node node = build_setting(el->graph, name, dtype, value);
    vec_push(&el->settings, (Declared){node, doc, place});
    return node;
}

static Value setting_input(Elaborator *el, const Syntax *statement, const Syntax *name, const Type *type, Value start)
{
    double number;
    if (type->rank || !value_is_constant(el, start, &number)) {
        Diag *diag = complain(el, DIAG_not_constant, kid_start(statement)->span,
                              "an input's default is a number, but this is %s", value_describe(el, start));
        diag_hint(diag, "an input with a default is a setting: a scalar that `--set %s=…` changes", name->name);
        return value_error();
    }
    if (!value_must_fit(el, start, type->dtype, kid_start(statement)->span)) return value_error();
    return value_tensor(declare_setting(el, name->name, type->dtype, number, statement->doc, name->span));
}

Flow declare_input(Elaborator *el, Scope *scope, const Syntax *statement)
{
    const Syntax *names = kid_names(statement);
    bool target = statement->kind == SYNTAX_TARGET;
    Type type;
    bool typed = resolve_type(el, scope, kid_type(statement), true, &type);
    const Syntax *start = target ? NULL : kid_start(statement);
    for (uint32_t i = 0; i < names->n_kids; i++) {
        const Syntax *name = names->kids[i];
        Value value = value_error();
        if (typed && start) {
            Value number = evaluate(el, scope, start);
            if (!value_is_error(number)) value = setting_input(el, statement, name, &type, number);
        } else if (typed) {
            el->here = name->span;
            graph_set_place(el->graph, name->span);
            value = value_tensor(build_source(el->graph, target ? OP_TARGET : OP_INPUT, name->name, type));
            bool known =
                value_is_error(value) || named_find_part(el, NAMED_INPUT, name->name, value.node.id) != NAME_MAP_NONE;
            if (!known) vec_push(&el->inputs, (Declared){value.node, statement->doc, name->span});
        }
        scope_bind(el, scope, name->name, false, value, name->span);
    }
    return FLOW_NEXT;
}

Flow update(Elaborator *el, Scope *scope, const Syntax *statement)
{
    const Syntax *target = kid_target(statement);
    const Binding *binding = target->kind == SYNTAX_NAME ? scope_find(scope, target->name, false) : NULL;
    if (!binding || !binding->cell) {
        if (binding && value_is_error(binding->value)) return FLOW_NEXT;
        Diag *diag = complain(el, DIAG_not_a_state, target->span,
                              "`:=` gives a state a new value, but `%s` is no state", syntax_text(el, target));
        diag_hint(diag, "declare it with `state`, or write `=`");
        return FLOW_NEXT;
    }
    StateCell *cell = binding->cell;
    Type type = *node_type(el->graph, cell->old);
    Node value;
    if (evaluate_start(el, scope, kid_value(statement), false, &type, NULL, &value)) cell->now = value;
    el->effects++;
    return FLOW_NEXT;
}
