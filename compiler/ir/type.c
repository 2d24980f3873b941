#include "ir/type.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t size;
    DTypeClass class;
} rows[] = {
#define DTYPE(id, spelling, bytes, class) {spelling, bytes, class},
#include "ir/dtypes.def"
#undef DTYPE
};

const char *dtype_name(DType dtype)
{
    return rows[dtype].name;
}

uint32_t dtype_size(DType dtype)
{
    return rows[dtype].size;
}

DType dtype_accumulator(DType dtype)
{
    return dtype == DTYPE_BF16 || dtype == DTYPE_F16 ? DTYPE_F32 : dtype;
}

DTypeClass dtype_class(DType dtype)
{
    return rows[dtype].class;
}

bool dtype_parse(const char *text, size_t length, DType *dtype)
{
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (strlen(rows[i].name) == length && !memcmp(rows[i].name, text, length)) {
            *dtype = (DType)i;
            return true;
        }
    return false;
}

Type type_make(DType dtype, uint32_t rank, const Dim *dims)
{
    Type type;
    memset(&type, 0, sizeof type);
    type.dtype = dtype;
    type.rank = rank;
    for (uint32_t i = 0; i < rank && i < MAX_RANK; i++) type.dims[i] = dims[i];
    return type;
}

Type type_scalar(DType dtype)
{
    return type_make(dtype, 0, NULL);
}

Type type_with(Type type, DType dtype)
{
    type.dtype = dtype;
    type.range = DIM_NONE;
    return type;
}

bool type_is_whole(const Type *type)
{
    for (uint32_t i = 0; i < MAX_RANK; i++)
        if (dim_is_none(type->dims[i]) != (i >= type->rank)) return false;
    return true;
}

bool type_equal(const Type *a, const Type *b)
{
    return !memcmp(a, b, sizeof *a);
}

bool type_same_shape(const Type *a, const Type *b)
{
    return a->rank == b->rank && !memcmp(a->dims, b->dims, a->rank * sizeof *a->dims);
}

Dim type_elements(DimTable *table, const Type *type)
{
    return dim_product(table, type->dims, type->rank);
}

void type_print(const DimTable *table, const Type *type, Text *to)
{
    text_string(to, dtype_name(type->dtype));
    for (uint32_t i = 0; i < type->rank; i++) {
        text_string(to, i ? ", " : "[");
        dim_print(table, type->dims[i], to);
    }
    if (type->rank) text_string(to, "]");
    if (!dim_is_none(type->range)) {
        text_string(to, " in ");
        dim_print(table, type->range, to);
    }
}

static const char *skip_spaces(const char *at)
{
    while (*at == ' ' || *at == '\t') at++;
    return at;
}

/* After `[`. */
static bool parse_dims(DimTable *table, const char **at, Type *type)
{
    for (;;) {
        if (type->rank == MAX_RANK) return false;
        Dim dim = dim_parse(table, at);
        if (dim_is_none(dim)) return false;
        type->dims[type->rank++] = dim;
        *at = skip_spaces(*at);
        char next = *(*at)++;
        if (next == ']') return true;
        if (next != ',') return false;
    }
}

bool type_parse(DimTable *table, const char **at, Type *type)
{
    const char *p = skip_spaces(*at), *start = p;
    DType dtype;
    while ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')) p++;
    if (!dtype_parse(start, (size_t)(p - start), &dtype)) return false;
    *type = type_scalar(dtype);
    if (*p == '[') {
        p++;
        if (!parse_dims(table, &p, type)) return false;
    }
    const char *word = skip_spaces(p);
    if (word[0] == 'i' && word[1] == 'n' && word[2] == ' ') {
        p = word + 3;
        type->range = dim_parse(table, &p);
        if (dim_is_none(type->range)) return false;
    }
    *at = p;
    return true;
}
