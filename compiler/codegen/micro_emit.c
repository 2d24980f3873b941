/* Which micro kernels exist, and the table of them as a constant in the layout of nn_micro_kernels. */
#include <stdio.h>
#include <string.h>

#include "codegen/micro_internal.h"

/* Most rows of a tile of 1 … 4 vectors: sums, one row of B and one splat of A must fit the registers (32 with 16 lanes,
 * else 16; without fma each product takes one more). */
static const int heights[3][NN_MICRO_WIDTHS] = {{8, 5, 3, 2}, {12, 6, 4, 2}, {16, 12, 9, 6}};
static const int row_vectors[3][NN_MICRO_ROWS] = {{12, 8, 6}, {12, 8, 6}, {24, 16, 8}};

typedef struct {
    Vector *v;
    LLVMTypeRef i32, pointer;
    LLVMValueRef none;
} Table;

static LLVMValueRef table_i32(const Table *t, int number)
{
    return LLVMConstInt(t->i32, (uint64_t)number, false);
}

static LLVMValueRef table_i32s(const Table *t, const int *numbers, uint32_t n)
{
    LLVMValueRef items[NN_MICRO_WIDTHS];
    for (uint32_t i = 0; i < n; i++) items[i] = table_i32(t, numbers[i]);
    return LLVMConstArray2(t->i32, items, n);
}

static LLVMValueRef table_tiles(const Table *t, DType dtype, const int *height, bool along_k)
{
    LLVMValueRef widths[NN_MICRO_WIDTHS], rows[NN_MICRO_HEIGHTS];
    for (uint32_t j = 0; j < NN_MICRO_WIDTHS; j++) {
        for (uint32_t i = 0; i < NN_MICRO_HEIGHTS; i++)
            rows[i] = (int)i < height[j] ? micro_tile(t->v, dtype, i + 1, j + 1, along_k) : t->none;
        widths[j] = LLVMConstArray2(t->pointer, rows, NN_MICRO_HEIGHTS);
    }
    return LLVMConstArray2(LLVMTypeOf(widths[0]), widths, NN_MICRO_WIDTHS);
}

static LLVMValueRef table_constant(const Table *t, const char *name, LLVMValueRef value)
{
    LLVMValueRef global = LLVMAddGlobal(t->v->module, LLVMTypeOf(value), name);
    LLVMSetInitializer(global, value);
    LLVMSetGlobalConstant(global, true);
    LLVMSetLinkage(global, LLVMInternalLinkage);
    char section[80];
    snprintf(section, sizeof section, ".data.rel.ro.%s", name);
    LLVMSetSection(global, section);
    return global;
}

/* The fields of nn_micro_shapes, in their order. */
static LLVMValueRef table_shapes(const Table *t, DType dtype)
{
    Vector *v = t->v;
    int level = v->lanes == 16 ? 2 : v->lanes == 8 ? 1 : 0;
    const int *height = heights[level], *wide = row_vectors[level];
    LLVMValueRef row[NN_MICRO_ROWS];
    for (uint32_t i = 0; i < NN_MICRO_ROWS; i++) row[i] = micro_tile(v, dtype, 1, (uint32_t)wide[i], true);
    int size = dtype == DTYPE_F64 ? 8 : 4;
    LLVMValueRef fields[] = {table_i32(t, size),
                             table_i32(t, (int)v->lanes * 4 / size),
                             table_i32s(t, height, NN_MICRO_WIDTHS),
                             table_i32(t, !v->has_masks),
                             table_tiles(t, dtype, height, true),
                             table_tiles(t, dtype, height, false),
                             table_i32s(t, wide, NN_MICRO_ROWS),
                             LLVMConstArray2(t->pointer, row, NN_MICRO_ROWS),
                             micro_dot(v, dtype),
                             micro_transpose(v, dtype),
                             micro_copy(v, dtype),
                             micro_add(v, dtype)};
    LLVMValueRef value = LLVMConstStructInContext(v->context, fields, sizeof fields / sizeof *fields, false);
    return table_constant(t, dtype == DTYPE_F64 ? "shapes_f64" : "shapes_f32", value);
}

/* One nn_micro_kernels; shapes may be NULL. */
static void table_emit(const Table *t, const char *name, LLVMValueRef cpu, LLVMValueRef f32, LLVMValueRef f64)
{
    LLVMValueRef fields[] = {cpu, f32, f64};
    LLVMValueRef table = table_constant(t, name, LLVMConstStructInContext(t->v->context, fields, 3, false));
    LLVMSetLinkage(table, LLVMExternalLinkage);
    LLVMSetVisibility(table, LLVMHiddenVisibility);
}

void micro_emit(Vector *v)
{
    LLVMTypeRef pointer = LLVMPointerTypeInContext(v->context, 0);
    Table t = {v, LLVMInt32TypeInContext(v->context), pointer, LLVMConstNull(pointer)};
    const char *name = cpu_name(v->cpu);
    LLVMValueRef text = LLVMConstStringInContext2(v->context, name, strlen(name), false);
    LLVMValueRef cpu = table_constant(&t, "cpu", text);
    LLVMValueRef f32 = table_shapes(&t, DTYPE_F32), f64 = table_shapes(&t, DTYPE_F64);
    table_emit(&t, micro_symbol(v->cpu), cpu, f32, f64);
    table_emit(&t, micro_symbol_f32(v->cpu), cpu, f32, t.none);
}

const char *micro_symbol(CpuVariant cpu)
{
    switch (cpu == CPU_NATIVE ? cpu_best() : cpu) {
    case CPU_X86_64_V4:
        return "nn_micro_x86_64_v4";
    case CPU_X86_64_V3:
        return "nn_micro_x86_64_v3";
    default:
        return "nn_micro_x86_64_v2";
    }
}

const char *micro_symbol_f32(CpuVariant cpu)
{
    switch (cpu == CPU_NATIVE ? cpu_best() : cpu) {
    case CPU_X86_64_V4:
        return "nn_micro_x86_64_v4_f32";
    case CPU_X86_64_V3:
        return "nn_micro_x86_64_v3_f32";
    default:
        return "nn_micro_x86_64_v2_f32";
    }
}
