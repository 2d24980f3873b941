/* Opening sources, and their columns as nodes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elaborate/data.h"

#define SYSTEM_DATA "/usr/share/datasets"

static const struct {
    const char *kind;
    enum { PLACE_MADE, PLACE_FILE } place;
} kinds[] = {
#define SOURCE(kind, place, columns, arguments) {#kind, PLACE_##place},
#include "data/sources.def"
};

static int find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].kind, name)) return (int)i;
    return -1;
}

static const char *in_folder(Elaborator *el, const char *folder, size_t length, const char *name)
{
    const char *path = arena_format(el->arena, "%.*s/%s", (int)length, folder, name);
    return access(path, R_OK) ? NULL : path;
}

/* Beside the file, then in each folder of NNC_DATA, then in the system's. */
static const char *find_file(Elaborator *el, const char *name)
{
    if (*name == '/' || !el->folder) {
        if (!access(name, R_OK)) return name;
        if (*name == '/') return NULL;
    }
    const char *path = el->folder ? in_folder(el, el->folder, strlen(el->folder), name) : NULL;
    for (const char *at = getenv("NNC_DATA"); !path && at && *at;) {
        size_t length = strcspn(at, ":");
        if (length) path = in_folder(el, at, length, name);
        at += length + (at[length] == ':');
    }
    return path ? path : in_folder(el, SYSTEM_DATA, strlen(SYSTEM_DATA), name);
}

/* The name of the source that is opened now: that of its binding. */
static Name source_name(Elaborator *el)
{
    DataSplits *data = el->splits;
    int number = ++data->unnamed;
    return number == 1 ? data->binding : intern_format(el->context->names, "%s_%d", data->binding, number);
}

/* The path that an option gives the source, or NULL. False after a diagnostic: two options do. */
static bool overriding_path(Elaborator *el, Name name, const char **path)
{
    *path = NULL;
    for (size_t i = 0; i < el->options->n_data; i++) {
        const DataOption *option = &el->options->data[i];
        if (strcmp(option->name, name) || !data_names_split(el->splits->current->syntax, option->split)) continue;
        if (*path) {
            Diag *diag = complain(el, DIAG_bad_option, NO_SPAN,
                                  "`--data`: the source `%s` is given two files, %s and %s", name, *path, option->path);
            diag_note(diag, el->splits->current->syntax->span, "the splits of this block share their sources");
            return false;
        }
        *path = option->path;
    }
    return true;
}

static bool read_arguments(Elaborator *el, Scope *scope, const Syntax *node, uint32_t from, SplitSource *source)
{
    DataArgument *args = ARENA_ARRAY(el->arena, DataArgument, node->n_kids + 1);
    for (uint32_t i = from; i < node->n_kids; i++) {
        const Syntax *arg = node->kids[i];
        if (arg->kind != SYNTAX_KEYWORD) {
            complain(el, DIAG_positional_argument, arg->span, "the arguments of `%s` are given by name", source->kind);
            return false;
        }
        Value value = evaluate(el, scope, kid_value(arg));
        DataArgument *to = &args[source->n_args++];
        to->name = arg->name;
        if (value_is_error(value)) return false;
        if (value.kind == VALUE_TEXT)
            to->text = value.text;
        else if (value.kind == VALUE_BOOL)
            to->number = value.truth, to->flag = true;
        else if (!value_is_constant(el, value, &to->number)) {
            complain(el, DIAG_not_constant, kid_value(arg)->span, "`%s` must be a number or a text, not %s", arg->name,
                     value_describe(el, value));
            return false;
        }
    }
    source->args = args;
    return true;
}

static const DataSource *source_like(const DataSplits *data, Name name)
{
    const DataBlock *train = data->train;
    for (size_t i = 0; train && train != data->current && i < train->sources.count; i++)
        if (train->sources.at[i].name == name) return train->sources.at[i].source;
    return NULL;
}

/* All sources of a block have the same rows. */
static bool add_source(Elaborator *el, const SplitSource *source, Span at)
{
    DataBlock *block = el->splits->current;
    int64_t rows = source->source->rows;
    if (block->rows < 0) {
        block->rows = rows;
        block->rows_place = at;
    } else if (block->rows != rows) {
        Diag *diag = complain(el, DIAG_row_count, at, "this has %lld rows, but the others in this block have %lld",
                              (long long)rows, (long long)block->rows);
        diag_note(diag, block->rows_place, "%lld rows", (long long)block->rows);
        return false;
    }
    vec_push(&block->sources, *source);
    return true;
}

