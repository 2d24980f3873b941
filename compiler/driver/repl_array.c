#include "driver/repl_array.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/eval.h"
#include "nn_shown.h"

enum {
    SHOWN = 16,    /* elements of an axis before the middle is left out */
    EDGE = 4,      /* so many are left at each end */
    WIDEST = 1024, /* the most elements that array_as_text writes */
    CELL = 32
};

Array array_new(DType dtype, uint32_t rank, const int64_t *dims)
{
    Array array = {.dtype = dtype, .rank = rank, .count = 1};
    for (uint32_t i = 0; i < rank; i++) array.count *= array.dims[i] = dims[i];
    array.data = calloc((size_t)array.count + 1, dtype_size(dtype));
    if (!array.data) abort();
    return array;
}

Array array_copy(const Array *from)
{
    Array array = array_new(from->dtype, from->rank, from->dims);
    memcpy(array.data, from->data, (size_t)from->count * dtype_size(from->dtype));
    return array;
}

void array_free(Array *array)
{
    free(array->data);
    *array = (Array){0};
}

double array_at(const Array *array, int64_t index)
{
    double number;
    dtype_load(array->dtype, &number, (const char *)array->data + (size_t)index * dtype_size(array->dtype), 1);
    return number;
}

/* Whole numbers as people write them, others as the language does. */
static void put_number(double number, char *to)
{
    Text text = {0};
    if (fabs(number) < 1e7 && number == nearbyint(number))
        text_format(&text, "%.0f", number);
    else
        text_number(&text, number);
    snprintf(to, CELL, "%s", text_get(&text));
    text_free(&text);
}

/* As few digits as give this element again. */
static void print_exactly(const Array *array, int64_t index, char *to)
{
    if (dtype_class(array->dtype) == DTYPE_CLASS_INTEGER) {
        int64_t integer;
        integer_load(array->dtype, &integer, (const char *)array->data + (size_t)index * dtype_size(array->dtype), 1);
        snprintf(to, CELL, "%lld", (long long)integer);
        return;
    }
    double number = array_at(array, index);
    if (array->dtype == DTYPE_BOOL) {
        strcpy(to, number != 0 ? "true" : "false");
        return;
    }
    bool whole = fabs(number) < 1e7 && number == nearbyint(number);
    for (int digits = 1; digits <= 17 && !whole; digits++) {
        snprintf(to, CELL, "%.*g", digits, number);
        if (dtype_round(array->dtype, strtod(to, NULL)) == number) break;
    }
    put_number(nn_shown_number(whole ? number : strtod(to, NULL)), to);
}

/* In a table every number has at most so many significant digits that the eye can compare them. */
static void print_cell(const Array *array, int64_t index, char *to)
{
    print_exactly(array, index, to);
    if (!dtype_is_float(array->dtype) || strlen(to) <= 7) return;
    snprintf(to, CELL, "%.4g", nn_shown_number(array_at(array, index)));
    put_number(strtod(to, NULL), to);
}

static bool left_out(int64_t size, int64_t i)
{
    return size > SHOWN && i >= EDGE && i < size - EDGE;
}

/* Where the width of a column stands: columns past the gap are counted from the end of SHOWN. */
static int64_t width_slot(int64_t columns, int64_t column)
{
    return column < EDGE || columns <= SHOWN ? column : column - (columns - SHOWN);
}

/* One row of elements; `widths` aligns its columns, NULL: none. */
static void print_row(const Array *array, int64_t first, int64_t size, const int *widths, Text *to)
{
    char cell[CELL];
    text_string(to, "[");
    for (int64_t i = 0; i < size; i++) {
        if (i) text_string(to, ", ");
        if (left_out(size, i)) {
            text_string(to, "…");
            i = size - EDGE - 1;
            continue;
        }
        print_cell(array, first + i, cell);
        text_format(to, "%*s", widths ? widths[width_slot(size, i)] : 0, cell);
    }
    text_string(to, "]");
}

/* The widths of the columns of a matrix. */
static void measure(const Array *array, int64_t first, int64_t rows, int64_t columns, int *widths)
{
    char cell[CELL];
    memset(widths, 0, SHOWN * sizeof *widths);
    for (int64_t r = 0; r < rows; r++) {
        if (left_out(rows, r)) continue;
        for (int64_t c = 0; c < columns; c++) {
            if (left_out(columns, c)) continue;
            print_cell(array, first + r * columns + c, cell);
            int64_t slot = width_slot(columns, c);
            if ((int)strlen(cell) > widths[slot]) widths[slot] = (int)strlen(cell);
        }
    }
}

static void print_axes(const Array *array, uint32_t axis, int64_t first, Text *to)
{
    int64_t size = array->dims[axis], inner = 1;
    for (uint32_t i = axis + 1; i < array->rank; i++) inner *= array->dims[i];
    int widths[SHOWN];
    bool matrix = axis + 2 == array->rank;
    if (matrix) measure(array, first, size, inner, widths);
    text_string(to, "[");
    for (int64_t i = 0; i < size; i++) {
        if (i) text_string(to, ",\n");
        if (i) text_spaces(to, (int)axis + 1);
        if (left_out(size, i)) {
            text_string(to, "…");
            i = size - EDGE - 1;
        } else if (matrix) {
            print_row(array, first + i * inner, inner, widths, to);
        } else {
            print_axes(array, axis + 1, first + i * inner, to);
        }
    }
    text_string(to, "]");
}

void array_print(const Array *array, Text *to)
{
    char cell[CELL];
    if (!array->rank) {
        print_exactly(array, 0, cell);
        text_string(to, cell);
    } else if (array->rank == 1) {
        print_row(array, 0, array->dims[0], NULL, to);
    } else {
        print_axes(array, 0, 0, to);
    }
}

static void write_list(const Array *array, uint32_t axis, int64_t first, Text *to)
{
    if (axis == array->rank) {
        char cell[CELL];
        print_exactly(array, first, cell);
        text_string(to, cell);
        return;
    }
    int64_t inner = 1;
    for (uint32_t i = axis + 1; i < array->rank; i++) inner *= array->dims[i];
    text_string(to, "[");
    for (int64_t i = 0; i < array->dims[axis]; i++) {
        if (i) text_string(to, ", ");
        write_list(array, axis + 1, first + i * inner, to);
    }
    text_string(to, "]");
}

bool array_as_text(const Array *array, Text *to)
{
    if (array->count > WIDEST || !array->count) return false;
    for (int64_t i = 0; i < array->count; i++)
        if (!isfinite(array_at(array, i))) return false;
    text_format(to, "%s(", dtype_name(array->dtype));
    write_list(array, 0, 0, to);
    text_string(to, ")");
    return true;
}
