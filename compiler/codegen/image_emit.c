/* The tables as constants of a module. Each struct of nn_image.h is written field by field; LLVM lays a struct of the
 * same fields out as C does, and the assertions below notice when one gains a field. */
#include <string.h>

#include "codegen/image.h"

_Static_assert(sizeof(nn_tensor_info) == 80 && sizeof(nn_buffer) == 32 && sizeof(nn_kernel) == 56, "image layout");
_Static_assert(sizeof(nn_launch) == 20 && sizeof(nn_program) == 32 && sizeof(nn_check) == 16, "image layout");
_Static_assert(sizeof(nn_image) == 144, "image layout");

static LLVMValueRef integer(const Unit *unit, unsigned bits, int64_t value)
{
    return LLVMConstInt(LLVMIntTypeInContext(unit->vector.context, bits), (unsigned long long)value, true);
}

static LLVMValueRef null_pointer(const Unit *unit)
{
    return LLVMConstNull(LLVMPointerTypeInContext(unit->vector.context, 0));
}

static LLVMValueRef or_null(const Unit *unit, LLVMValueRef value)
{
    return value ? value : null_pointer(unit);
}

static LLVMValueRef structure(const Unit *unit, LLVMValueRef *fields, unsigned count)
{
    return LLVMConstStructInContext(unit->vector.context, fields, count, false);
}

#define STRUCT(unit, ...)                                                                                              \
    structure((unit), (LLVMValueRef[]){__VA_ARGS__},                                                                   \
              (unsigned)(sizeof((LLVMValueRef[]){__VA_ARGS__}) / sizeof(LLVMValueRef)))

static LLVMValueRef constant(const Unit *unit, LLVMValueRef initial, const char *name, unsigned align)
{
    LLVMValueRef global = LLVMAddGlobal(unit->vector.module, LLVMTypeOf(initial), name);
    LLVMSetInitializer(global, initial);
    LLVMSetGlobalConstant(global, true);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    LLVMSetAlignment(global, align);
    return global;
}

/* An array of equal structs; NULL when there are none. */
static LLVMValueRef table(const Unit *unit, LLVMValueRef *rows, uint32_t count, const char *name)
{
    if (!count) return null_pointer(unit);
    return constant(unit, LLVMConstArray2(LLVMTypeOf(rows[0]), rows, count), name, 8);
}

static LLVMValueRef text(const Unit *unit, const char *string)
{
    if (!string) return null_pointer(unit);
    LLVMContextRef context = unit->vector.context;
    return constant(unit, LLVMConstStringInContext(context, string, (unsigned)strlen(string), false), "text", 1);
}

static LLVMValueRef bytes(const Unit *unit, const void *data, size_t size, unsigned align)
{
    if (!data) return null_pointer(unit);
    return constant(unit, LLVMConstStringInContext(unit->vector.context, data, (unsigned)size, true), "data", align);
}

static LLVMValueRef u32_array(const Unit *unit, const uint32_t *numbers, uint32_t count)
{
    LLVMValueRef *items = ARENA_ARRAY(unit->arena, LLVMValueRef, count + 1);
    for (uint32_t i = 0; i < count; i++) items[i] = integer(unit, 32, numbers[i]);
    return LLVMConstArray2(LLVMInt32TypeInContext(unit->vector.context), items, count);
}

static LLVMValueRef u8_array(const Unit *unit, const uint8_t *numbers, uint32_t count)
{
    return LLVMConstStringInContext(unit->vector.context, (const char *)numbers, count, true);
}

static LLVMValueRef tensor_row(const Unit *unit, const nn_tensor_info *t)
{
    LLVMValueRef value = LLVMConstReal(LLVMDoubleTypeInContext(unit->vector.context), t->value);
    return STRUCT(unit, text(unit, t->name), text(unit, t->doc), integer(unit, 8, t->role), integer(unit, 8, t->dtype),
                  integer(unit, 8, t->rank), integer(unit, 8, t->has_range), u32_array(unit, t->dims, 12),
                  integer(unit, 32, t->range), value);
}

static LLVMValueRef buffer_row(const Unit *unit, const nn_buffer *b, size_t data_size)
{
    return STRUCT(unit, integer(unit, 8, b->kind), integer(unit, 8, b->dtype), integer(unit, 32, b->tensor),
                  integer(unit, 32, b->elements), integer(unit, 32, b->first), integer(unit, 32, b->last),
                  b->kind == NN_BUFFER_LITERAL ? bytes(unit, b->data, data_size, 64) : null_pointer(unit));
}

static LLVMValueRef kernel_row(const Unit *unit, const nn_kernel *k, const KernelCode *code)
{
    return STRUCT(unit, text(unit, k->name), integer(unit, 8, k->kind), integer(unit, 8, k->dtype),
                  integer(unit, 8, k->align), integer(unit, 8, k->n_work), integer(unit, 32, k->split),
                  u8_array(unit, k->work, sizeof k->work), or_null(unit, code->loop), or_null(unit, code->tile),
                  or_null(unit, code->contraction));
}

