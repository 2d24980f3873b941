/* What the values of a data block must not become on their way to the model: the numbers of categories are names and
 * not quantities, and a float type holds only some of the large whole numbers. */
#include <math.h>
#include <string.h>

#include "elaborate/data.h"
#include "ir/eval.h"
#include "ir/integer.h"
#include "support/memory.h"

const SplitField *data_field(const DataBlock *block, const NodeInfo *input)
{
    size_t known = name_map_get(&block->field_of, (NameKey){.name = input->attr.name});
    return known == NAME_MAP_NONE ? NULL : &block->fields.at[known];
}

static const DataColumn *column_of(const DataBlock *block, const SplitField *field)
{
    return &block->sources.at[field->source].source->columns[field->column];
}

bool data_refuse_category(Elaborator *el, const DataBlock *block, const SplitField *field, Span at)
{
    const DataColumn *column = column_of(block, field);
    const char *path = block->sources.at[field->source].path;
    Diag *diag;
    if (column->text)
        diag = complain(el, DIAG_category_as_number, at,
                        "`%s` is text and cannot be used as a number: `%.60s` in line %lld of %s is not one",
                        field->input, column->text, (long long)column->text_line, path);
    else
        diag = complain(el, DIAG_category_as_number, at,
                        "`%s` is text and cannot be used as a number, although its texts look like some", field->input);
    diag_hint(diag,
              "`one_hot(%s, %lld)` has a column for each of its %lld texts; an integer input or target `in %lld` takes "
              "their numbers",
              field->input, (long long)column->range, (long long)column->range, (long long)column->range);
    return false;
}

/* True if the operator passes the elements of this operand on unchanged. */
static bool passes_on(const NodeInfo *info, uint32_t operand)
{
    if (info->op == OP_SELECT) return operand > 0;
    if (info->op == OP_GATHER) return operand == 0;
    return (op_info(info->op)->flags & PURE_SHAPE) || info->op == OP_STOP_GRADIENT || info->op == OP_CAST;
}

/* The largest n such that the type holds every integer of n bits. */
static uint8_t digits_of(DType dtype)
{
    static const uint8_t digits[DTYPE_COUNT] = {[DTYPE_F64] = 53, [DTYPE_F32] = 24, [DTYPE_BF16] = 8, [DTYPE_F16] = 11,
                                                [DTYPE_I64] = 63, [DTYPE_I32] = 31, [DTYPE_U8] = 8,   [DTYPE_BOOL] = 1};
    return digits[dtype];
}

/* What is known of how a value is used while a walk goes from results to inputs. */
typedef struct {
    bool number;    /* as a quantity */
    uint8_t digits; /* rounded to so many bits; 0: not at all */
} Use;

static void add_use(Use *use, bool number, uint8_t digits)
{
    use->number |= number;
    if (digits && (!use->digits || digits < use->digits)) use->digits = digits;
}

/* How a node uses its operand when it is used itself in the way `own`. */
static void use_operand(const NodeInfo *info, uint32_t operand, Use own, Use *use)
{
    bool to_integer = dtype_class(info->type.dtype) == DTYPE_CLASS_INTEGER;
    if (info->op == OP_CAST) {
        add_use(use, own.number || !to_integer, own.digits);
        if (dtype_is_float(info->type.dtype)) add_use(use, false, digits_of(info->type.dtype));
    } else if (passes_on(info, operand)) {
        add_use(use, own.number, own.digits);
    } else if (info->op != OP_EQ && info->op != OP_NE && info->op != OP_SELECT && info->op != OP_GATHER) {
        add_use(use, true, 0);
    }
}

/* One piece of a column: the first element beyond 2^digits, or `count`. */
static int64_t find_beyond(DType dtype, const void *values, int64_t count, uint8_t digits, int64_t *value)
{
    int64_t most = INT64_C(1) << digits, i = 0;
    for (; i < count; i++) {
        *value = dtype == DTYPE_I64 ? ((const int64_t *)values)[i] : ((const int32_t *)values)[i];
        if (*value > most || *value < -most) break;
    }
    return i;
}

/* The row of the first element of a column of integers beyond 2^digits; -1 when there is none. */
static int64_t find_rounded_row(Elaborator *el, const SplitSource *source, uint32_t index, uint8_t digits,
                                int64_t *value)
{
    enum { AT_ONCE = 1 << 16 };
    const DataColumn *column = &source->source->columns[index];
    const DataProvider *provider = el->options->provider;
    const char *message;
    int64_t width = 1, found = -1, rows = source->source->rows;
    for (uint32_t i = 0; i < column->rank; i++) width *= column->dims[i];
    int64_t step = width > AT_ONCE ? 1 : width ? AT_ONCE / width : rows + 1;
    void *bytes = memory_alloc((size_t)(step < rows ? step : rows) * (size_t)width * dtype_size(column->dtype) + 1);
    for (int64_t first = 0; bytes && width && found < 0 && first < rows; first += step) {
        int64_t now = rows - first < step ? rows - first : step;
        const char *piece = bytes;
        if (source->literal)
            piece = (const char *)source->literal + (size_t)(first * width) * dtype_size(column->dtype);
        else if (context_stopped(el->context) ||
                 !provider->read(provider->host, source->source, index, first, now, bytes, &message))
            break; /* whoever reads it for its values says what is wrong */
        int64_t at = find_beyond(column->dtype, piece, now * width, digits, value);
        if (at < now * width) found = first + at / width;
    }
    memory_free(bytes);
    return found;
}

