/* Runs one kernel, given as text, three ways: compiled in the process, in parts of its split axis, and by the slow
 * evaluator of plans; and compares the results. */
#ifndef NNC_TESTS_CODEGEN_HARNESS_H
#define NNC_TESTS_CODEGEN_HARNESS_H

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/codegen.h"
#include "ir/eval.h"
#include "nn_image.h"

enum { MAX_SIZES = 8, MAX_BUFFERS = 24 };

typedef struct {
    Context *context;
    Kernel *kernel;
    Plan *plan;
    Jit *jit;
    const nn_kernel *code;
} Harness;

/* What the elements of a buffer are drawn from: floats uniformly, integers from low … high - 1. */
typedef struct {
    double low, high;
} Range;

static inline PlanBuffer harness_buffer(Harness *h, uint32_t b, const Dim *sizes)
{
    const KernelBuffer *from = &h->kernel->buffers[b];
    PlanBuffer buffer = {.dtype = from->dtype, .rank = from->rank, .role = from->read ? BUFFER_INPUT : BUFFER_RESULT};
    buffer.result = RESULT_OUTPUT;
    buffer.last_axis = NO_AXIS;
    if (from->read && from->written) buffer.role = BUFFER_PARAM;
    buffer.name = intern_format(h->context->names, "b%u", b);
    for (uint32_t d = 0; d < from->rank; d++) buffer.dims[d] = sizes[from->dims[d]];
    return buffer;
}

static inline Plan *harness_plan(Harness *h)
{
    Arena *arena = h->context->arena;
    Module *module = ARENA_NEW(arena, Module);
    module->name = intern(h->context->names, "unit");
    module->graph = graph_new(h->context);
    DimTable *dims = graph_dims(module->graph);
    Dim *sizes = ARENA_ARRAY(arena, Dim, h->kernel->n_sizes);
    for (uint32_t i = 0; i < h->kernel->n_sizes; i++) {
        Name name = intern_format(h->context->names, "s%u", i);
        bool known = h->kernel->sizes[i].known;
        sizes[i] = known ? dim_constant(dims, h->kernel->sizes[i].value) : dim_symbol(dims, name);
    }
    PlanProgram *program = ARENA_NEW(arena, PlanProgram);
    program->name = intern(h->context->names, "step");
    program->n_buffers = h->kernel->n_buffers;
    program->buffers = ARENA_ARRAY(arena, PlanBuffer, program->n_buffers);
    uint32_t *buffers = ARENA_ARRAY(arena, uint32_t, program->n_buffers);
    for (uint32_t i = 0; i < program->n_buffers; i++) {
        program->buffers[i] = harness_buffer(h, i, sizes);
        buffers[i] = i;
    }
    program->n_launches = 1;
    program->launches = ARENA_NEW(arena, Launch);
    *program->launches = (Launch){.kernel = 0, .buffers = buffers, .sizes = sizes};
    Plan *plan = ARENA_NEW(arena, Plan);
    Kernel **kernels = ARENA_NEW(arena, Kernel *);
    kernels[0] = h->kernel;
    *plan = (Plan){module, kernels, program, 1, 1};
    return plan;
}

static inline Harness harness_new(const char *text, const char *cpu)
{
    Harness h = {.context = context_new()};
    const char *error = NULL;
    h.kernel = kernel_read(h.context, &text, &error);
    cr_assert(h.kernel, "%s", error);
    const char *wrong = kernel_verify(h.context, h.kernel);
    cr_assert(!wrong, "%s", wrong);
    h.plan = harness_plan(&h);
    CodegenOptions options = {.cpu = cpu, .level = 1, .threads = 1};
    h.jit = jit_compile(h.context, h.plan, &options);
    if (!h.jit) {
        Text shown = {0};
        diagnostics_print(h.context->diagnostics, &shown);
        cr_assert(false, "%s", text_get(&shown));
    }
    h.code = &jit_image(h.jit)->kernels[0];
    return h;
}

static inline void harness_free(Harness *h)
{
    jit_free(h->jit);
    graph_free(h->plan->module->graph);
    context_free(h->context);
}

static inline int64_t harness_count(const Harness *h, uint32_t buffer, const int64_t *sizes)
{
    int64_t count = 1;
    for (uint32_t d = 0; d < h->kernel->buffers[buffer].rank; d++) count *= sizes[h->kernel->buffers[buffer].dims[d]];
    return count;
}

static inline uint64_t harness_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Elements of a buffer: drawn when the kernel reads it, else zero. With a red zone of 64 bytes at each end. */
static inline char *harness_fill(const Harness *h, uint32_t buffer, int64_t count, Range range, uint64_t seed)
{
    DType dtype = h->kernel->buffers[buffer].dtype;
    char *memory = malloc((size_t)count * dtype_size(dtype) + 128);
    memset(memory, 0x5a, (size_t)count * dtype_size(dtype) + 128);
    for (int64_t i = 0; i < count; i++) {
        double unit = (double)harness_random(&seed) / 2147483648.0;
        double value = range.low + unit * (range.high - range.low);
        if (dtype_class(dtype) != DTYPE_CLASS_FLOAT) value = floor(value);
        if (!h->kernel->buffers[buffer].read) value = 0;
        dtype_store(dtype, memory + 64 + (size_t)i * dtype_size(dtype), &value, 1);
    }
    return memory;
}

