/* What few operands need, computed out of line: a loop over the lanes would be too much code for every place that may
 * need it, and straight-line code too slow for those that do not. */
#include <assert.h>

#include "codegen/math_internal.h"

static LLVMTypeRef word(const Math *m)
{
    return vector_type(m->v, DTYPE_F64, 1);
}

/* The address of lane 0 of value `k` in an array of whole values. */
static LLVMValueRef address(const Math *m, LLVMValueRef array, LLVMValueRef lanes, uint32_t k)
{
    LLVMValueRef offset = LLVMBuildMul(m->b, lanes, LLVMConstInt(LLVMTypeOf(lanes), k, false), "");
    return LLVMBuildGEP2(m->b, word(m), array, &offset, 1, "");
}

static LLVMBasicBlockRef new_block(const Math *m, LLVMValueRef function, const char *name)
{
    return LLVMAppendBasicBlockInContext(m->v->context, function, name);
}

static void emit_lane(const Math *m, const LaneFunction *f, LLVMValueRef array, LLVMValueRef lanes, LLVMValueRef at)
{
    LLVMValueRef args[MOST_LANE_VALUES], results[MOST_LANE_VALUES], places[MOST_LANE_VALUES];
    for (uint32_t k = 0; k < MOST_LANE_VALUES; k++)
        places[k] = LLVMBuildGEP2(m->b, word(m), address(m, array, lanes, k), &at, 1, "");
    for (uint32_t k = 0; k < f->n_args; k++) args[k] = LLVMBuildLoad2(m->b, word(m), places[k], "");
    f->recipe(m, args, results);
    for (uint32_t k = 0; k < f->n_results; k++) LLVMBuildStore(m->b, results[k], places[k]);
}

/* void NAME(double values[MOST_LANE_VALUES][lanes], int64_t lanes), the arguments in and the results out. */
static LLVMTypeRef function_type(const Math *m)
{
    LLVMTypeRef types[] = {LLVMPointerTypeInContext(m->v->context, 0), LLVMInt64TypeInContext(m->v->context)};
    return LLVMFunctionType(LLVMVoidTypeInContext(m->v->context), types, 2, false);
}

static LLVMValueRef make_function(const Vector *v, const char *name, LLVMTypeRef type)
{
    LLVMValueRef function = LLVMAddFunction(v->module, name, type);
    vector_attributes(v, function);
    LLVMSetLinkage(function, LLVMInternalLinkage);
    unsigned cold = LLVMGetEnumAttributeKindForName("cold", 4); /* its callers' blocks are laid out of the way */
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateEnumAttribute(v->context, cold, 0));
    return function;
}

/* for (at = 0; at < lanes; at++) if (values[0][at] != 0) recipe */
static LLVMValueRef emit_function(const Math *vector, const LaneFunction *f)
{
    LLVMBuilderRef b = vector->b;
    LLVMBasicBlockRef caller = LLVMGetInsertBlock(b);
    LLVMValueRef function = make_function(vector->v, f->name, function_type(vector));
    LLVMValueRef array = LLVMGetParam(function, 0), lanes = LLVMGetParam(function, 1);
    Math m = math_make(vector->v, DTYPE_F64, vector_number(vector->v, DTYPE_F64, 1, 0));
    LLVMBasicBlockRef entry = new_block(&m, function, "entry"), loop = new_block(&m, function, "loop");
    LLVMBasicBlockRef lane = new_block(&m, function, "lane"), next = new_block(&m, function, "next");
    LLVMBasicBlockRef end = new_block(&m, function, "end");
    LLVMPositionBuilderAtEnd(b, entry);
    LLVMBuildBr(b, loop);
    LLVMPositionBuilderAtEnd(b, loop);
    LLVMValueRef at = LLVMBuildPhi(b, m.bits, "at"), place = LLVMBuildGEP2(b, word(&m), array, &at, 1, "");
    LLVMValueRef idle = m_eq(&m, LLVMBuildLoad2(b, word(&m), place, ""), m_num(&m, 0));
    LLVMBuildCondBr(b, idle, next, lane);
    LLVMPositionBuilderAtEnd(b, lane);
    emit_lane(&m, f, array, lanes, at);
    LLVMBuildBr(b, next);
    LLVMPositionBuilderAtEnd(b, next);
    LLVMValueRef after = LLVMBuildAdd(b, at, m_bits(&m, 1), "");
    LLVMAddIncoming(at, (LLVMValueRef[]){m_bits(&m, 0), after}, (LLVMBasicBlockRef[]){entry, next}, 2);
    LLVMBuildCondBr(b, LLVMBuildICmp(b, LLVMIntSLT, after, lanes, ""), loop, end);
    LLVMPositionBuilderAtEnd(b, end);
    LLVMBuildRetVoid(b);
    LLVMPositionBuilderAtEnd(b, caller);
    return function;
}

