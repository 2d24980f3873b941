#include "data/csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/categories.h"

typedef enum { UNKNOWN, WHOLE, REAL, TEXT } Kind;

typedef union {
    int64_t whole;
    double real;
} Number;

/* One column while the file is read. */
typedef struct {
    char *name;
    Kind kind;
    bool always_text;
    Number *numbers; /* all of the kind: whole ones become real when the first real one comes */
    int32_t *codes;
    char *text; /* the first field that is not a number, and its line */
    int64_t text_line;
    size_t capacity;
    nn_categories categories;
    const nn_source_column_data *like; /* whose categories it takes */
    char *problem;
    int failure; /* the kind of problem */
} Column;

typedef struct {
    const nn_source_request *request;
    Column *columns;
    size_t n_columns;
    size_t rows;
} Table;

/* False. */
static bool no_memory(const Table *table)
{
    nn_fail(NN_ERROR_MEMORY, "no memory for %s", table->request->path);
    return false;
}

static bool is_missing(const char *field)
{
    static const char *const missing[] = {"", "?", "NA", "N/A", "NaN", "nan", "null"};
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        if (!strcmp(field, missing[i])) return true;
    return false;
}

/* Decimal numbers alone: no hexadecimal, no infinity. Whole numbers that 64 bits do not hold are real. */
static Kind parse_number(const char *field, Number *number)
{
    char *end;
    size_t length = strlen(field);
    while (length && field[length - 1] == ' ') length--;
    const char *start = field + strspn(field, " ");
    size_t digits = strspn(start, "+-0123456789.eE");
    double real = strtod(start, &end);
    if (end == start || end != start + digits || end != field + length) return TEXT;
    if (strspn(start, "+-0123456789") == digits) {
        errno = 0;
        number->whole = strtoll(start, NULL, 10);
        if (!errno) return WHOLE;
    }
    number->real = real;
    return REAL;
}

/* ---- Reading ---- */

static void set_problem(Table *table, Column *column, int kind, int64_t line, const char *format, const char *field)
{
    char what[160], text[512];
    if (column->problem) return;
    snprintf(what, sizeof what, format, field);
    snprintf(text, sizeof text, "%s:%lld: column %s: %s", table->request->path, (long long)line, column->name, what);
    column->problem = strdup(text);
    column->failure = kind;
}

