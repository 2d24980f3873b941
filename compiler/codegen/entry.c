/* The functions that a compiled model exports: thin calls of the run time's core, named after the model. */
#include <string.h>

#include "codegen/image.h"
#include "nn.h"

/* A function being emitted: `name` of the model calls `target` of the core. */
typedef struct {
    Unit *unit;
    LLVMTypeRef pointer, i64, i32, f64, nothing;
    const Module *module;
    LLVMValueRef images; /* an array of pointers, the best first */
    unsigned n_images;
} Entry;

static LLVMValueRef export_function(const Entry *entry, const char *name, LLVMTypeRef type)
{
    LLVMValueRef function = LLVMAddFunction(entry->unit->vector.module, name, type);
    vector_attributes(&entry->unit->vector, function);
    LLVMBasicBlockRef block = LLVMAppendBasicBlockInContext(entry->unit->vector.context, function, "entry");
    LLVMPositionBuilderAtEnd(entry->unit->vector.builder, block);
    return function;
}

/* return target(args…), where `result` is the type of both. */
static void call_and_return(const Entry *entry, LLVMTypeRef result, const char *target, LLVMValueRef *args,
                            unsigned count)
{
    LLVMModuleRef module = entry->unit->vector.module;
    LLVMTypeRef types[8];
    for (unsigned i = 0; i < count; i++) types[i] = LLVMTypeOf(args[i]);
    LLVMTypeRef type = LLVMFunctionType(result, types, count, false);
    LLVMValueRef callee = LLVMGetNamedFunction(module, target);
    if (!callee) {
        callee = LLVMAddFunction(module, target, type);
        LLVMSetVisibility(callee, LLVMHiddenVisibility);
    }
    LLVMValueRef value = LLVMBuildCall2(entry->unit->vector.builder, type, callee, args, count, "");
    if (result == entry->nothing)
        LLVMBuildRetVoid(entry->unit->vector.builder);
    else
        LLVMBuildRet(entry->unit->vector.builder, value);
}

/* nn_image_choose(images, count) */
static LLVMValueRef choose_image(const Entry *entry)
{
    static const char target[] = "nn_image_choose";
    LLVMModuleRef module = entry->unit->vector.module;
    LLVMTypeRef type = LLVMFunctionType(entry->pointer, (LLVMTypeRef[]){entry->pointer, entry->i64}, 2, false);
    LLVMValueRef callee = LLVMGetNamedFunction(module, target);
    if (!callee) {
        callee = LLVMAddFunction(module, target, type);
        LLVMSetVisibility(callee, LLVMHiddenVisibility);
    }
    LLVMValueRef args[] = {entry->images, LLVMConstInt(entry->i64, entry->n_images, false)};
    return LLVMBuildCall2(entry->unit->vector.builder, type, callee, args, 2, "");
}

/* What a forwarded call passes: its own parameters in order, or something fixed in between. */
typedef enum {
    PASS_END,
    PASS_POINTER,
    PASS_COUNT,
    PASS_SEED,
    PASS_NUMBER,
    FIXED_NULL,
    FIXED_IMAGE,
    FIXED_ZERO,
    FIXED_ZERO_COUNT,
    FIXED_F32,
    FIXED_I64,
    FIXED_I32
} Passed;

typedef struct {
    const char *suffix, *target;
    char result; /* i: int, p: pointer, v: nothing */
    Passed passes[6];
} Forward;

