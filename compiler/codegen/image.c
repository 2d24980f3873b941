#include "codegen/image.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/loop.h"
#include "ir/condition.h"
#include "support/name_map.h"
#include "support/vector.h"

typedef struct {
    Context *context;
    const Plan *plan;
    DimTable *dims;
    Vec(nn_tensor_info) tensors;
    NameMap tensor_of; /* by name, role and the program that alone has it (owner; NULL for the model's own) */
    Vec(int64_t) code;
    Vec(uint32_t) code_at; /* by the id of a size: 1 + where its code begins; 0: it has none */
    Vec(uint32_t) references;
    Vec(Name) symbols;
    NameMap number_of; /* a symbol's */
} Builder;

/* ---- Sizes ---- */

static int64_t symbol_number(Builder *b, Name name)
{
    uintptr_t found = name_map_get(&b->number_of, (NameKey){.name = name});
    if (found != NAME_MAP_NONE) return (int64_t)found;
    name_map_put(b->context->arena, &b->number_of, (NameKey){.name = name}, b->symbols.count);
    vec_push(&b->symbols, name);
    return (int64_t)b->symbols.count - 1;
}

static void put_step(void *data, DimStep step, int64_t constant, Name symbol)
{
    static const int64_t codes[] = {
        [DIM_PUSH_CONSTANT] = NN_SIZE_CONSTANT,
        [DIM_PUSH_SYMBOL] = NN_SIZE_SYMBOL,
#define DIM_OP(id, spelling, prefix, function, whole) [DIM_OP_##id] = NN_SIZE_##id,
#include "ir/dim_ops.def"
#undef DIM_OP
    };
    Builder *b = data;
    int64_t operand = step == DIM_PUSH_SYMBOL ? symbol_number(b, symbol) : constant;
    vec_push(&b->code, codes[step]);
    vec_push(&b->code, operand);
}

static uint32_t size_code(Builder *b, Dim dim)
{
    while (b->code_at.count <= dim.id) vec_push(&b->code_at, 0);
    if (b->code_at.at[dim.id]) return b->code_at.at[dim.id] - 1;
    uint32_t at = (uint32_t)b->code.count;
    dim_postfix(b->dims, dim, put_step, b);
    vec_push(&b->code, NN_SIZE_END);
    vec_push(&b->code, 0);
    b->code_at.at[dim.id] = at + 1;
    return at;
}

/* ---- Tensors ---- */

/* UINT32_MAX when there is none. */
static uint32_t find_tensor(const Builder *b, uint8_t role, Name name, Name owner)
{
    uintptr_t found = name_map_get(&b->tensor_of, (NameKey){name, owner, role, 0});
    return found == NAME_MAP_NONE ? UINT32_MAX : (uint32_t)found;
}

static uint32_t add_tensor(Builder *b, const nn_tensor_info *tensor, Name owner)
{
    uint32_t index = (uint32_t)b->tensors.count;
    name_map_put(b->context->arena, &b->tensor_of, (NameKey){tensor->name, owner, tensor->role, 0}, index);
    vec_push(&b->tensors, *tensor);
    return index;
}

static void set_shape(Builder *b, nn_tensor_info *tensor, DType dtype, uint32_t rank, const Dim *dims)
{
    tensor->dtype = (uint8_t)dtype;
    tensor->rank = (uint8_t)rank;
    for (uint32_t i = 0; i < rank; i++) tensor->dims[i] = size_code(b, dims[i]);
}

static uint8_t declared_role(const NodeInfo *info)
{
    switch (info->op) {
    case OP_INPUT:
        return NN_INPUT;
    case OP_TARGET:
        return NN_TARGET;
    case OP_PARAM:
        return NN_PARAM;
    case OP_SETTING:
        return NN_SETTING;
    default:
        return strncmp(info->attr.name, "optimizer/", 10) ? NN_STATE : NN_OPTIMIZER_STATE;
    }
}