static inline void harness_red_zone(const Harness *h, uint32_t buffer, int64_t count, const char *memory)
{
    size_t size = (size_t)count * dtype_size(h->kernel->buffers[buffer].dtype);
    for (size_t i = 0; i < 64; i++) {
        cr_assert_eq(memory[i], 0x5a, "buffer %u: written before its start", buffer);
        cr_assert_eq(memory[64 + size + i], 0x5a, "buffer %u: written behind its end", buffer);
    }
}

typedef struct {
    const Harness *h;
    const int64_t *sizes;
} SizeLookup;

static inline bool harness_size(void *data, Name symbol, int64_t *value)
{
    const SizeLookup *lookup = data;
    *value = lookup->sizes[atoi(symbol + 1)];
    return true;
}

/* Runs the compiled loop in parts of at most `chunk` (a multiple of the alignment; 0: all at once), last part first.
 * Gives what was left in the error. */
static inline int64_t harness_loop(const Harness *h, const int64_t *sizes, char *const *memory, int64_t chunk)
{
    void *buffers[MAX_BUFFERS];
    int64_t error = 0;
    for (uint32_t b = 0; b < h->kernel->n_buffers; b++) buffers[b] = memory[b] + 64;
    nn_kernel_args args = {buffers, sizes, 42, 7, &error};
    cr_assert_eq(h->code->kind, NN_KERNEL_LOOP);
    if (h->code->split < 0) {
        h->code->loop(&args, 0, 1);
        return error;
    }
    int64_t extent = sizes[h->code->split];
    if (!chunk) chunk = extent;
    chunk = (chunk + h->code->align - 1) / h->code->align * h->code->align;
    for (int64_t part = extent ? (extent - 1) / chunk + 1 : 0; part-- > 0;) {
        int64_t end = (part + 1) * chunk;
        h->code->loop(&args, part * chunk, end < extent ? end : extent);
    }
    return error;
}

static inline void harness_compare(const Harness *h, uint32_t buffer, int64_t count, const char *got, const char *want,
                                   double tolerance)
{
    DType dtype = h->kernel->buffers[buffer].dtype;
    size_t size = dtype_size(dtype);
    for (int64_t i = 0; i < count; i++) {
        double a, b;
        dtype_load(dtype, &a, got + 64 + (size_t)i * size, 1);
        dtype_load(dtype, &b, want + 64 + (size_t)i * size, 1);
        bool same = a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance * (1 + fabs(b));
        cr_assert(same, "%s: buffer %u, element %lld of %lld: %.9g, expected %.9g", h->kernel->name, buffer,
                  (long long)i, (long long)count, a, b);
    }
}

/* Compares all ways of running for some sizes. ranges: per buffer. The error that must be reported (0: none). */
static inline void harness_check(const Harness *h, const int64_t *sizes, const Range *ranges, double tolerance,
                                 int64_t error)
{
    char *got[MAX_BUFFERS], *split[MAX_BUFFERS], *want[MAX_BUFFERS];
    void *reference[MAX_BUFFERS];
    int64_t counts[MAX_BUFFERS];
    uint32_t n = h->kernel->n_buffers;
    for (uint32_t b = 0; b < n; b++) {
        counts[b] = harness_count(h, b, sizes);
        got[b] = harness_fill(h, b, counts[b], ranges[b], b + 1);
        split[b] = harness_fill(h, b, counts[b], ranges[b], b + 1);
        want[b] = harness_fill(h, b, counts[b], ranges[b], b + 1);
        reference[b] = want[b] + 64;
    }
    cr_assert_eq(harness_loop(h, sizes, got, 0), error);
    cr_assert_eq(harness_loop(h, sizes, split, 3), error);
    const char *message = NULL;
    SizeLookup lookup = {h, sizes};
    bool good =
        plan_evaluate(h->context, h->plan, h->plan->programs, reference, harness_size, &lookup, 42, 7, &message);
    cr_assert(good == !error, "%s", message);
    for (uint32_t b = 0; b < n; b++) {
        harness_red_zone(h, b, counts[b], got[b]);
        size_t bytes = (size_t)counts[b] * dtype_size(h->kernel->buffers[b].dtype);
        cr_assert(!memcmp(got[b], split[b], bytes + 128), "%s: buffer %u depends on the split", h->kernel->name, b);
        if (!error) harness_compare(h, b, counts[b], got[b], want[b], tolerance);
        free(got[b]);
        free(split[b]);
        free(want[b]);
    }
}

#endif