static Value column_value(Elaborator *el, uint32_t source_index, uint32_t column)
{
    DataSplits *data = el->splits;
    const SplitSource *source = &data->current->sources.at[source_index];
    const DataColumn *shape = &source->source->columns[column];
    bool nameless = source->source->n_columns == 1 && !strcmp(shape->name, "value");
    Name name = nameless ? source->name : intern_format(el->context->names, "%s.%s", source->name, shape->name);
    Type type = type_scalar(shape->dtype);
    type.dims[type.rank++] = dim_symbol(el->dims, data->rows);
    for (uint32_t i = 0; i < shape->rank; i++) type.dims[type.rank++] = dim_constant(el->dims, shape->dims[i]);
    if (shape->range > 0) type.range = dim_constant(el->dims, shape->range);
    name_map_put(el->arena, &data->current->field_of, (NameKey){.name = name}, data->current->fields.count);
    if (data->current->field_of.count > data->current->fields.count)
        vec_push(&data->current->fields, (SplitField){name, source_index, column});
    return value_tensor(build_source(el->graph, OP_INPUT, name, type));
}

static Value opened(Elaborator *el, const SplitSource *source, Span at)
{
    if (!add_source(el, source, at)) return value_error();
    uint32_t index = (uint32_t)el->splits->current->sources.count - 1;
    const DataSource *data = source->source;
    if (data->n_columns == 1 && !strcmp(data->columns[0].name, "value")) return column_value(el, index, 0);
    Table *table = ARENA_NEW(el->arena, Table);
    *table = (Table){index, data->rows};
    return (Value){.kind = VALUE_TABLE, .table = table};
}

/* Where a file was looked for, and which package brings it. */
static void hint_places(const Elaborator *el, Diag *diag, const char *name)
{
    static const struct {
        const char *folder, *package;
    } packages[] = {{"fashion-mnist/", "dataset-fashion-mnist"}};
    const char *folders = getenv("NNC_DATA");
    if (*name == '/') return;
    if (folders && *folders)
        diag_hint(diag, "it was looked for %s, in %s (NNC_DATA), and in " SYSTEM_DATA,
                  el->folder ? "beside this file" : "in the working folder", folders);
    else
        diag_hint(diag, "it was looked for %s and in " SYSTEM_DATA "; NNC_DATA can name further folders",
                  el->folder ? "beside this file" : "in the working folder");
    for (size_t i = 0; i < sizeof packages / sizeof *packages; i++)
        if (!strncmp(name, packages[i].folder, strlen(packages[i].folder)))
            diag_hint(diag, "Debian's package %s brings it: apt-get install %s", packages[i].package,
                      packages[i].package);
}

DiagId data_failure(const Elaborator *el)
{
    const DataProvider *provider = el->options->provider;
    return provider->why ? provider->why(provider->host) : DIAG_data_source;
}

static Value open_source(Elaborator *el, Scope *scope, const Syntax *node, int kind)
{
    SplitSource source = {.name = source_name(el), .kind = kinds[kind].kind, .place = node->span};
    const char *message = NULL;
    uint32_t from = 1;
    if (kinds[kind].place == PLACE_FILE) {
        const Syntax *path = node->n_kids > 1 ? kid_arg(node) : NULL;
        if (!path || path->kind != SYNTAX_STRING) {
            Diag *diag = complain(el, DIAG_missing_argument, node->span, "`%s` needs the path of a file", source.kind);
            diag_hint(diag, "`%s(\"data/file\")`", source.kind);
            return value_error();
        }
        from = 2;
        const char *overriding;
        if (!overriding_path(el, source.name, &overriding)) return value_error();
        source.path = overriding ? overriding : find_file(el, path->text);
        if (!source.path) {
            Diag *diag = complain(el, DIAG_missing_file, path->span, "there is no file \"%s\"", path->text);
            hint_places(el, diag, path->text);
            return value_error();
        }
    }
    if (!read_arguments(el, scope, node, from, &source)) return value_error();
    const DataProvider *provider = el->options->provider;
    const DataSource *like = source_like(el->splits, source.name);
    source.source =
        provider->open(provider->host, source.kind, source.path, source.args, source.n_args, like, &message);
    if (source.source) return opened(el, &source, node->span);
    if (context_stopped(el->context)) return value_error();
    complain(el, data_failure(el), node->span, "%s", message ? message : "this source cannot be opened");
    return value_error();
}

Value table_column(Elaborator *el, Value table, const char *column, Span at)
{
    const DataSource *source = el->splits->current->sources.at[table.table->source].source;
    Vec(const char *) names = {0};
    for (uint32_t i = 0; i < source->n_columns; i++) {
        if (!strcmp(source->columns[i].name, column)) {
            vec_free(&names);
            return column_value(el, table.table->source, i);
        }
        vec_push(&names, source->columns[i].name);
    }
    Diag *diag = complain(el, DIAG_unknown_column, at, "the source has no column `%s`", column);
    const char *near = nearest_spelling(column, names.at, names.count);
    Text list = {0};
    for (size_t i = 0; i < names.count && i < 20; i++) text_format(&list, "%s%s", i ? ", " : "", names.at[i]);
    if (near)
        diag_hint(diag, "did you mean `%s`?", near);
    else
        diag_hint(diag, "its columns are: %s", text_get(&list));
    text_free(&list);
    vec_free(&names);
    return value_error();
}