/* Once in a program: the first such value stands for all. */
static void warn_of_rounding(Elaborator *el, DataSplits *data, const DataBlock *block, const SplitField *field,
                             uint8_t digits, Span at)
{
    const DataColumn *column = column_of(block, field);
    int64_t value = 0;
    if (data->rounding_told || column->range || digits >= digits_of(column->dtype)) return;
    if (column->dtype != DTYPE_I64 && column->dtype != DTYPE_I32) return;
    int64_t row = find_rounded_row(el, &block->sources.at[field->source], field->column, digits, &value);
    if (row < 0) return;
    data->rounding_told = true;
    DType rounding = DTYPE_F64;
    while (digits_of(rounding) != digits) rounding++;
    Diag *diag =
        complain(el, DIAG_rounded_data, at, "%s rounds whole numbers above 2^%d: row %lld of `%s` (from 0) holds %lld",
                 dtype_name(rounding), digits, (long long)row, field->input, (long long)value);
    diag_hint(diag, "numbers such as `%s - min(%s)` are smaller%s", field->input, field->input,
              rounding == DTYPE_F64 ? "" : "; f64 holds every whole number up to 2^53");
}

bool data_check_uses(Elaborator *el, DataSplits *data, const DataBlock *block, Node root, bool number, DType becomes,
                     Span at)
{
    uint32_t count;
    bool good = true;
    Node *nodes = graph_reachable(el->graph, &root, 1, &count);
    Use *uses = memory_calloc(count, sizeof *uses);
    add_use(&uses[count - 1], number, dtype_is_float(becomes) ? digits_of(becomes) : 0);
    for (uint32_t i = count; i-- > 0;) { /* operands come before what uses them */
        const NodeInfo info = *graph_node(el->graph, nodes[i]);
        Use own = uses[i];
        for (uint32_t k = 0; k < info.n_args; k++)
            use_operand(&info, k, own, &uses[graph_position(nodes, i, info.args[k])]);
        const SplitField *field = info.op == OP_INPUT ? data_field(block, &info) : NULL;
        if (!field || !good) continue;
        if (own.number && column_of(block, field)->categories)
            good = data_refuse_category(el, block, field, at);
        else if (own.digits)
            warn_of_rounding(el, data, block, field, own.digits, at);
    }
    memory_free(uses);
    memory_free(nodes);
    return good;
}

/* ---- Literals ---- */

/* True if an input of the type takes element `index` of the literal; `most` is the largest integer that it takes. */
static bool takes(const Type *input, int64_t most, DType dtype, const void *values, int64_t index)
{
    size_t size = dtype_size(dtype);
    const char *at = (const char *)values + (size_t)index * size;
    int64_t integer;
    double number;
    if (dtype_class(input->dtype) == DTYPE_CLASS_INTEGER && dtype == DTYPE_I64) {
        integer_load(dtype, &integer, at, 1);
        int64_t least = dim_is_none(input->range) ? integer_least(input->dtype) : 0;
        return integer >= least && integer <= most;
    }
    if (dtype == DTYPE_I64)
        integer_load(dtype, &integer, at, 1);
    else
        dtype_load(dtype, &number, at, 1);
    if (dtype == DTYPE_I64) number = integer_to_float(input->dtype, integer);
    return !dtype_is_float(input->dtype) || !isfinite(number) || isfinite(dtype_round(input->dtype, number));
}

/* In the words of the run time, which says the same of what it reads. */
static bool refuse_element(Elaborator *el, const SplitField *field, const Type *input, int64_t most, const char *place,
                           const char *element, Span at)
{
    const char *allowed = dim_is_none(input->range)
                              ? arena_format(el->arena, "which is not a value of %s", dtype_name(input->dtype))
                              : arena_format(el->arena, "but only 0 to %lld are allowed", (long long)most);
    complain(el, DIAG_value_out_of_range, at, "%s: %s of the data (from 0) holds %s, %s", field->input, place, element,
             allowed);
    return false;
}

bool data_check_literal(Elaborator *el, const DataBlock *block, Node x, const Type *input, Span at)
{
    const NodeInfo *info = graph_node(el->graph, x);
    const SplitField *field = info->op == OP_INPUT ? data_field(block, info) : NULL;
    const SplitSource *source = field ? &block->sources.at[field->source] : NULL;
    bool ranged = !dim_is_none(input->range), whole = dtype_class(input->dtype) == DTYPE_CLASS_INTEGER;
    int64_t most = whole ? integer_most(input->dtype) : 0, width = 1;
    if (!source || !source->literal || (ranged && !dim_is_constant(el->dims, input->range, &most))) return true;
    if (ranged) most--;
    const DataColumn *column = &source->source->columns[field->column];
    for (uint32_t i = 0; i < column->rank; i++) width *= column->dims[i];
    for (int64_t i = 0; i < source->source->rows * width; i++) {
        if (takes(input, most, column->dtype, source->literal, i)) continue;
        const char *element = column->dtype == DTYPE_I64
                                  ? arena_format(el->arena, "%lld", (long long)((const int64_t *)source->literal)[i])
                                  : number_text(el, ((const double *)source->literal)[i]);
        const char *column_text = width > 1 ? arena_format(el->arena, ", column %lld", (long long)(i % width)) : "";
        const char *place = arena_format(el->arena, "row %lld%s", (long long)(i / width), column_text);
        return refuse_element(el, field, input, most, place, element, at);
    }
    return true;
}
