/* The flags SINGULAR, NONFINITE and EXACT of ops.def, walked: an operator has one exactly where operands show it. What
 * has neither of the first two is never gated, so one that lacks lets an untaken branch poison a gradient; what is
 * EXACT is not rounded. */
#include <criterion/criterion.h>
#include <math.h>

#include "gradients.h"

/* The finite operands that bring out a pole, the edge of a domain or an overflow, of f16 and f32 alike: 1.5703125 is
 * f16's nearest to the pole of tan. */
static const double hostile[] = {0, -0.0, 0.5, -0.5, 1, -1, 2, -2, 1.5703125, 1000, -1000, 0x1p-20};
enum { HOSTILE = sizeof hostile / sizeof *hostile, LINE = 3 };

static bool all_finite(const Tensor *tensor)
{
    for (int64_t i = 0; i < tensor->count; i++)
        if (!isfinite(tensor->data[i])) return false;
    return true;
}

/* An operator applied to every choice of hostile numbers: pairs of an elementwise one, lines of three of one that works
 * along an axis. NODE_NONE of any other operator, and of one of truth values. */
static Node apply(Bench *bench, Op op, DType dtype, Node *xs, uint32_t *n_xs)
{
    static double values[2][HOSTILE * HOSTILE * HOSTILE * LINE];
    const OpInfo *row = op_info(op);
    bool elementwise = row->class == OP_CLASS_ELEMENTWISE, along = row->class == OP_CLASS_CUMULATIVE;
    if (!elementwise && !along && row->class != OP_CLASS_REDUCTION) return NODE_NONE;
    if (row->rule == TYPE_RULE_LOGIC || op == OP_ANY || op == OP_ALL) return NODE_NONE;
    if (op == OP_SELECT || op == OP_CAST) return NODE_NONE; /* move values */
    *n_xs = (uint32_t)row->arity;
    if (elementwise) {
        for (int i = 0; i < HOSTILE * HOSTILE; i++)
            values[0][i] = hostile[i % HOSTILE], values[1][i] = hostile[i / HOSTILE];
        Type type = bench_type(bench, dtype, 1, (int64_t[]){HOSTILE * HOSTILE});
        for (uint32_t i = 0; i < *n_xs; i++) xs[i] = bench_source(bench, type, values[i], 0, 0);
        return *n_xs == 1 ? build_unary(bench->graph, op, xs[0]) : build_binary(bench->graph, op, xs[0], xs[1]);
    }
    const int lines = HOSTILE * HOSTILE * HOSTILE;
    for (int i = 0; i < lines; i++) {
        values[0][i * LINE] = hostile[i % HOSTILE];
        values[0][i * LINE + 1] = hostile[i / HOSTILE % HOSTILE];
        values[0][i * LINE + 2] = hostile[i / (HOSTILE * HOSTILE)];
    }
    xs[0] = bench_source(bench, bench_type(bench, dtype, 2, (int64_t[]){lines, LINE}), values[0], 0, 0);
    return along ? build_along(bench->graph, op, xs[0], 1) : build_reduce(bench->graph, op, xs[0], (int32_t[]){1}, 1);
}

typedef struct {
    bool applies, singular, nonfinite;
} Found;

static Found look_at(Op op, DType dtype)
{
    Bench bench = bench_new();
    eval_free(bench.eval);
    bench.eval = eval_new(bench.graph, NULL); /* in the declared types */
    Node xs[2];
    uint32_t n_xs = 0;
    Node y = apply(&bench, op, dtype, xs, &n_xs);
    Found found = {.applies = !node_is_none(y)};
    if (found.applies) {
        found.nonfinite = !all_finite(bench_value(&bench, y));
        bool differentiable = dtype_is_float(node_type(bench.graph, y)->dtype);
        for (uint32_t i = 0; differentiable && i < n_xs; i++)
            found.singular |= !all_finite(bench_value(&bench, bench_gradient(&bench, y, xs[i])));
    }
    bench_free(&bench);
    return found;
}

Test(flags, are_needed_and_enough, .timeout = 60)
{
    int looked = 0;
    for (int op = 0; op < OP_COUNT; op++) {
        Found f16 = look_at((Op)op, DTYPE_F16), f32 = look_at((Op)op, DTYPE_F32);
        if (!f32.applies) continue;
        const OpInfo *row = op_info((Op)op);
        /* in f16 products and sums overflow where they would in f32 of larger numbers: that counts in a partial alone
         */
        cr_expect_eq(f16.singular || f32.singular, !!(row->flags & SINGULAR), "%s: SINGULAR", row->spelling);
        cr_expect_eq(f32.nonfinite, !!(row->flags & NONFINITE), "%s: NONFINITE", row->spelling);
        looked++;
    }
    cr_expect_gt(looked, 40);
}

/* What the walk does not apply has the flags for a reason of its own. */
Test(flags, elsewhere)
{
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *row = op_info((Op)op);
        if (row->class == OP_CLASS_ELEMENTWISE || row->class == OP_CLASS_REDUCTION || row->class == OP_CLASS_CUMULATIVE)
            continue;
        /* the user's own derivative may be anything; the other operators are linear in each operand */
        unsigned expected = op == OP_CUSTOM_GRADIENT ? SINGULAR : 0;
        cr_expect_eq(row->flags & (SINGULAR | NONFINITE), expected, "%s", row->spelling);
    }
}

/* True if a result of the operator, of any bf16 or f16 and some others, is not of that type. */
static bool rounds(Op op, DType dtype)
{
    enum { ALL = 1 << 16, STRIDE = 257 };
    uint64_t state = 1;
    for (uint32_t i = 0; i < ALL; i++) {
        uint16_t bits[3];
        double x[3];
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        bits[0] = (uint16_t)i, bits[1] = (uint16_t)(state >> 48), bits[2] = (uint16_t)(i + STRIDE);
        dtype_load(dtype, x, bits, 3);
        double value = op_evaluate(op, x[0], x[1], x[2]), held = dtype_round(dtype, value);
        if (!isnan(value) && (value != held || signbit(value) != signbit(held))) return true;
    }
    return false;
}

Test(flags, exact_where_nothing_is_rounded)
{
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *row = op_info((Op)op);
        bool real = row->rule == TYPE_RULE_SAME || row->rule == TYPE_RULE_FLOAT || row->rule == TYPE_RULE_SELECT;
        bool exact =
            row->class == OP_CLASS_ELEMENTWISE && real && !rounds((Op)op, DTYPE_BF16) && !rounds((Op)op, DTYPE_F16);
        cr_expect_eq(!!(row->flags & EXACT), exact, "%s", row->spelling);
    }
}