/* What side by side holds the elements of all columns: f64 as soon as one of them needs it. */
static DType common_type(Elaborator *el, const Value *columns, uint32_t count)
{
    DType common = el->real;
    for (uint32_t i = 0; i < count; i++) {
        DType dtype = node_type(el->graph, columns[i].node)->dtype;
        if (dtype == DTYPE_F64 || dtype == DTYPE_I64 || dtype == DTYPE_I32) common = DTYPE_F64;
    }
    return common;
}

/* The field that a column just read is. */
static const SplitField *field_named(const DataBlock *block, Name input)
{
    size_t i = 0;
    while (block->fields.at[i].input != input) i++;
    return &block->fields.at[i];
}

/* The number of a category is a name and no quantity: a column of decimal commas would be one too. */
static bool is_numeric(Elaborator *el, Value column, Span at)
{
    const DataBlock *block = el->splits->current;
    const SplitField *field = field_named(block, graph_node(el->graph, column.node)->attr.name);
    const DataColumn *shape = &block->sources.at[field->source].source->columns[field->column];
    return !shape->categories || data_refuse_category(el, block, field, at);
}

/* columns(table, "a", "b"): side by side as real numbers. */
static Value columns_of(Elaborator *el, Scope *scope, const Syntax *node)
{
    Value table = node->n_kids > 1 ? evaluate(el, scope, kid_arg(node)) : value_error();
    if (node->n_kids < 3 || (table.kind != VALUE_TABLE && !value_is_error(table))) {
        complain(el, DIAG_missing_argument, node->span, "`columns` takes a table and the names of its columns");
        return value_error();
    }
    if (value_is_error(table)) return table;
    Builtin stack;
    builtin_find("stack", &stack);
    Value *args = ARENA_ARRAY(el->arena, Value, BUILTIN_FORMALS + node->n_kids);
    bool given[BUILTIN_FORMALS] = {true, true};
    args[1] = value_integer(el, -1);
    for (uint32_t i = 2; i < node->n_kids; i++) {
        const Syntax *name = node->kids[i];
        if (name->kind != SYNTAX_STRING) {
            complain(el, DIAG_type_mismatch, name->span, "the name of a column should stand here, as a text");
            return value_error();
        }
        Value column = table_column(el, table, name->text, name->span);
        if (value_is_error(column)) return column;
        if (!is_numeric(el, column, name->span)) return value_error();
        args[BUILTIN_FORMALS + i - 2] = column;
    }
    Value *columns = args + BUILTIN_FORMALS;
    DType common = common_type(el, columns, node->n_kids - 2);
    for (uint32_t i = 2; i < node->n_kids; i++)
        columns[i - 2] = convert(el, columns[i - 2], common, node->kids[i]->span);
    return structure(el, &stack, args, node->n_kids - 2, given, node->span);
}

bool data_call(Elaborator *el, Scope *scope, const Syntax *node, Value *result)
{
    const Syntax *name = kid_callee(node);
    if (!el->splits || !el->splits->current || scope->inside_prelude || name->kind != SYNTAX_NAME) return false;
    int kind = find_kind(name->name);
    if (kind >= 0)
        *result = open_source(el, scope, node, kind);
    else if (!strcmp(name->name, "columns"))
        *result = columns_of(el, scope, node);
    else
        return false;
    return true;
}

Value data_literal(Elaborator *el, Value list, Span at)
{
    Value tensor = value_as_rows(el, list, at);
    if (value_is_error(tensor)) return tensor;
    const NodeInfo *literal = graph_node(el->graph, tensor.node);
    DataColumn *column = ARENA_NEW(el->arena, DataColumn);
    DataSource *source = ARENA_NEW(el->arena, DataSource);
    *column = (DataColumn){.name = "value", .dtype = literal->type.dtype, .rank = literal->type.rank - 1};
    for (uint32_t i = 1; i < literal->type.rank; i++)
        dim_is_constant(el->dims, literal->type.dims[i], &column->dims[i - 1]);
    *source = (DataSource){.columns = column, .n_columns = 1};
    dim_is_constant(el->dims, literal->type.dims[0], &source->rows);
    SplitSource split = {
        .name = source_name(el), .kind = "literal", .source = source, .literal = literal->attr.data, .place = at};
    return opened(el, &split, at);
}
