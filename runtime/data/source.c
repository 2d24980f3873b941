#include "data/source.h"

#include <stdlib.h>
#include <string.h>

int nn_source_literal(nn_type type, int64_t rows, int rank, const int64_t *dims, const void *values, nn_source **out)
{
    *out = NULL;
    if (rank < 0 || rank > NN_MAX_RANK || rows < 0 || !nn_type_size(type) || !values)
        return nn_fail(NN_ERROR_ARGUMENT, "these rows are none");
    nn_source *source = nn_source_new(1);
    if (!source) return NN_ERROR_MEMORY;
    source->rows = rows;
    if (!nn_source_set_column(source, 0, "value", type, rank, dims, "as written", values, NULL)) {
        nn_source_free(source);
        return NN_ERROR_MEMORY;
    }
    *out = source;
    return NN_OK;
}

int nn_data_failure(void)
{
    return nn_last_failure();
}

nn_source *nn_source_new(size_t columns)
{
    nn_source *source = calloc(1, sizeof *source);
    nn_source_column_data *data = calloc(columns + 1, sizeof *data);
    if (!source || !data) {
        free(source);
        free(data);
        nn_fail(NN_ERROR_MEMORY, "no memory for a data source");
        return NULL;
    }
    source->columns = data;
    source->n_columns = columns;
    return source;
}

bool nn_source_set_column(nn_source *source, size_t column, const char *name, nn_type type, int rank,
                          const int64_t *dims, const char *doc, const void *values, void *owned)
{
    nn_source_column_data *data = &source->columns[column];
    data->name = strdup(name);
    data->values = values;
    data->owned = owned;
    data->row_size = nn_type_size(type);
    data->column = (nn_column){.name = data->name, .type = type, .rank = rank, .doc = doc};
    for (int i = 0; i < rank; i++) {
        data->column.dims[i] = dims[i];
        data->row_size *= (size_t)dims[i];
    }
    if (!data->name) nn_fail(NN_ERROR_MEMORY, "no memory for a data source");
    return data->name;
}

void nn_source_free(nn_source *source)
{
    if (!source) return;
    for (size_t i = 0; i < source->n_columns; i++) {
        nn_source_column_data *data = &source->columns[i];
        for (int64_t c = 0; data->categories && c < data->column.range; c++) free(data->categories[c]);
        free(data->categories);
        free(data->problem);
        free(data->text);
        free(data->owned);
        free(data->name);
    }
    nn_bytes_close(&source->bytes);
    free(source->columns);
    free(source);
}

int64_t nn_source_rows(const nn_source *source)
{
    return source->rows;
}

size_t nn_source_columns(const nn_source *source)
{
    return source->n_columns;
}

const nn_column *nn_source_column(const nn_source *source, size_t column)
{
    return column < source->n_columns ? &source->columns[column].column : NULL;
}

const char *nn_source_category(const nn_source *source, size_t column, int64_t category)
{
    if (column >= source->n_columns || !source->columns[column].categories) return NULL;
    if (category < 0 || category >= source->columns[column].column.range) return NULL;
    return source->columns[column].categories[category];
}

size_t nn_source_row_size(const nn_source *source, size_t column)
{
    return column < source->n_columns ? source->columns[column].row_size : 0;
}

static int check_column(const nn_source *source, size_t column)
{
    if (column >= source->n_columns) return nn_fail(NN_ERROR_ARGUMENT, "the source has %zu columns", source->n_columns);
    if (source->columns[column].problem)
        return nn_fail((nn_status)source->columns[column].failure, "%s", source->columns[column].problem);
    return NN_OK;
}

static int fail_row(const nn_source *source, int64_t row)
{
    return nn_fail(NN_ERROR_ARGUMENT, "there is no row %lld, the source has %lld", (long long)row,
                   (long long)source->rows);
}

/* Rows that stand one after the other. */
static int read_run(const nn_source *source, const nn_source_column_data *data, int64_t first, size_t count, void *out)
{
    size_t at = (size_t)first * data->row_size, size = count * data->row_size;
    if (!data->values) return nn_bytes_get(&source->bytes, data->start + at, out, size);
    if (size) memcpy(out, (const char *)data->values + at, size);
    return NN_OK;
}

int nn_source_read(const nn_source *source, size_t column, const int64_t *rows, size_t count, void *out)
{
    int status = check_column(source, column);
    const nn_source_column_data *data = &source->columns[column];
    for (size_t i = 0, run; i < count && !status; i += run) {
        if (rows[i] < 0 || rows[i] >= source->rows) return fail_row(source, rows[i]);
        int64_t left = source->rows - rows[i];
        for (run = 1; i + run < count && (int64_t)run < left && rows[i + run] == rows[i] + (int64_t)run; run++) {
        }
        status = read_run(source, data, rows[i], run, (char *)out + i * data->row_size);
    }
    return status;
}

int nn_source_read_range(const nn_source *source, size_t column, int64_t first, int64_t count, void *out)
{
    int status = check_column(source, column);
    if (status) return status;
    if (first < 0 || first > source->rows) return fail_row(source, first);
    if (count < 0 || count > source->rows - first) return fail_row(source, source->rows);
    return read_run(source, &source->columns[column], first, (size_t)count, out);
}
