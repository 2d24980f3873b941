/* Reductions over the rows of the training data: evaluated once while compiling, in pieces, by the interpreter. */
#include <math.h>
#include <string.h>

#include "elaborate/data.h"
#include "ir/eval.h"
#include "ir/integer.h"
#include "support/memory.h"

enum { ROWS_AT_ONCE = 4096 };

bool reduces_rows(const Elaborator *el, Node x, const int32_t *axes, uint32_t n_axes)
{
    Name symbol;
    const Type *type = node_type(el->graph, x);
    return el->splits && n_axes && axes[0] == 0 && type->rank && dim_is_symbol(el->dims, type->dims[0], &symbol) &&
           symbol == el->splits->rows;
}

/* The block whose rows count, `train`'s or the only one there is, and which of them are `train`'s. */
static DataBlock *rows_of(const Elaborator *el, int64_t *first, int64_t *end)
{
    DataSplits *data = el->splits;
    DataBlock *block = data->train ? data->train : data->current;
    double from = 0, to = 1, sum = 0;
    const Syntax *names = kid_names(block->syntax);
    for (uint32_t i = 0; block->parts && i < names->n_kids; i++) {
        if (!strcmp(names->kids[i]->name, "train")) {
            from = sum;
            to = sum + block->parts[i];
        }
        sum += block->parts[i];
    }
    *first = (int64_t)floor((double)block->rows * from + 0.5);
    *end = (int64_t)floor((double)block->rows * to + 0.5);
    if (*end > block->rows) *end = block->rows;
    return block;
}

static bool bind_field(Elaborator *el, Eval *eval, const DataBlock *block, const SplitField *field, Node input,
                       int64_t first, int64_t count)
{
    const SplitSource *source = &block->sources.at[field->source];
    const DataColumn *column = &source->source->columns[field->column];
    int64_t width = 1;
    for (uint32_t i = 0; i < column->rank; i++) width *= column->dims[i];
    size_t row = (size_t)width * dtype_size(column->dtype), total = (size_t)(width * count);
    const char *message = NULL;
    void *bytes = memory_alloc(total * dtype_size(column->dtype) + 1);
    const DataProvider *provider = el->options->provider;
    bool good = bytes;
    if (good && source->literal)
        memcpy(bytes, (const char *)source->literal + (size_t)first * row, row * (size_t)count);
    else if (good)
        good = provider->read(provider->host, source->source, field->column, first, count, bytes, &message);
    if (good) {
        good = eval_bind_elements(eval, input, column->dtype, bytes, (int64_t)total);
    } else {
        complain(el, data_failure(el), block->rows_place, "%s", message ? message : "the data cannot be read");
    }
    memory_free(bytes);
    return good;
}

/* Binds what `x` reads of rows [first, first + count). */
static bool bind_rows(Elaborator *el, Eval *eval, const DataBlock *block, Node x, int64_t first, int64_t count)
{
    uint32_t n;
    bool good = true;
    Node *reached = graph_reachable(el->graph, &x, 1, &n);
    eval_bind_size(eval, el->splits->rows, count);
    for (uint32_t i = 0; good && i < n; i++) {
        const NodeInfo info = *graph_node(el->graph, reached[i]);
        if (info.op != OP_INPUT) continue;
        for (size_t f = 0; good && f < block->fields.count; f++)
            if (block->fields.at[f].input == info.attr.name)
                good = bind_field(el, eval, block, &block->fields.at[f], reached[i], first, count);
    }
    memory_free(reached);
    return good;
}

static double combine(Op op, double a, double b)
{
    if (op == OP_REDUCE_MAX) return a > b ? a : b;
    if (op == OP_REDUCE_MIN) return a < b ? a : b;
    return a + b;
}

/* What the pieces so far give: integers of an integer type, numbers of others; NULL before the first. */
typedef struct {
    double *numbers;
    int64_t *integers, count;
} Totals;

static void add_piece(Totals *totals, Op op, const Tensor *piece)
{
    bool first = !totals->numbers;
    if (first) {
        totals->count = piece->count;
        totals->numbers = memory_calloc((size_t)piece->count + 1, sizeof *totals->numbers);
        totals->integers = piece->integers ? memory_calloc((size_t)piece->count + 1, sizeof *totals->integers) : NULL;
    }
    for (int64_t i = 0; i < totals->count; i++) {
        double *number = &totals->numbers[i];
        *number = first ? piece->data[i] : combine(op, *number, piece->data[i]);
        if (!totals->integers) continue;
        Op step = op == OP_REDUCE_MAX ? OP_MAX : op == OP_REDUCE_MIN ? OP_MIN : OP_ADD;
        int64_t *integer = &totals->integers[i];
        *integer = first ? piece->integers[i] : op_evaluate_integer(step, *integer, piece->integers[i]);
    }
}

static Value totals_literal(Elaborator *el, const Type *type, const Totals *totals)
{
    size_t size = (size_t)totals->count * dtype_size(type->dtype);
    void *bytes = memory_alloc(size + 1);
    if (totals->integers)
        integer_store(type->dtype, bytes, totals->integers, totals->count);
    else
        dtype_store(type->dtype, bytes, totals->numbers, totals->count);
    Value value = value_tensor(build_literal(el->graph, *type, bytes, size));
    memory_free(bytes);
    return value;
}