static void add_declared(Builder *b, const Declared *declared, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const NodeInfo *info = graph_node(b->plan->module->graph, declared[i].node);
        nn_tensor_info tensor = {.name = info->attr.name, .doc = declared[i].doc, .role = declared_role(info)};
        if (info->op == OP_SETTING) tensor.value = info->attr.number;
        set_shape(b, &tensor, info->type.dtype, info->type.rank, info->type.dims);
        if (!dim_is_none(info->type.range)) {
            tensor.has_range = 1;
            tensor.range = size_code(b, info->type.range);
        }
        add_tensor(b, &tensor, NULL);
    }
}

static uint8_t result_role(ResultRole role)
{
    switch (role) {
    case RESULT_OUTPUT:
        return NN_OUTPUT;
    case RESULT_LOSS:
        return NN_LOSS;
    case RESULT_METRIC:
        return NN_METRIC;
    case RESULT_GRADIENT:
        return NN_GRADIENT;
    default:
        return NN_VALUE;
    }
}

/* The programs whose inputs are the model's; see nn_program. */
static bool is_own_program(const char *name)
{
    static const char *const own[] = {"initialise", "inference", "training", "step", "accumulate"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (!strcmp(name, own[i])) return true;
    }
    return false;
}

static uint8_t buffer_role(const PlanBuffer *buffer)
{
    switch (buffer->role) {
    case BUFFER_INPUT:
        return NN_INPUT;
    case BUFFER_PARAM:
        return NN_PARAM;
    case BUFFER_STATE:
        return strncmp(buffer->name, "optimizer/", 10) ? NN_STATE : NN_OPTIMIZER_STATE;
    case BUFFER_SETTING:
        return NN_SETTING;
    default:
        return result_role(buffer->result);
    }
}

/* The image's row for what a buffer holds; a new one for what the model does not declare. */
static uint32_t buffer_tensor(Builder *b, const PlanProgram *program, const PlanBuffer *buffer)
{
    uint8_t role = buffer_role(buffer);
    bool foreign = role == NN_INPUT && !is_own_program(program->name);
    Name owner = foreign ? program->name : NULL;
    if (foreign) role = NN_SOURCE;
    uint32_t found = find_tensor(b, role, buffer->name, owner);
    if (found == UINT32_MAX && role == NN_INPUT && !foreign) found = find_tensor(b, NN_TARGET, buffer->name, NULL);
    if (found != UINT32_MAX) return found;
    nn_tensor_info tensor = {.name = buffer->name, .role = role};
    set_shape(b, &tensor, buffer->dtype, buffer->rank, buffer->dims);
    return add_tensor(b, &tensor, owner);
}

/* ---- Programs ---- */

static nn_buffer make_buffer(Builder *b, const PlanProgram *program, const PlanBuffer *from)
{
    nn_buffer buffer = {.kind = NN_BUFFER_TENSOR,
                        .dtype = (uint8_t)from->dtype,
                        .first = from->first,
                        .last = from->last,
                        .data = from->data};
    buffer.elements = size_code(b, dim_product(b->dims, from->dims, from->rank));
    if (from->role == BUFFER_LITERAL)
        buffer.kind = NN_BUFFER_LITERAL;
    else if (from->role == BUFFER_TEMPORARY)
        buffer.kind = NN_BUFFER_TEMPORARY;
    else
        buffer.tensor = buffer_tensor(b, program, from);
    return buffer;
}

static uint16_t source_line(const Builder *b, Node node)
{
    const Span *places;
    Place place;
    if (node_is_none(node) || !graph_places(b->plan->module->graph, node, &places)) return 0;
    if (!source_place(b->context->sources, places[0].start, &place) || place.line > UINT16_MAX) return 0;
    return (uint16_t)place.line;
}

