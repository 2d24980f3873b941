/* Data blocks and their splits. */
#include "elaborate/data.h"

#include <string.h>

#include "support/memory.h"

static bool is_split_key(const Syntax *statement)
{
    const Syntax *left = kid_expr(kid_exprs(statement));
    return left->kind == SYNTAX_NAME && !strcmp(left->name, "split");
}

static void read_parts(Elaborator *el, DataBlock *block, const Syntax *right)
{
    uint32_t count = kid_names(block->syntax)->n_kids;
    Value list = evaluate(el, block->scope, right);
    double *parts = ARENA_ARRAY(el->arena, double, count), sum = 0;
    bool good = list.kind == VALUE_LIST && list.count == count;
    for (uint32_t i = 0; good && i < count; i++) {
        good = value_is_constant(el, list.items[i], &parts[i]) && parts[i] > 0;
        sum += parts[i];
    }
    if (good && sum <= 1 + 1e-9) {
        block->parts = parts;
        return;
    }
    if (value_is_error(list)) return;
    Diag *diag = complain(el, DIAG_bad_split, right->span,
                          "`split` wants %u positive parts that add up to at most 1, one "
                          "for each name of the block",
                          count);
    diag_hint(diag, "`data train, valid { … split = [0.8, 0.2] }`");
}

static void run_data_statement(Elaborator *el, DataBlock *block, const Syntax *statement)
{
    Value ignored;
    if (statement->kind != SYNTAX_BIND || kid_exprs(statement)->n_kids != 1 ||
        kid_expr(kid_exprs(statement))->kind != SYNTAX_NAME) {
        run_statement(el, block->scope, statement, &ignored);
        return;
    }
    const Syntax *name = kid_expr(kid_exprs(statement)), *right = kid_value(statement);
    if (is_split_key(statement)) return; /* was read before all others */
    el->splits->binding = name->name;
    el->splits->unnamed = 0;
    Value value = evaluate(el, block->scope, right);
    if (value.kind == VALUE_LIST && value.count) value = data_literal(el, value, right->span);
    scope_assign(el, block->scope, name->name, value, name->span);
}

/* Reductions over rows need the parts, wherever in the block they are stated. */
static void read_split_key(Elaborator *el, DataBlock *block)
{
    const Syntax *statements = kid_body(block->syntax);
    for (uint32_t i = 0; i < statements->n_kids; i++) {
        const Syntax *statement = statements->kids[i];
        if (statement && statement->kind == SYNTAX_BIND && is_split_key(statement))
            read_parts(el, block, kid_value(statement));
    }
}

static DataBlock *read_block(Elaborator *el, DataSplits *data, const Syntax *syntax)
{
    DataBlock *block = ARENA_NEW(el->arena, DataBlock);
    *block = (DataBlock){.syntax = syntax, .scope = scope_new(el, NULL, false), .rows = -1};
    data->current = block;
    read_split_key(el, block);
    for (uint32_t i = 0; i < kid_body(syntax)->n_kids; i++)
        if (kid_body(syntax)->kids[i]) run_data_statement(el, block, kid_body(syntax)->kids[i]);
    for (size_t i = 0; i < el->options->n_data; i++) {
        if (!data_is_source(el, data->model, block->scope, i)) continue;
        const Syntax *statement = data_statement(el, syntax, &el->options->data[i]);
        if (statement) run_data_statement(el, block, statement);
    }
    data->current = NULL;
    return block;
}

static void add_split(Elaborator *el, DataSplits *data, const Item *item)
{
    DataBlock *block = NULL;
    for (size_t i = 0; i < data->all.count; i++)
        if (data->all.at[i].block->syntax == item->syntax) block = data->all.at[i].block;
    if (!block) block = read_block(el, data, item->syntax);
    vec_push(&data->all, (DataSplit){item, block});
    if (!strcmp(item->name, "train")) data->train = block;
}

/* The name that the model's inputs give their first axis. */
static Name rows_symbol(Elaborator *el, const Syntax *model)
{
    const Syntax *block = kid_body(model);
    for (uint32_t i = 0; i < block->n_kids; i++) {
        const Syntax *statement = block->kids[i];
        if (!statement || (statement->kind != SYNTAX_INPUT && statement->kind != SYNTAX_TARGET)) continue;
        const Syntax *subs = kid_subs(kid_type(statement));
        if (subs && subs->n_kids > 1 && kid_sub(subs)->kind == SYNTAX_NAME) return kid_sub(subs)->name;
    }
    return intern(el->context->names, "batch");
}