/* Room for one more value: a number or a category's code. */
static bool reserve(Table *table, Column *column, bool text)
{
    if (table->rows < column->capacity) return true;
    size_t capacity = column->capacity ? 2 * column->capacity : 256;
    void *old = text ? (void *)column->codes : column->numbers;
    void *larger = realloc(old, capacity * (text ? sizeof *column->codes : sizeof *column->numbers));
    if (!larger) return no_memory(table);
    if (text)
        column->codes = larger;
    else
        column->numbers = larger;
    column->capacity = capacity;
    return true;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool take_text(Table *table, Column *column, const char *field, int64_t line)
{
    if (!column->like) {
        column->codes[table->rows] = nn_categories_add(&column->categories, field);
        return column->codes[table->rows] >= 0 || no_memory(table);
    }
    char *const *texts = column->like->categories;
    char *const *found = bsearch(&field, texts, (size_t)column->like->column.range, sizeof *texts, by_text);
    if (found) {
        column->codes[table->rows] = (int32_t)(found - texts);
        return true;
    }
    set_problem(table, column, NN_DATA_CATEGORY, line, "`%.60s` is none of the categories of the training data", field);
    return true;
}

/* The first field that is not a number is kept: it explains why the column is text. */
static bool note_text(Table *table, Column *column, const char *field, int64_t line)
{
    if (column->text) return true;
    column->text_line = line;
    column->text = strdup(field);
    return column->text || no_memory(table);
}

/* The kind of a column's numbers is that of all of them. */
static void take_number(Table *table, Column *column, Kind kind, Number number)
{
    if (column->kind == WHOLE && kind == REAL) {
        for (size_t i = 0; i < table->rows; i++) column->numbers[i].real = (double)column->numbers[i].whole;
        column->kind = REAL;
    }
    if (column->kind == REAL && kind == WHOLE) number.real = (double)number.whole;
    column->numbers[table->rows] = number;
}

static bool take_field(Table *table, Column *column, const char *field, int64_t line)
{
    Number number = {0};
    if (column->problem) return true;
    if (is_missing(field)) {
        set_problem(table, column, NN_DATA_MISSING, line,
                    *field ? "the value is missing (`%.60s`)" : "the value is missing%s", field);
        return true;
    }
    Kind kind = parse_number(field, &number);
    if (kind == TEXT && !note_text(table, column, field, line)) return false;
    if (column->always_text) kind = TEXT;
    if (kind == REAL && isinf(number.real)) {
        set_problem(table, column, NN_ERROR_RANGE, line, "`%.60s` is larger than a 64-bit float can be", field);
        return true;
    }
    if (column->kind == UNKNOWN) column->kind = kind;
    if ((kind == TEXT) != (column->kind == TEXT)) {
        set_problem(table, column, NN_DATA_MIXED, line,
                    kind == TEXT ? "`%.60s` is no number, and those above are"
                                 : "`%.60s` is a number, and those above are text",
                    field);
        return true;
    }
    if (!reserve(table, column, kind == TEXT)) return false;
    if (kind == TEXT) return take_text(table, column, field, line);
    take_number(table, column, kind, number);
    return true;
}

/* The next name of a list between commas, without spaces around it; NULL after the last. */
static const char *next_name(const char **list, size_t *length)
{
    if (!*list) return NULL;
    const char *name = *list + strspn(*list, " "), *comma = strchr(name, ',');
    *length = strcspn(name, ",");
    while (*length && name[*length - 1] == ' ') --*length;
    *list = comma ? comma + 1 : NULL;
    return name;
}

/* The columns that `text` lists; one that the table lacks is a slip. */
static int mark_text(Table *table)
{
    const char *list = nn_request_text(table->request, "text"), *name;
    size_t length, i;
    if (!*list) return NN_OK;
    while ((name = next_name(&list, &length))) {
        for (i = 0; i < table->n_columns; i++)
            if (strlen(table->columns[i].name) == length && !strncmp(table->columns[i].name, name, length)) break;
        if (i == table->n_columns && length)
            return nn_fail(NN_ERROR_ARGUMENT, "`text` names the column `%.*s`, which %s does not have", (int)length,
                           name, table->request->path);
        if (i < table->n_columns) table->columns[i].always_text = true;
    }
    return NN_OK;
}

static const nn_source_column_data *find_like(const nn_source *like, const char *name)
{
    for (size_t i = 0; like && i < like->n_columns; i++)
        if (like->columns[i].categories && !strcmp(like->columns[i].name, name)) return &like->columns[i];
    return NULL;
}

static int make_columns(Table *table, const nn_csv_row *row, bool header)
{
    table->columns = calloc(row->count + 1, sizeof *table->columns);
    if (!table->columns) return no_memory(table), NN_ERROR_MEMORY;
    table->n_columns = row->count;
    for (size_t i = 0; i < row->count; i++) {
        char number[24];
        snprintf(number, sizeof number, "c%zu", i);
        Column *column = &table->columns[i];
        column->name = strdup(header ? row->fields[i] : number);
        if (!column->name) return no_memory(table), NN_ERROR_MEMORY;
        for (size_t k = 0; k < i; k++)
            if (!strcmp(table->columns[k].name, column->name))
                return nn_fail(NN_ERROR_FORMAT, "%s:%lld: two columns are called `%s`", table->request->path,
                               (long long)row->line, column->name);
        column->like = find_like(table->request->like, column->name);
        column->always_text = column->like;
    }
    return mark_text(table);
}

static int take_row(Table *table, const nn_csv_row *row)
{
    const volatile sig_atomic_t *stop = table->request->stop;
    if (stop && *stop) return nn_fail(NN_ERROR_STATE, "interrupted");
    if (row->count != table->n_columns)
        return nn_fail((nn_status)NN_DATA_FIELDS, "%s:%lld: %zu fields, but there are %zu columns",
                       table->request->path, (long long)row->line, row->count, table->n_columns);
    for (size_t i = 0; i < row->count; i++)
        if (!take_field(table, &table->columns[i], row->fields[i], row->line)) return NN_ERROR_MEMORY;
    table->rows++;
    return NN_OK;
}

static int read_table(Table *table, const nn_bytes *bytes, char delimiter, bool header)
{
    nn_csv_reader *reader = nn_csv_reader_new(table->request->path, bytes, delimiter);
    if (!reader) return NN_ERROR_MEMORY;
    nn_csv_row row;
    bool more = true;
    int status = nn_csv_reader_next(reader, &row, &more);
    if (!status && !more) status = nn_fail(NN_ERROR_FORMAT, "%s is empty", table->request->path);
    if (!status) status = make_columns(table, &row, header);
    if (!status && !header) status = take_row(table, &row);
    while (!status && !(status = nn_csv_reader_next(reader, &row, &more)) && more) status = take_row(table, &row);
    nn_csv_reader_free(reader);
    if (!status && !table->rows) status = nn_fail(NN_ERROR_FORMAT, "%s has a header and no rows", table->request->path);
    return status;
}

/* ---- Finished columns ---- */

static bool finish_numbers(Table *table, Column *column, nn_source *source, size_t index)
{
    nn_type type = column->kind == WHOLE ? NN_TYPE_I64 : NN_TYPE_F64;
    /* A column that is refused before its first value has none. */
    if (!column->numbers && !reserve(&(Table){.request = table->request}, column, false)) return false;
    Number *numbers = column->numbers;
    column->numbers = NULL;
    return nn_source_set_column(source, index, column->name, type, 0, NULL, "numbers", numbers, numbers);
}

static bool take_categories(Column *column, nn_source_column_data *data)
{
    size_t count = column->like ? (size_t)column->like->column.range : column->categories.count;
    char *const *texts = column->like ? column->like->categories : column->categories.texts;
    data->categories = calloc(count + 1, sizeof *data->categories);
    if (!data->categories) return false;
    data->column.range = (int64_t)count;
    for (size_t i = 0; i < count; i++)
        if (!(data->categories[i] = strdup(texts[i]))) return false;
    return true;
}

static bool finish_text(Table *table, Column *column, nn_source *source, size_t index)
{
    int32_t *renumbered = NULL;
    if (!column->like && !column->problem) {
        renumbered = nn_categories_sort(&column->categories);
        if (!renumbered) return no_memory(table);
        for (size_t i = 0; i < table->rows; i++) column->codes[i] = renumbered[column->codes[i]];
        free(renumbered);
    }
    int32_t *codes = column->codes;
    column->codes = NULL;
    if (!nn_source_set_column(source, index, column->name, NN_TYPE_I32, 0, NULL, "categories, sorted", codes, codes))
        return false;
    return take_categories(column, &source->columns[index]) || no_memory(table);
}

static nn_source *finish_table(Table *table)
{
    nn_source *source = nn_source_new(table->n_columns);
    if (!source) return NULL;
    source->rows = (int64_t)table->rows;
    for (size_t i = 0; i < table->n_columns; i++) {
        Column *column = &table->columns[i];
        bool text = column->kind == TEXT || (column->kind == UNKNOWN && column->always_text);
        if (!(text ? finish_text : finish_numbers)(table, column, source, i)) {
            nn_source_free(source);
            return NULL;
        }
        source->columns[i].problem = column->problem;
        source->columns[i].failure = column->failure;
        source->columns[i].text = column->text;
        source->columns[i].column.text = column->text;
        source->columns[i].column.text_line = column->text_line;
        column->problem = column->text = NULL;
    }
    return source;
}

static void free_table(Table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        Column *column = &table->columns[i];
        nn_categories_free(&column->categories);
        free(column->problem);
        free(column->text);
        free(column->numbers);
        free(column->codes);
        free(column->name);
    }
    free(table->columns);
}

int nn_csv_open(const nn_source_request *request, nn_source **source)
{
    const char *delimiter = nn_request_text(request, "delimiter");
    int status = NN_OK;
    if (!strcmp(delimiter, "\\t")) delimiter = "\t";
    if (strlen(delimiter) != 1 || strchr("\"\r\n", *delimiter))
        status = nn_fail(NN_ERROR_ARGUMENT, "delimiter of csv is `%s`, but it is one character", delimiter);
    nn_bytes bytes = {0};
    Table table = {.request = request};
    if (!status) status = nn_bytes_open(request->path, &bytes);
    if (!status) status = read_table(&table, &bytes, *delimiter, nn_request_number(request, "header") != 0);
    if (!status && !(*source = finish_table(&table))) status = NN_ERROR_MEMORY;
    free_table(&table);
    nn_bytes_close(&bytes);
    return status;
}