static nn_launch make_launch(Builder *b, const Launch *from)
{
    static const uint8_t phases[] = {
        [PHASE_FORWARD] = NN_FORWARD, [PHASE_BACKWARD] = NN_BACKWARD, [PHASE_UPDATE] = NN_UPDATE};
    const Kernel *kernel = b->plan->kernels[from->kernel];
    nn_launch launch = {.kernel = from->kernel,
                        .phase = phases[from->phase],
                        .metric = from->metric,
                        .line = source_line(b, from->node)};
    launch.n_buffers = (uint16_t)kernel->n_buffers;
    launch.n_sizes = (uint16_t)kernel->n_sizes;
    launch.buffers = (uint32_t)b->references.count;
    for (uint32_t i = 0; i < kernel->n_buffers; i++) vec_push(&b->references, from->buffers[i]);
    launch.sizes = (uint32_t)b->references.count;
    for (uint32_t i = 0; i < kernel->n_sizes; i++) {
        uint32_t code = size_code(b, from->sizes[i]);
        vec_push(&b->references, code);
    }
    return launch;
}

static nn_program make_program(Builder *b, const PlanProgram *from)
{
    Arena *arena = b->context->arena;
    nn_buffer *buffers = ARENA_ARRAY(arena, nn_buffer, from->n_buffers + 1);
    nn_launch *launches = ARENA_ARRAY(arena, nn_launch, from->n_launches + 1);
    for (uint32_t i = 0; i < from->n_buffers; i++) buffers[i] = make_buffer(b, from, &from->buffers[i]);
    for (uint32_t i = 0; i < from->n_launches; i++) launches[i] = make_launch(b, &from->launches[i]);
    return (nn_program){from->name, buffers, launches, from->n_buffers, from->n_launches};
}

static nn_kernel *make_kernels(const Builder *b)
{
    Arena *arena = b->context->arena;
    nn_kernel *kernels = ARENA_ARRAY(arena, nn_kernel, b->plan->n_kernels + 1);
    for (uint32_t i = 0; i < b->plan->n_kernels; i++) {
        kernel_describe(b->plan->kernels[i], &kernels[i]);
        kernels[i].name = b->plan->kernels[i]->name ? b->plan->kernels[i]->name : "kernel";
    }
    return kernels;
}

static int64_t condition_code(Op op)
{
    switch (op) {
    case OP_ADD:
        return NN_SIZE_ADD;
    case OP_MUL:
        return NN_SIZE_MUL;
    case OP_DIV:
        return NN_SIZE_DIV;
    case OP_FLOOR_DIV:
        return NN_SIZE_FLOOR_DIV;
    case OP_MOD:
        return NN_SIZE_MOD;
    case OP_MAX:
        return NN_SIZE_MAX;
    case OP_MIN:
        return NN_SIZE_MIN;
    case OP_SELECT:
        return NN_SIZE_SELECT;
    case OP_EQ:
        return NN_SIZE_EQ;
    case OP_NE:
        return NN_SIZE_NE;
    case OP_LT:
        return NN_SIZE_LT;
    case OP_LE:
        return NN_SIZE_LE;
    case OP_AND:
        return NN_SIZE_AND;
    case OP_OR:
        return NN_SIZE_OR;
    default:
        assert(op == OP_NOT);
        return NN_SIZE_NOT;
    }
}

static void put_condition_step(void *data, ConditionStep step)
{
    Builder *b = data;
    if (step.op == OP_SIZE) {
        dim_postfix(b->dims, step.size, put_step, b);
    } else if (step.op == OP_SETTING) {
        vec_push(&b->code, NN_SIZE_SETTING);
        vec_push(&b->code, find_tensor(b, NN_SETTING, step.setting, NULL));
    } else if (step.op == OP_CONST && step.fraction) {
        int64_t bits;
        memcpy(&bits, &step.real, sizeof bits);
        vec_push(&b->code, NN_SIZE_REAL);
        vec_push(&b->code, bits);
    } else if (step.op == OP_CAST) {
        vec_push(&b->code, NN_SIZE_ROUND);
        vec_push(&b->code, step.dtype);
    } else {
        vec_push(&b->code, step.op == OP_CONST ? NN_SIZE_CONSTANT : condition_code(step.op));
        vec_push(&b->code, step.number);
    }
}