static void bind_dim(Elaborator *el, const Syntax *name, Dim size)
{
    int64_t known;
    if (name->kind != SYNTAX_NAME || dim_is_none(size) || !dim_is_constant(el->dims, size, &known)) return;
    if (items_find(el->items, SPACE_CONST, name->name, false)) return;
    if (named_find(el, NAMED_BOUND_SIZE, name->name) != NAME_MAP_NONE) return;
    vec_push(&el->bound_dims, (Binding){.name = name->name, .value = value_size(el, size), .place = name->span});
}

/* Free sizes of an input, other than the first axis, are those of its data. */
static void bind_dims(Elaborator *el, const Syntax *statement, const DataBlock *block)
{
    const Syntax *type = kid_type(statement), *subs = kid_subs(type);
    for (uint32_t i = 0; i < kid_names(statement)->n_kids; i++) {
        const Binding *value = scope_find(block->scope, kid_names(statement)->kids[i]->name, false);
        if (!value || value->value.kind != VALUE_TENSOR) continue;
        Type found = *node_type(el->graph, value->value.node);
        if (kid_range(type)) bind_dim(el, kid_range(type), found.range);
        for (uint32_t k = 2; subs && subs->n_kids == found.rank + 1 && k < subs->n_kids; k++)
            bind_dim(el, subs->kids[k], found.dims[k - 1]);
    }
}

/* An option that replaces no source and is no input's is a slip. */
static void check_options(Elaborator *el, const DataSplits *data)
{
    for (size_t i = 0; i < el->options->n_data; i++) {
        const DataOption *option = &el->options->data[i];
        bool used = false;
        for (size_t k = 0; k < data->all.count; k++) {
            const DataBlock *block = data->all.at[k].block;
            for (size_t s = 0; s < block->sources.count; s++) used |= !strcmp(block->sources.at[s].name, option->name);
        }
        if (used || diagnostics_errors(el->context->diagnostics)) continue;
        complain(el, DIAG_unknown_option, NO_SPAN, "`--data %s%s%s`: there is no such source or input",
                 option->split ? option->split : "", option->split ? "." : "", option->name);
    }
}

void data_read(Elaborator *el, const Syntax *model, DataSplits *data)
{
    data->model = model;
    data->rows = rows_symbol(el, model);
    el->splits = data;
    const Item *train = items_find(el->items, SPACE_DATA, intern(el->context->names, "train"), false);
    if (train) add_split(el, data, train);
    for (const Item *item = items_first(el->items); item; item = item->next)
        if (item->space == SPACE_DATA && item != train) add_split(el, data, item);
    const Syntax *made = data->all.count ? NULL : data_without_blocks(el);
    for (uint32_t i = 0; made && i < kid_names(made)->n_kids; i++) {
        Item *item = ARENA_NEW(el->arena, Item);
        *item = (Item){.space = SPACE_DATA, .name = kid_names(made)->kids[i]->name, .syntax = made};
        add_split(el, data, item);
    }
    check_options(el, data);
    el->splits = NULL;
    data->count = data->all.count;
    data->splits = ARENA_ARRAY(el->arena, Split, data->count + 1);
    const DataBlock *block = data->train ? data->train : data->count ? data->all.at[0].block : NULL;
    for (uint32_t i = 0; block && i < kid_body(model)->n_kids; i++) {
        const Syntax *statement = kid_body(model)->kids[i];
        bool input = statement && (statement->kind == SYNTAX_INPUT || statement->kind == SYNTAX_TARGET);
        if (input) bind_dims(el, statement, block);
    }
}

void data_free(DataSplits *data)
{
    for (size_t i = 0; i < data->all.count; i++) {
        vec_free(&data->all.at[i].block->sources); /* of shared blocks the second time does nothing */
        vec_free(&data->all.at[i].block->fields);
    }
    vec_free(&data->all);
}

static bool fits_declared(Elaborator *el, const Type *found, const Type *declared, Name name, Span at, Span declared_at)
{
    int64_t beyond;
    bool shape = type_same_shape(found, declared);
    bool element = dtype_class(found->dtype) <= dtype_class(declared->dtype);
    bool range = dim_is_none(declared->range) || dim_is_none(found->range) ||
                 !dim_is_constant(el->dims, dim_sub(el->dims, found->range, declared->range), &beyond) || beyond <= 0;
    if (shape && element && range) return true;
    Diag *diag = complain(el, DIAG_data_shape, at, "the data for `%s` are `%s`, but the model wants `%s`", name,
                          type_text(el, found), type_text(el, declared));
    diag_note(diag, declared_at, "declared here");
    if (shape && !element) diag_hint(diag, "convert them: `%s(…)`", dtype_name(declared->dtype));
    return false;
}