/* A sum of integers is one of the type that it has in a model, and of these numbers it is known whether it fits. */
static bool sums_fit(Elaborator *el, const Totals *totals, DType dtype, Span at)
{
    for (int64_t i = 0; i < totals->count; i++) {
        if (!totals->integers || integer_fits(dtype, totals->integers[i])) continue;
        Diag *diag =
            complain(el, DIAG_number_out_of_range, at, "a sum over the rows is %lld, which is not a value of `%s`",
                     (long long)totals->integers[i], dtype_name(dtype));
        diag_hint(diag, "convert what is summed: `f64(…)`, or `i64(…)`");
        return false;
    }
    return true;
}

/* SUM, REDUCE_MAX or REDUCE_MIN over all rows, of the type `dtype`; `scale` divides. */
static Value accumulate(Elaborator *el, Op op, Node x, const int32_t *axes, uint32_t n_axes, DType dtype, double scale,
                        Span at)
{
    int64_t start, end;
    const DataBlock *block = rows_of(el, &start, &end);
    Node piece = build_reduce(el->graph, op, x, axes, n_axes);
    Type type = *node_type(el->graph, piece);
    if (type.dtype != dtype) type = type_with(type, dtype);
    Eval *eval = eval_new(el->graph, &(EvalOptions){.f64 = true});
    Totals totals = {0};
    bool good = end > start;
    for (int64_t first = start; good && first < end; first += ROWS_AT_ONCE) {
        int64_t now = end - first < ROWS_AT_ONCE ? end - first : ROWS_AT_ONCE;
        const Tensor *tensor;
        good = !context_stopped(el->context) && bind_rows(el, eval, block, x, first, now) &&
               eval_run(eval, &piece, 1, &tensor);
        if (!good) break;
        add_piece(&totals, op, tensor);
    }
    if (!good && !context_stopped(el->context))
        complain(el, DIAG_data_source, at, "this cannot be computed from the rows of the data");
    good = good && sums_fit(el, &totals, dtype, at);
    for (int64_t i = 0; i < totals.count; i++) totals.numbers[i] /= scale; /* 1 of integers */
    Value value = good ? totals_literal(el, &type, &totals) : value_error();
    memory_free(totals.numbers);
    memory_free(totals.integers);
    eval_free(eval);
    return value;
}

static double reduced_count(Elaborator *el, Node x, const int32_t *axes, uint32_t n_axes)
{
    int64_t first, end, size;
    rows_of(el, &first, &end);
    double count = (double)(end - first);
    for (uint32_t i = 1; i < n_axes; i++)
        if (dim_is_constant(el->dims, node_type(el->graph, x)->dims[axes[i]], &size)) count *= (double)size;
    return count;
}

Value data_reduce(Elaborator *el, BuiltinId id, Node x, const int32_t *axes, uint32_t n_axes, Span at)
{
    DType dtype = node_type(el->graph, x)->dtype;
    if (!data_check_uses(el, el->splits, el->splits->current, x, true, dtype, at)) return value_error();
    /* The ends of integers are among them and their sum is one, as in a model, but exact until it is there; their mean
     * is real, to more digits than f32 has. */
    bool ends = id == BUILTIN_ID_max || id == BUILTIN_ID_min, sum = id == BUILTIN_ID_sum, real = dtype_is_float(dtype);
    bool wide = dtype == DTYPE_I64 || dtype == DTYPE_I32;
    if (dtype == DTYPE_U8 && ends) x = build_cast(el->graph, x, DTYPE_I32);
    if (!real && !ends) x = build_cast(el->graph, x, sum ? DTYPE_I64 : wide ? DTYPE_F64 : el->real);
    double count = reduced_count(el, x, axes, n_axes);
    Type type = *node_type(el->graph, x);
    switch (id) {
    case BUILTIN_ID_sum:
        return accumulate(el, OP_SUM, x, axes, n_axes, real || dtype == DTYPE_I64 ? type.dtype : DTYPE_I32, 1, at);
    case BUILTIN_ID_max:
        return accumulate(el, OP_REDUCE_MAX, x, axes, n_axes, type.dtype, 1, at);
    case BUILTIN_ID_min:
        return accumulate(el, OP_REDUCE_MIN, x, axes, n_axes, type.dtype, 1, at);
    case BUILTIN_ID_mean:
        return accumulate(el, OP_SUM, x, axes, n_axes, type.dtype, count, at);
    case BUILTIN_ID_variance: {
        Value mean = accumulate(el, OP_SUM, x, axes, n_axes, type.dtype, count, at);
        if (value_is_error(mean)) return mean;
        Node off = build_binary(el->graph, OP_SUB, x, build_unreduce(el->graph, mean.node, &type, axes, n_axes));
        return accumulate(el, OP_SUM, build_binary(el->graph, OP_MUL, off, off), axes, n_axes, type.dtype, count, at);
    }
    default:
        return unsupported(el, at, "this reduction over the rows of data");
    }
}