/* A condition is a size that must be 1. */
static uint32_t condition_size(Builder *b, Node condition)
{
    uint32_t at = (uint32_t)b->code.count;
    condition_postfix(b->plan->module->graph, condition, put_condition_step, b);
    vec_push(&b->code, NN_SIZE_END);
    vec_push(&b->code, 0);
    return at;
}

static nn_check *make_checks(Builder *b, uint32_t *count)
{
    const Module *module = b->plan->module;
    nn_check *checks = ARENA_ARRAY(b->context->arena, nn_check, module->n_checks + 1);
    for (uint32_t i = 0; i < module->n_checks; i++) {
        const Check *check = &module->checks[i];
        bool sizes = !dim_is_none(check->left);
        checks[i].left = sizes ? size_code(b, check->left) : condition_size(b, check->condition);
        checks[i].right = size_code(b, sizes ? check->right : dim_constant(b->dims, 1));
        checks[i].message = check->message;
    }
    *count = module->n_checks;
    return checks;
}

static void fill_image(Builder *b, ImageTables *tables, CpuVariant cpu)
{
    Arena *arena = b->context->arena;
    nn_image *image = &tables->image;
    image->magic = NN_IMAGE_MAGIC;
    image->version = NN_IMAGE_VERSION;
    image->image_size = sizeof *image;
    image->name = b->plan->module->name;
    image->cpu = cpu_name(cpu == CPU_NATIVE ? cpu_best() : cpu);
    image->description = "nnc";
    image->symbols = ARENA_COPY(arena, const char *, b->symbols.at, b->symbols.count);
    image->tensors = ARENA_COPY(arena, nn_tensor_info, b->tensors.at, b->tensors.count);
    image->size_code = ARENA_COPY(arena, int64_t, b->code.at, b->code.count);
    image->references = ARENA_COPY(arena, uint32_t, b->references.at, b->references.count);
    image->n_symbols = (uint32_t)b->symbols.count;
    image->n_tensors = (uint32_t)b->tensors.count;
    image->n_kernels = b->plan->n_kernels;
    tables->n_size_code = (uint32_t)b->code.count;
    tables->n_references = (uint32_t)b->references.count;
}

static void builder_free(Builder *b)
{
    vec_free(&b->tensors);
    vec_free(&b->code);
    vec_free(&b->code_at);
    vec_free(&b->references);
    vec_free(&b->symbols);
}

ImageTables *image_build(Context *context, const Plan *plan, CpuVariant cpu)
{
    const Module *module = plan->module;
    Builder builder = {.context = context, .plan = plan, .dims = graph_dims(module->graph)}, *b = &builder;
    ImageTables *tables = ARENA_NEW(context->arena, ImageTables);
    for (uint32_t i = 0; i < module->n_dims; i++) symbol_number(b, module->dims[i]);
    add_declared(b, module->inputs, module->n_inputs);
    add_declared(b, module->params, module->n_params);
    add_declared(b, module->states, module->n_states);
    add_declared(b, module->settings, module->n_settings);
    nn_program *programs = ARENA_ARRAY(context->arena, nn_program, plan->n_programs + 1);
    for (uint32_t i = 0; i < plan->n_programs; i++) programs[i] = make_program(b, &plan->programs[i]);
    tables->kernels = make_kernels(b);
    tables->image.checks = make_checks(b, &tables->image.n_checks);
    tables->image.kernels = tables->kernels;
    tables->image.programs = programs;
    tables->image.n_programs = plan->n_programs;
    fill_image(b, tables, cpu);
    builder_free(b);
    return tables;
}