static const Forward forwards[] = {
    {"message", "nn_message", 'p', {PASS_END}},
    {"params_new", "nn_params_from_image", 'i', {FIXED_IMAGE, FIXED_NULL, FIXED_ZERO_COUNT, PASS_SEED, PASS_POINTER}},
    {"params_free", "nn_params_free", 'v', {PASS_POINTER}},
    {"params_load", "nn_params_load", 'i', {PASS_POINTER, PASS_POINTER, FIXED_ZERO}},
    {"params_save", "nn_params_save", 'i', {PASS_POINTER, PASS_POINTER}},
    {"params_load_memory", "nn_params_load_memory", 'i', {PASS_POINTER, PASS_POINTER, PASS_COUNT, FIXED_ZERO}},
    {"params_save_memory", "nn_params_save_memory", 'i', {PASS_POINTER, PASS_POINTER, PASS_COUNT, PASS_POINTER}},
    {"params_get", "nn_params_get", 'i', {PASS_POINTER, PASS_POINTER, FIXED_F32, PASS_POINTER, PASS_COUNT}},
    {"params_set", "nn_params_set", 'i', {PASS_POINTER, PASS_POINTER, FIXED_F32, PASS_POINTER, PASS_COUNT}},
    {"params_get_i64", "nn_params_get", 'i', {PASS_POINTER, PASS_POINTER, FIXED_I64, PASS_POINTER, PASS_COUNT}},
    {"params_set_i64", "nn_params_set", 'i', {PASS_POINTER, PASS_POINTER, FIXED_I64, PASS_POINTER, PASS_COUNT}},
    {"set", "nn_params_set_setting", 'i', {PASS_POINTER, PASS_POINTER, PASS_NUMBER}},
    {"session_new", "nn_session_new", 'i', {PASS_POINTER, FIXED_NULL, PASS_POINTER}},
    {"session_free", "nn_session_free", 'v', {PASS_POINTER}},
    {"session_reset", "nn_session_reset", 'i', {PASS_POINTER}},
    {"session_set", "nn_session_set", 'i', {PASS_POINTER, PASS_POINTER, FIXED_F32, PASS_POINTER, PASS_COUNT}},
    {"session_set_i64", "nn_session_set", 'i', {PASS_POINTER, PASS_POINTER, FIXED_I64, PASS_POINTER, PASS_COUNT}},
    {"get", "nn_session_get", 'i', {PASS_POINTER, PASS_POINTER, FIXED_F32, PASS_POINTER, PASS_COUNT}},
    {"get_i64", "nn_session_get", 'i', {PASS_POINTER, PASS_POINTER, FIXED_I64, PASS_POINTER, PASS_COUNT}},
    {"get_i32", "nn_session_get", 'i', {PASS_POINTER, PASS_POINTER, FIXED_I32, PASS_POINTER, PASS_COUNT}},
};

/* Only models with a training form have these. */
static const Forward learning[] = {
    {"backward", "nn_session_backward", 'i', {PASS_POINTER}},
    {"update", "nn_session_update", 'i', {PASS_POINTER}},
};

static LLVMTypeRef pass_type(const Entry *entry, Passed pass)
{
    if (pass == PASS_POINTER) return entry->pointer;
    return pass == PASS_NUMBER ? entry->f64 : entry->i64;
}

static LLVMValueRef fixed_value(const Entry *entry, Passed pass)
{
    switch (pass) {
    case FIXED_IMAGE:
        return choose_image(entry);
    case FIXED_ZERO:
        return LLVMConstInt(entry->i32, 0, false);
    case FIXED_ZERO_COUNT:
        return LLVMConstInt(entry->i64, 0, false);
    case FIXED_F32:
        return LLVMConstInt(entry->i32, NN_TYPE_F32, false);
    case FIXED_I64:
        return LLVMConstInt(entry->i32, NN_TYPE_I64, false);
    case FIXED_I32:
        return LLVMConstInt(entry->i32, NN_TYPE_I32, false);
    default:
        return LLVMConstNull(entry->pointer);
    }
}

static void emit_forward(const Entry *entry, const Forward *forward)
{
    LLVMTypeRef result = forward->result == 'i' ? entry->i32 : forward->result == 'p' ? entry->pointer : entry->nothing;
    LLVMTypeRef types[6];
    LLVMValueRef args[6];
    unsigned n_types = 0, n_args = 0;
    for (const Passed *pass = forward->passes; *pass; pass++) {
        if (*pass < FIXED_NULL) types[n_types++] = pass_type(entry, *pass);
    }
    const char *name = arena_format(entry->unit->arena, "%s_%s", entry->module->name, forward->suffix);
    LLVMValueRef function = export_function(entry, name, LLVMFunctionType(result, types, n_types, false));
    unsigned next = 0;
    for (const Passed *pass = forward->passes; *pass; pass++) {
        args[n_args++] = *pass < FIXED_NULL ? LLVMGetParam(function, next++) : fixed_value(entry, *pass);
    }
    call_and_return(entry, result, forward->target, args, n_args);
}