static LLVMValueRef launch_row(const Unit *unit, const nn_launch *l)
{
    return STRUCT(unit, integer(unit, 32, l->kernel), integer(unit, 32, l->buffers), integer(unit, 32, l->sizes),
                  integer(unit, 16, l->n_buffers), integer(unit, 16, l->n_sizes), integer(unit, 8, l->phase),
                  integer(unit, 8, l->metric), integer(unit, 16, l->line));
}

static LLVMValueRef program_row(const Unit *unit, const nn_program *p, const PlanProgram *plan)
{
    LLVMValueRef *buffers = ARENA_ARRAY(unit->arena, LLVMValueRef, p->n_buffers + 1);
    LLVMValueRef *launches = ARENA_ARRAY(unit->arena, LLVMValueRef, p->n_launches + 1);
    for (uint32_t i = 0; i < p->n_buffers; i++) {
        buffers[i] = buffer_row(unit, &p->buffers[i], plan->buffers[i].data_size);
    }
    for (uint32_t i = 0; i < p->n_launches; i++) launches[i] = launch_row(unit, &p->launches[i]);
    return STRUCT(unit, text(unit, p->name), table(unit, buffers, p->n_buffers, "buffers"),
                  table(unit, launches, p->n_launches, "launches"), integer(unit, 32, p->n_buffers),
                  integer(unit, 32, p->n_launches));
}

static LLVMValueRef check_row(const Unit *unit, const nn_check *c)
{
    return STRUCT(unit, integer(unit, 32, c->left), integer(unit, 32, c->right), text(unit, c->message));
}

/* rows[i] for i < count by a row function over an array. */
#define TABLE(to, unit, count, name, row)                                                                              \
    do {                                                                                                               \
        LLVMValueRef *rows = ARENA_ARRAY((unit)->arena, LLVMValueRef, (count) + 1);                                    \
        for (uint32_t i = 0; i < (count); i++) rows[i] = (row);                                                        \
        (to) = table((unit), rows, (count), (name));                                                                   \
    } while (0)

const char *image_symbol(CpuVariant cpu)
{
    static const char *const symbols[CPU_COUNT] = {
        [CPU_X86_64_V2] = "nn_image_x86_64_v2",
        [CPU_X86_64_V3] = "nn_image_x86_64_v3",
        [CPU_X86_64_V4] = "nn_image_x86_64_v4",
        [CPU_NATIVE] = "nn_image_native",
    };
    return symbols[cpu];
}

LLVMValueRef image_emit(Unit *unit, const Plan *plan, const ImageTables *tables, const KernelCode *code,
                        const char *micro, LLVMValueRef weights, size_t weights_size)
{
    const nn_image *image = &tables->image;
    LLVMValueRef symbols, tensors, sizes, references, kernels, programs, checks;
    TABLE(symbols, unit, image->n_symbols, "symbols", text(unit, image->symbols[i]));
    TABLE(tensors, unit, image->n_tensors, "tensors", tensor_row(unit, &image->tensors[i]));
    TABLE(sizes, unit, tables->n_size_code, "sizes", integer(unit, 64, image->size_code[i]));
    TABLE(references, unit, tables->n_references, "references", integer(unit, 32, image->references[i]));
    TABLE(kernels, unit, image->n_kernels, "kernels", kernel_row(unit, &image->kernels[i], &code[i]));
    TABLE(programs, unit, image->n_programs, "programs", program_row(unit, &image->programs[i], &plan->programs[i]));
    TABLE(checks, unit, image->n_checks, "checks", check_row(unit, &image->checks[i]));
    LLVMTypeRef pointer = LLVMPointerTypeInContext(unit->vector.context, 0);
    LLVMValueRef micro_table = LLVMAddGlobal(unit->vector.module, pointer, micro);
    LLVMSetVisibility(micro_table, LLVMHiddenVisibility);
    LLVMValueRef all = STRUCT(unit, integer(unit, 64, (int64_t)image->magic), integer(unit, 32, image->version),
                              integer(unit, 32, image->image_size), text(unit, image->name), text(unit, image->cpu),
                              text(unit, image->description), symbols, tensors, sizes, references, kernels, programs,
                              checks, micro_table, integer(unit, 32, image->n_symbols),
                              integer(unit, 32, image->n_tensors), integer(unit, 32, image->n_kernels),
                              integer(unit, 32, image->n_programs), integer(unit, 32, image->n_checks),
                              integer(unit, 32, 0), or_null(unit, weights), integer(unit, 64, (int64_t)weights_size));
    LLVMValueRef global = constant(unit, all, image_symbol(unit->vector.cpu), 8);
    LLVMSetLinkage(global, LLVMExternalLinkage);
    LLVMSetVisibility(global, LLVMHiddenVisibility);
    return global;
}