/* In the entry block, so that a loop does not take more of the stack at every turn. */
static LLVMValueRef stack_array(const Math *m, LLVMValueRef function, uint32_t count)
{
    LLVMBasicBlockRef here = LLVMGetInsertBlock(m->b), entry = LLVMGetEntryBasicBlock(function);
    LLVMValueRef first = LLVMGetFirstInstruction(entry);
    if (first)
        LLVMPositionBuilderBefore(m->b, first);
    else
        LLVMPositionBuilderAtEnd(m->b, entry);
    LLVMValueRef array = LLVMBuildAlloca(m->b, LLVMArrayType2(word(m), count), "lanes");
    LLVMPositionBuilderAtEnd(m->b, here);
    return array;
}

static LLVMValueRef any_lane(const Math *m, LLVMValueRef mask)
{
    if (m->lanes == 1) return mask;
    LLVMTypeRef all = LLVMIntTypeInContext(m->v->context, m->lanes);
    return LLVMBuildICmp(m->b, LLVMIntNE, LLVMBuildBitCast(m->b, mask, all, ""), LLVMConstNull(all), "");
}

static LLVMValueRef widen(const Math *m, LLVMValueRef x)
{
    LLVMTypeRef wide = vector_type(m->v, DTYPE_F64, m->lanes);
    return m->dtype == DTYPE_F64 ? x : LLVMBuildFPExt(m->b, x, wide, "");
}

static LLVMValueRef narrow(const Math *m, LLVMValueRef x)
{
    return m->dtype == DTYPE_F64 ? x : LLVMBuildFPTrunc(m->b, x, m->type, "");
}

static void call_function(const Math *m, LLVMValueRef called, const LaneFunction *f, LLVMValueRef need,
                          LLVMValueRef array, const LLVMValueRef *args, LLVMValueRef *results)
{
    LLVMValueRef lanes = LLVMConstInt(LLVMInt64TypeInContext(m->v->context), m->lanes, false);
    for (uint32_t k = 0; k < f->n_args; k++) {
        LLVMValueRef arg = k ? args[k] : m_select(m, need, args[0], m_num(m, 0));
        vector_store(m->v, DTYPE_F64, widen(m, arg), address(m, array, lanes, k), NULL);
    }
    LLVMBuildCall2(m->b, function_type(m), called, (LLVMValueRef[]){array, lanes}, 2, "");
    for (uint32_t k = 0; k < f->n_results; k++) {
        LLVMValueRef made = vector_load(m->v, DTYPE_F64, address(m, array, lanes, k), m->lanes, NULL);
        results[k] = m_select(m, need, narrow(m, made), results[k]);
    }
}

void m_rarely(const Math *m, const LaneFunction *f, LLVMValueRef need, const LLVMValueRef *args, LLVMValueRef *results)
{
    assert(f->n_args <= MOST_LANE_VALUES && f->n_results <= MOST_LANE_VALUES);
    LLVMValueRef called = LLVMGetNamedFunction(m->v->module, f->name), old[MOST_LANE_VALUES];
    if (!called) called = emit_function(m, f);
    LLVMBasicBlockRef before = LLVMGetInsertBlock(m->b);
    LLVMValueRef caller = LLVMGetBasicBlockParent(before), array = stack_array(m, caller, MOST_LANE_VALUES * m->lanes);
    LLVMBasicBlockRef rare = new_block(m, caller, "rare"), after = new_block(m, caller, "after");
    LLVMBuildCondBr(m->b, any_lane(m, need), rare, after);
    LLVMPositionBuilderAtEnd(m->b, rare);
    for (uint32_t k = 0; k < f->n_results; k++) old[k] = results[k];
    call_function(m, called, f, need, array, args, results);
    LLVMBuildBr(m->b, after);
    LLVMPositionBuilderAtEnd(m->b, after);
    for (uint32_t k = 0; k < f->n_results; k++) {
        LLVMValueRef merged = LLVMBuildPhi(m->b, m->type, "");
        LLVMAddIncoming(merged, (LLVMValueRef[]){old[k], results[k]}, (LLVMBasicBlockRef[]){before, rare}, 2);
        results[k] = merged;
    }
}
