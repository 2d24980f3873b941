/* Element types and the types of tensors. */
#ifndef NNC_IR_TYPE_H
#define NNC_IR_TYPE_H

#include "ir/dim.h"

typedef enum {
#define DTYPE(id, spelling, bytes, class) DTYPE_##id,
#include "ir/dtypes.def"
#undef DTYPE
    DTYPE_COUNT
} DType;

typedef enum { DTYPE_CLASS_BOOL, DTYPE_CLASS_INTEGER, DTYPE_CLASS_FLOAT } DTypeClass;

enum { MAX_RANK = 12 };

/* In place of an axis: there is none. Every byte of it is the same, so that memset fills arrays with it. */
enum { NO_AXIS = 255 };

/* The type of a tensor: element type, sizes, and for integers a known range 0 <= value < range (DIM_NONE: not known).
 * Unused dims are {0}, so that two types are equal exactly when their bytes are. */
typedef struct {
    DType dtype;
    uint32_t rank;
    Dim dims[MAX_RANK];
    Dim range;
} Type;

const char *dtype_name(DType dtype);
/* Bytes of one element in memory (bool is one byte, 0 or 1). */
uint32_t dtype_size(DType dtype);
DTypeClass dtype_class(DType dtype);
/* False when no element type is called so. */
bool dtype_parse(const char *text, size_t length, DType *dtype);

/* The element type in which numbers of this one are counted and added up: f32 for bf16 and f16, else the same. */
DType dtype_accumulator(DType dtype);
static inline bool dtype_is_float(DType dtype)
{
    return dtype_class(dtype) == DTYPE_CLASS_FLOAT;
}

Type type_scalar(DType dtype);
Type type_make(DType dtype, uint32_t rank, const Dim *dims);
/* The same sizes with another element type; the range is dropped. */
Type type_with(Type type, DType dtype);
/* True if it has all of its sizes: none could not be computed. */
bool type_is_whole(const Type *type);
bool type_equal(const Type *a, const Type *b);
bool type_same_shape(const Type *a, const Type *b);
/* The number of elements. */
Dim type_elements(DimTable *table, const Type *type);
/* `f32[batch, 784]`, `i32[batch] in 10`. */
void type_print(const DimTable *table, const Type *type, Text *to);
/* Reads what type_print writes; false when it is not a type. */
bool type_parse(DimTable *table, const char **at, Type *type);

#endif
