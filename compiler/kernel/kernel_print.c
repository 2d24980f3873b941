#include "kernel/kernel.h"

/* The first size that is 0, which is the offset where none is written. */
static bool is_zero(const Kernel *kernel, uint32_t size)
{
    for (uint32_t i = 0; i <= size; i++)
        if (kernel->sizes[i].known && kernel->sizes[i].value == 0) return i == size;
    return false;
}

static void print_axes(AxisMask mask, Text *to)
{
    text_string(to, "{");
    const char *between = "";
    for (uint32_t i = 0; i < KERNEL_MAX_AXES; i++) {
        if (!(mask >> i & 1)) continue;
        text_format(to, "%sa%u", between, i);
        between = " ";
    }
    text_string(to, "}");
}

static void print_dims(const uint32_t *dims, uint32_t rank, Text *to)
{
    text_string(to, "[");
    for (uint32_t i = 0; i < rank; i++) text_format(to, "%ss%u", i ? ", " : "", dims[i]);
    text_string(to, "]");
}

static void print_sum(const Kernel *kernel, const KernelIndex *index, Text *to)
{
    bool empty = true;
    for (uint32_t i = 0; i < index->n_terms; i++) {
        int64_t factor = index->terms[i].factor;
        bool negative = factor < 0;
        text_string(to, empty ? (negative ? "-" : "") : (negative ? " - " : " + "));
        if (negative) factor = -factor;
        if (factor != 1) text_format(to, "%lld*", (long long)factor);
        text_format(to, "a%u", index->terms[i].axis);
        empty = false;
    }
    if (index->value >= 0) {
        text_format(to, "%sv%d%s", empty ? "" : " + ", index->value, index->checked ? "!" : "");
        empty = false;
    }
    if (is_zero(kernel, index->offset) && !empty && !index->negative) return;
    text_string(to, empty ? (index->negative ? "-" : "") : (index->negative ? " - " : " + "));
    text_format(to, "s%u", index->offset);
}

static void print_subscript(const Kernel *kernel, const KernelIndex *index, Text *to)
{
    if (index->div > 1) text_string(to, "(");
    print_sum(kernel, index, to);
    if (index->div > 1) text_format(to, ") / %lld", (long long)index->div);
}

static void print_index(const Kernel *kernel, const KernelValue *value, Text *to)
{
    text_string(to, "[");
    for (uint32_t i = 0; i < value->n_index; i++) {
        if (i) text_string(to, ", ");
        print_subscript(kernel, &value->index[i], to);
        if (kernel_index_clipped(value, i)) text_string(to, "?");
    }
    text_string(to, "]");
}

static void print_args(const KernelValue *value, Text *to)
{
    for (uint32_t i = 0; i < value->n_args; i++) text_format(to, " v%u", value->args[i]);
}

static void print_value(const Kernel *kernel, uint32_t number, Text *to)
{
    const KernelValue *value = &kernel->values[number];
    text_format(to, "    v%u: %s ", number, dtype_name(value->dtype));
    print_axes(value->domain, to);
    text_string(to, " = ");
    switch (value->kind) {
    case KERNEL_LOAD:
    case KERNEL_STORE:
    case KERNEL_SCATTER:
        text_format(to, "%s b%u",
                    value->kind == KERNEL_LOAD    ? "load"
                    : value->kind == KERNEL_STORE ? "store"
                                                  : "scatter",
                    value->buffer);
        print_index(kernel, value, to);
        print_args(value, to);
        break;
    case KERNEL_AXIS:
        text_format(to, "axis a%u", value->axis);
        break;
    case KERNEL_CONSTANT:
        text_string(to, "constant ");
        if (dtype_class(value->dtype) == DTYPE_CLASS_INTEGER)
            text_format(to, "%lld", (long long)value->integer);
        else
            text_number(to, value->number);
        break;
    case KERNEL_SIZE:
        text_format(to, "size s%u", value->size);
        break;
    case KERNEL_NUMBER:
        text_format(to, "number s%u", value->size);
        break;
    case KERNEL_RANDOM:
        text_format(to, "random s%u", value->stream);
        print_index(kernel, value, to);
        text_string(to, " of ");
        print_dims(value->dims, value->n_index, to);
        break;
    case KERNEL_COMPUTE:
        text_string(to, op_info(value->op)->spelling);
        print_args(value, to);
        break;
    case KERNEL_REDUCE:
    case KERNEL_SCAN:
        text_format(to, "%s %s ", value->kind == KERNEL_SCAN ? "scan" : "reduce", op_info(value->op)->spelling);
        print_axes(value->reduced, to);
        print_args(value, to);
        break;
    }
    text_string(to, "\n");
}

void kernel_print(const Kernel *kernel, Text *to)
{
    text_format(to, "kernel %s {\n", kernel->name ? kernel->name : "_");
    for (uint32_t i = 0; i < kernel->n_sizes; i++) {
        text_format(to, "    s%u", i);
        if (kernel->sizes[i].known) text_format(to, " = %lld", (long long)kernel->sizes[i].value);
        text_string(to, "\n");
    }
    for (uint32_t i = 0; i < kernel->n_axes; i++) text_format(to, "    a%u: s%u\n", i, kernel->axes[i].extent);
    for (uint32_t i = 0; i < kernel->n_buffers; i++) {
        const KernelBuffer *buffer = &kernel->buffers[i];
        text_format(to, "    b%u: %s", i, dtype_name(buffer->dtype));
        print_dims(buffer->dims, buffer->rank, to);
        text_format(to, "%s%s\n", buffer->read ? " read" : "", buffer->written ? " write" : "");
    }
    for (uint32_t i = 0; i < kernel->n_values; i++) print_value(kernel, i, to);
    text_string(to, "}\n");
}