/* An array on the stack that holds `count` parameters from the `first` on. */
static LLVMValueRef pack_parameters(const Entry *entry, LLVMValueRef function, LLVMTypeRef type, unsigned first,
                                    unsigned count)
{
    LLVMBuilderRef builder = entry->unit->vector.builder;
    LLVMValueRef array = LLVMBuildAlloca(builder, LLVMArrayType2(type, count + 1), "");
    for (unsigned i = 0; i < count; i++) {
        LLVMValueRef at = LLVMConstInt(entry->i64, i, false);
        LLVMBuildStore(builder, LLVMGetParam(function, first + i), LLVMBuildGEP2(builder, type, array, &at, 1, ""));
    }
    return array;
}

/* forward and step: session, free sizes, inputs and targets, and one more parameter. */
static void emit_run(const Entry *entry, const char *suffix, const char *target, LLVMTypeRef last)
{
    unsigned n_dims = entry->module->n_dims, n_inputs = entry->module->n_inputs, count = 0;
    LLVMTypeRef *types = ARENA_ARRAY(entry->unit->arena, LLVMTypeRef, n_dims + n_inputs + 2);
    types[count++] = entry->pointer;
    for (unsigned i = 0; i < n_dims; i++) types[count++] = entry->i64;
    for (unsigned i = 0; i < n_inputs; i++) types[count++] = entry->pointer;
    types[count++] = last;
    const char *name = arena_format(entry->unit->arena, "%s_%s", entry->module->name, suffix);
    LLVMValueRef function = export_function(entry, name, LLVMFunctionType(entry->i32, types, count, false));
    LLVMValueRef args[] = {LLVMGetParam(function, 0),
                           pack_parameters(entry, function, entry->i64, 1, n_dims),
                           LLVMConstInt(entry->i64, n_dims, false),
                           pack_parameters(entry, function, entry->pointer, 1 + n_dims, n_inputs),
                           LLVMConstInt(entry->i64, n_inputs, false),
                           LLVMGetParam(function, count - 1)};
    call_and_return(entry, entry->i32, target, args, 6);
}

static LLVMValueRef emit_images(Unit *unit, LLVMTypeRef pointer, LLVMValueRef *images, unsigned n_images)
{
    LLVMValueRef array = LLVMConstArray2(pointer, images, n_images);
    LLVMValueRef global = LLVMAddGlobal(unit->vector.module, LLVMTypeOf(array), "images");
    LLVMSetInitializer(global, array);
    LLVMSetGlobalConstant(global, true);
    LLVMSetLinkage(global, LLVMPrivateLinkage);
    return global;
}

void entry_emit(Unit *unit, const Module *module, LLVMValueRef *images, unsigned n_images)
{
    LLVMContextRef context = unit->vector.context;
    Entry entry = {.unit = unit,
                   .pointer = LLVMPointerTypeInContext(context, 0),
                   .i64 = LLVMInt64TypeInContext(context),
                   .i32 = LLVMInt32TypeInContext(context),
                   .f64 = LLVMDoubleTypeInContext(context),
                   .nothing = LLVMVoidTypeInContext(context),
                   .module = module,
                   .n_images = n_images};
    entry.images = emit_images(unit, entry.pointer, images, n_images);
    for (size_t i = 0; i < sizeof forwards / sizeof *forwards; i++) emit_forward(&entry, &forwards[i]);
    emit_run(&entry, "forward", "nn_session_forward", entry.i32);
    if (module_function(module, "training")) {
        for (size_t i = 0; i < sizeof learning / sizeof *learning; i++) emit_forward(&entry, &learning[i]);
        emit_run(&entry, "step", "nn_session_step", entry.pointer);
    }
    LLVMValueRef way_in = export_function(&entry, NN_IMAGE_ENTRY, LLVMFunctionType(entry.pointer, NULL, 0, false));
    LLVMSetLinkage(way_in, LLVMWeakAnyLinkage); /* several models may be linked into one program */
    LLVMBuildRet(unit->vector.builder, choose_image(&entry));
}