static void collect_fields(Elaborator *el, const DataBlock *block, const Function *function, Split *split)
{
    SplitField *fields = ARENA_ARRAY(el->arena, SplitField, block->fields.count + 1);
    Node *roots = ARENA_ARRAY(el->arena, Node, function->n_results + 1);
    uint32_t count;
    for (uint32_t i = 0; i < function->n_results; i++) roots[i] = function->results[i].value;
    Node *reached = graph_reachable(el->graph, roots, function->n_results, &count);
    bool *used = ARENA_ARRAY(el->arena, bool, block->fields.count + 1);
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(el->graph, reached[i]);
        const SplitField *field = info->op == OP_INPUT ? data_field(block, info) : NULL;
        if (field) used[field - block->fields.at] = true;
    }
    for (size_t f = 0; f < block->fields.count; f++)
        if (used[f]) fields[split->n_fields++] = block->fields.at[f];
    memory_free(reached);
    split->fields = fields;
}

static void set_part(const DataSplit *split, Split *to)
{
    const Syntax *names = kid_names(split->item->syntax);
    to->to = 1;
    if (!split->block->parts) return;
    to->to = 0;
    for (uint32_t i = 0; i < names->n_kids; i++) {
        to->from = to->to;
        to->to += split->block->parts[i];
        if (names->kids[i]->name == split->item->name) break;
    }
    if (to->to > 1) to->to = 1;
}

bool data_function(Elaborator *el, DataSplits *data, size_t index, Function *function)
{
    const DataSplit *split = &data->all.at[index];
    const DataBlock *block = split->block;
    Result *results = ARENA_ARRAY(el->arena, Result, el->inputs.count + 1);
    *function = (Function){.name = intern_format(el->context->names, "data.%s", split->item->name), .results = results};
    for (size_t i = 0; i < el->inputs.count; i++) {
        const NodeInfo input = *graph_node(el->graph, el->inputs.at[i].node);
        const Binding *value = scope_find(block->scope, input.attr.name, false);
        if (!value || value_is_error(value->value)) continue;
        Value x = value_as_tensor(el, value->value, DTYPE_COUNT, value->place);
        if (value_is_error(x)) continue;
        Type found = value_type(el, x);
        if (!fits_declared(el, &found, &input.type, input.attr.name, value->place, el->inputs.at[i].place))
            return false;
        /* Whoever reads the rows converts them, and sees what does not fit. */
        bool number = dtype_is_float(input.type.dtype) || dim_is_none(input.type.range);
        if (!data_check_uses(el, data, block, x.node, number, input.type.dtype, value->place)) return false;
        if (!data_check_literal(el, block, x.node, &input.type, value->place)) return false;
        results[function->n_results++] = (Result){.role = RESULT_VALUE, .name = input.attr.name, .value = x.node};
    }
    Split *to = &data->splits[index];
    *to = (Split){.name = split->item->name, .function = function->name, .rows = block->rows < 0 ? 0 : block->rows};
    to->sources = ARENA_COPY(el->arena, SplitSource, block->sources.at, block->sources.count);
    to->n_sources = (uint32_t)block->sources.count;
    set_part(split, to);
    collect_fields(el, block, function, to);
    return true;
}

static void no_train_data(Elaborator *el, const DataSplits *data, const TrainSettings *settings)
{
    Vec(const char *) names = {0};
    for (size_t i = 0; i < data->all.count; i++) vec_push(&names, data->all.at[i].item->name);
    Diag *diag = complain(el, DIAG_no_train_data, settings->place, "training needs a data block called `train`");
    for (size_t i = 0; i < data->all.count; i++)
        diag_note(diag, data->all.at[i].item->place, "this one is called `%s`", names.at[i]);
    if (!names.count) diag_hint(diag, "write `data train { … }`, with a line for each input and target");
    vec_free(&names);
}

void data_require(Elaborator *el, const DataSplits *data, const Function *training, const TrainSettings *settings)
{
    uint32_t count = 0;
    Node *reached = node_is_none(training->loss) ? NULL : graph_reachable(el->graph, &training->loss, 1, &count);
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo info = *graph_node(el->graph, reached[i]);
        if (info.op != OP_INPUT && info.op != OP_TARGET) continue;
        if (!data->train) {
            no_train_data(el, data, settings);
            break;
        }
        if (scope_find(data->train->scope, info.attr.name, false)) continue;
        size_t known = named_find_part(el, NAMED_INPUT, info.attr.name, reached[i].id);
        Span at = known == NAME_MAP_NONE ? settings->place : el->inputs.at[known].place;
        Diag *diag = complain(el, DIAG_input_without_data, at, "the loss needs `%s`, but no data say what it is",
                              info.attr.name);
        diag_note(diag, data->train->syntax->span, "this block does not give it");
        diag_hint(diag, "add `%s = …` to `data train { … }`", info.attr.name);
    }
    memory_free(reached);
}
