/* Every structural operator: its value against loops of its own, its derivatives against differences. Together with the
 * elementwise rows and the sources, the table names every operator; one that it does not know fails the walk. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "gradients.h"
#include "ir/window.h"

/* What an operand x of f32[2, 3, 4] becomes, and element k (row-major) of that. `b` is a second operand. */
typedef struct {
    Op op;
    const char *what;
    Node (*build)(Bench *bench, Node x, Node b);
    double (*element)(const double *x, const double *b, int k);
    int64_t b_dims[3]; /* of the second operand, f32; none when the first is 0 */
    bool fixed;        /* without a derivative */
} Row;

enum { A = 2, B = 3, C = 4 };
#define X(i, j, k) x[((i)*B + (j)) * C + (k)]

static Dim constant(Bench *bench, int64_t value)
{
    return dim_constant(graph_dims(bench->graph), value);
}

static Node integers(Bench *bench, uint32_t rank, const int64_t *dims, const int32_t *values, size_t size)
{
    return build_literal(bench->graph, bench_type(bench, DTYPE_I32, rank, dims), values, size);
}

/* ---- movement */

static Node make_broadcast(Bench *bench, Node x, Node b)
{
    (void)b;
    Type type = bench_type(bench, DTYPE_F32, 4, (int64_t[]){C, 2, A, B});
    return build_broadcast(bench->graph, x, &type, (int32_t[]){2, 3, 0});
}
static double element_broadcast(const double *x, const double *b, int k)
{
    (void)b;
    return X(k / B % A, k % B, k / (2 * A * B));
}
static Node make_reshape(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_reshape(bench->graph, x, 2, (Dim[]){constant(bench, 6), constant(bench, 4)});
}
static double element_same(const double *x, const double *b, int k)
{
    (void)b;
    return x[k];
}
static Node make_transpose(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_transpose(bench->graph, x, (int32_t[]){2, 0, 1});
}
static double element_transpose(const double *x, const double *b, int k)
{
    (void)b;
    return X(k / B % A, k % B, k / (A * B));
}
static Node make_slice(Bench *bench, Node x, Node b)
{
    (void)b;
    Dim one = constant(bench, 1), zero = constant(bench, 0), two = constant(bench, 2);
    return build_slice(bench->graph, x, (Dim[]){one, zero, one}, (Dim[]){one, two, two}, (int32_t[]){1, 2, 2});
}
static double element_slice(const double *x, const double *b, int k)
{
    (void)b;
    return X(1, k / 2 * 2, 1 + k % 2 * 2);
}
static Node make_pad(Bench *bench, Node x, Node b)
{
    (void)b;
    Dim one = constant(bench, 1), zero = constant(bench, 0);
    Dim sizes[] = {constant(bench, 2), constant(bench, 5), constant(bench, 6)};
    return build_pad(bench->graph, x, (Dim[]){zero, one, one}, sizes);
}
static double element_pad(const double *x, const double *b, int k)
{
    (void)b;
    int i = k / 30, j = k / 6 % 5 - 1, l = k % 6 - 1;
    return j < 0 || j >= B || l < 0 || l >= C ? 0 : X(i, j, l);
}
static Node make_concat(Bench *bench, Node x, Node b)
{
    return build_concat(bench->graph, (Node[]){x, b, x}, 3, 1);
}
static double element_concat(const double *x, const double *b, int k)
{
    int i = k / (8 * C), j = k / C % 8, l = k % C;
    return j < 3 ? X(i, j, l) : j < 5 ? b[(i * 2 + j - 3) * C + l] : X(i, j - 5, l);
}
static Node make_reverse(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_reverse(bench->graph, x, (int32_t[]){0, 2}, 2);
}
static double element_reverse(const double *x, const double *b, int k)
{
    (void)b;
    return X(1 - k / (B * C), k / C % B, 3 - k % C);
}

/* ---- windows of axis 2, of 4 elements: x[…, 2 i + u - 1] and x[…, i + 2 u - 2]; and the sums of what they read */

static Node windows_of(Bench *bench, Node x, Window window, int64_t padding, int64_t count, int64_t taps)
{
    window.axis = 2;
    window.padding = constant(bench, padding), window.count = constant(bench, count);
    window.taps = constant(bench, taps);
    return build_window(bench->graph, x, window);
}
static double place(const double *x, int row, int at)
{
    return at < 0 || at >= C ? 0 : x[row * C + at];
}
static Node make_window(Bench *bench, Node x, Node b)
{
    (void)b;
    return windows_of(bench, x, (Window){.stride = 2, .dilation = 1}, 1, 3, 3);
}
static double element_window(const double *x, const double *b, int k)
{
    (void)b;
    return place(x, k / 9, 2 * (k / 3 % 3) + k % 3 - 1);
}
static Node make_dilated(Bench *bench, Node x, Node b)
{
    (void)b;
    return windows_of(bench, x, (Window){.stride = 1, .dilation = 2}, 2, 5, 2);
}
static double element_dilated(const double *x, const double *b, int k)
{
    (void)b;
    return place(x, k / 10, k / 2 % 5 + 2 * (k % 2) - 2);
}
/* Axes 1 and 2 of x, of 3 positions and 4 taps, as one of 7: positions 2 i + u - 1. */
static Node make_unwindow(Bench *bench, Node x, Node b)
{
    (void)b;
    Window window = {.axis = 1, .stride = 2, .dilation = 1, .padding = constant(bench, 1), .size = constant(bench, 7)};
    return build_unwindow(bench->graph, x, window);
}
static double element_unwindow(const double *x, const double *b, int k)
{
    (void)b;
    double sum = 0;
    for (int j = 0; j < B; j++)
        for (int u = 0; u < C; u++)
            if (2 * j + u - 1 == k % 7) sum += X(k / 7, j, u);
    return sum;
}

/* ---- gathering: rows 2, 0, 2 of axis 1; and of axis 2 with the first axis in step */

static Node make_gather(Bench *bench, Node x, Node b)
{
    (void)b;
    Node ids = integers(bench, 1, (int64_t[]){3}, (int32_t[]){2, 0, 2}, 12);
    return build_gather(bench->graph, x, ids, 1, 0);
}
static double element_gather(const double *x, const double *b, int k)
{
    (void)b;
    static const int ids[] = {2, 0, 2};
    return X(k / 12, ids[k / C % 3], k % C);
}
static const int32_t batch_ids[] = {3, 1, 0, 0};
static Node make_batch_gather(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_gather(bench->graph, x, integers(bench, 2, (int64_t[]){2, 2}, batch_ids, 16), 2, 1);
}
static double element_batch_gather(const double *x, const double *b, int k)
{
    (void)b;
    return X(k / 6, k / 2 % B, batch_ids[k / 6 * 2 + k % 2]);
}
static Node make_scatter(Bench *bench, Node x, Node b)
{
    (void)b;
    Type type = bench_type(bench, DTYPE_F32, 3, (int64_t[]){2, 5, 4});
    Node ids = integers(bench, 1, (int64_t[]){3}, (int32_t[]){4, 1, 4}, 12);
    return build_scatter_add(bench->graph, ids, x, 1, 0, &type);
}
static double element_scatter(const double *x, const double *b, int k)
{
    (void)b;
    int i = k / 20, j = k / C % 5, l = k % C;
    return j == 4 ? X(i, 0, l) + X(i, 2, l) : j == 1 ? X(i, 1, l) : 0;
}

/* ---- reductions over axes 0 and 2, leaving 3 elements; argmax over axis 2, leaving 6 */

#define REDUCTION(name, id)                                                                                            \
    static Node make_##name(Bench *bench, Node x, Node b)                                                              \
    {                                                                                                                  \
        (void)b;                                                                                                       \
        return build_reduce(bench->graph, id, x, (int32_t[]){0, 2}, 2);                                                \
    }                                                                                                                  \
    static double element_##name(const double *x, const double *b, int j)                                              \
    {                                                                                                                  \
        (void)b;                                                                                                       \
        long double r = START_##name;                                                                                  \
        for (int i = 0; i < A; i++)                                                                                    \
            for (int k = 0; k < C; k++) r = STEP_##name(r, (long double)X(i, j, k));                                   \
        return (double)END_##name(r);                                                                                  \
    }
#define START_sum 0
#define STEP_sum(r, v) (r) + (v)
#define END_sum(r) r
#define START_prod 1
#define STEP_prod(r, v) (r) * (v)
#define END_prod(r) r
#define START_reduce_max X(0, j, 0)
#define STEP_reduce_max(r, v) fmaxl(r, v)
#define END_reduce_max(r) r
#define START_reduce_min X(0, j, 0)
#define STEP_reduce_min(r, v) fminl(r, v)
#define END_reduce_min(r) r
#define START_logsumexp 0
#define STEP_logsumexp(r, v) (r) + expl(v)
#define END_logsumexp(r) logl(r)
REDUCTION(sum, OP_SUM)
REDUCTION(prod, OP_PROD)
REDUCTION(reduce_max, OP_REDUCE_MAX)
REDUCTION(reduce_min, OP_REDUCE_MIN)
REDUCTION(logsumexp, OP_LOGSUMEXP)

static Node positive(Bench *bench, Node x)
{
    return build_binary(bench->graph, OP_LT, bench_constant(bench, x, 0), x);
}
static Node make_any(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_reduce(bench->graph, OP_ANY, positive(bench, x), (int32_t[]){2}, 1);
}
static double element_any(const double *x, const double *b, int k)
{
    (void)b;
    return x[4 * k] > 0 || x[4 * k + 1] > 0 || x[4 * k + 2] > 0 || x[4 * k + 3] > 0;
}
static Node make_all(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_reduce(bench->graph, OP_ALL, positive(bench, x), (int32_t[]){2}, 1);
}
static double element_all(const double *x, const double *b, int k)
{
    (void)b;
    return x[4 * k] > 0 && x[4 * k + 1] > 0 && x[4 * k + 2] > 0 && x[4 * k + 3] > 0;
}
static Node make_argmax(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_reduce(bench->graph, OP_ARGMAX, x, (int32_t[]){2}, 1);
}
static double extreme_of(const double *x, int k, int sign)
{
    int best = 0;
    for (int l = 1; l < C; l++)
        if (sign * x[4 * k + l] > sign * x[4 * k + best]) best = l;
    return best;
}
static double element_argmax(const double *x, const double *b, int k)
{
    (void)b;
    return extreme_of(x, k, 1);
}
/* Axes 0 and 2, of which axis 1 is between; of equals the first. */
static Node make_argmax_of_two(Bench *bench, Node x, Node b)
{
    (void)b;
    x = build_unary(bench->graph, OP_ROUND, x);
    return build_reduce(bench->graph, OP_ARGMAX, x, (int32_t[]){0, 2}, 2);
}
static double element_argmax_of_two(const double *x, const double *b, int j)
{
    (void)b;
    int best = 0;
    for (int p = 1; p < A * C; p++)
        if (nearbyint(X(p / C, j, p % C)) > nearbyint(X(best / C, j, best % C))) best = p;
    return best;
}
static Node make_argmin(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_reduce(bench->graph, OP_ARGMIN, x, (int32_t[]){2}, 1);
}
static double element_argmin(const double *x, const double *b, int k)
{
    (void)b;
    return extreme_of(x, k, -1);
}

/* ---- along axis 1 */

static Node make_softmax(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_along(bench->graph, OP_SOFTMAX, x, 1);
}
static double element_softmax(const double *x, const double *b, int k)
{
    (void)b;
    long double sum = 0;
    for (int j = 0; j < B; j++) sum += expl((long double)X(k / 12, j, k % C));
    return (double)(expl((long double)x[k]) / sum);
}
static Node make_log_softmax(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_along(bench->graph, OP_LOG_SOFTMAX, x, 1);
}
static double element_log_softmax(const double *x, const double *b, int k)
{
    return log(element_softmax(x, b, k));
}
static Node make_cumsum(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_along(bench->graph, OP_CUMSUM, x, 1);
}
static double element_cumsum(const double *x, const double *b, int k)
{
    (void)b;
    double sum = 0;
    for (int j = 0; j <= k / C % B; j++) sum += X(k / 12, j, k % C);
    return sum;
}

/* ---- contraction: y[k, i, n] = sum over j of x[i, j, k] b[i, j, n]; and one that sums an axis of each alone */

static Node make_contract(Bench *bench, Node x, Node b)
{
    return build_contract(bench->graph, x, b, (int32_t[]){0, 1, 2, 0, 1, 3, 2, 0, 3}, 3);
}
static double element_contract(const double *x, const double *b, int k)
{
    double sum = 0;
    int i = k / 5 % A, n = k % 5, l = k / 10;
    for (int j = 0; j < B; j++) sum += X(i, j, l) * b[(i * B + j) * 5 + n];
    return sum;
}
static Node make_lonely(Bench *bench, Node x, Node b)
{
    return build_contract(bench->graph, x, b, (int32_t[]){0, 1, 2, 0, 3, 4, 2, 3}, 2);
}
static double element_lonely(const double *x, const double *b, int k)
{
    double sum = 0;
    for (int i = 0; i < A; i++)
        for (int j = 0; j < B; j++)
            for (int m = 0; m < 2; m++) sum += X(i, j, k / 3) * b[(i * 3 + k % 3) * 2 + m];
    return sum;
}

/* ---- others */

static Node make_select(Bench *bench, Node x, Node b)
{
    return build_select(bench->graph, positive(bench, x), b, x);
}
static double element_select(const double *x, const double *b, int k)
{
    return x[k] > 0 ? b[k] : x[k];
}
static Node make_cast(Bench *bench, Node x, Node b)
{
    (void)b;
    return build_cast(bench->graph, x, DTYPE_F64);
}

static const Row rows[] = {
    {OP_BROADCAST, "broadcast", make_broadcast, element_broadcast, {0}, false},
    {OP_RESHAPE, "reshape", make_reshape, element_same, {0}, false},
    {OP_TRANSPOSE, "transpose", make_transpose, element_transpose, {0}, false},
    {OP_SLICE, "slice", make_slice, element_slice, {0}, false},
    {OP_PAD, "pad", make_pad, element_pad, {0}, false},
    {OP_CONCAT, "concat", make_concat, element_concat, {2, 2, 4}, false},
    {OP_REVERSE, "reverse", make_reverse, element_reverse, {0}, false},
    {OP_WINDOW, "window", make_window, element_window, {0}, false},
    {OP_WINDOW, "dilated window", make_dilated, element_dilated, {0}, false},
    {OP_UNWINDOW, "unwindow", make_unwindow, element_unwindow, {0}, false},
    {OP_GATHER, "gather", make_gather, element_gather, {0}, false},
    {OP_GATHER, "gather in a batch", make_batch_gather, element_batch_gather, {0}, false},
    {OP_SCATTER_ADD, "scatter_add", make_scatter, element_scatter, {0}, false},
    {OP_SUM, "sum", make_sum, element_sum, {0}, false},
    {OP_PROD, "prod", make_prod, element_prod, {0}, false},
    {OP_REDUCE_MAX, "reduce_max", make_reduce_max, element_reduce_max, {0}, false},
    {OP_REDUCE_MIN, "reduce_min", make_reduce_min, element_reduce_min, {0}, false},
    {OP_LOGSUMEXP, "logsumexp", make_logsumexp, element_logsumexp, {0}, false},
    {OP_ANY, "any", make_any, element_any, {0}, true},
    {OP_ALL, "all", make_all, element_all, {0}, true},
    {OP_ARGMAX, "argmax", make_argmax, element_argmax, {0}, true},
    {OP_ARGMAX, "argmax over two axes", make_argmax_of_two, element_argmax_of_two, {0}, true},
    {OP_ARGMIN, "argmin", make_argmin, element_argmin, {0}, true},
    {OP_SOFTMAX, "softmax", make_softmax, element_softmax, {0}, false},
    {OP_LOG_SOFTMAX, "log_softmax", make_log_softmax, element_log_softmax, {0}, false},
    {OP_CUMSUM, "cumsum", make_cumsum, element_cumsum, {0}, false},
    {OP_CONTRACT, "contract", make_contract, element_contract, {2, 3, 5}, false},
    {OP_CONTRACT, "contract with lonely axes", make_lonely, element_lonely, {2, 3, 2}, false},
    {OP_SELECT, "select", make_select, element_select, {2, 3, 4}, false},
    {OP_CAST, "cast", make_cast, element_same, {0}, false},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* Sources are tested in test_sources.c, what guides differentiation in test_guides.c. */
Test(structural, every_operator_has_a_row)
{
    for (int op = 0; op < OP_COUNT; op++) {
        OpClass class = op_info((Op)op)->class;
        if (class == OP_CLASS_ELEMENTWISE || class == OP_CLASS_SOURCE || class == OP_CLASS_DIFFERENTIAL) continue;
        bool found = false;
        for (size_t i = 0; i < ROWS; i++) found |= rows[i].op == (Op)op;
        cr_expect(found, "%s has no row", op_info((Op)op)->spelling);
    }
}

static Node row_node(Bench *bench, const Row *row, Node *args, uint32_t *n_args)
{
    args[0] = bench_source(bench, bench_type(bench, DTYPE_F32, 3, (int64_t[]){A, B, C}), NULL, -1.5, 1.5);
    args[1] = NODE_NONE;
    *n_args = row->b_dims[0] ? 2 : 1;
    if (*n_args == 2) args[1] = bench_source(bench, bench_type(bench, DTYPE_F32, 3, row->b_dims), NULL, -1.5, 1.5);
    return row->build(bench, args[0], args[1]);
}

Test(structural, values)
{
    for (size_t i = 0; i < ROWS; i++) {
        Bench bench = bench_new();
        Node args[2];
        uint32_t n_args;
        Node y = row_node(&bench, &rows[i], args, &n_args);
        const double *x = bench_value(&bench, args[0])->data;
        const double *b = n_args == 2 ? bench_value(&bench, args[1])->data : NULL;
        double expected[256];
        int64_t count = bench_value(&bench, y)->count;
        cr_assert(count <= 256);
        for (int k = 0; k < count; k++) expected[k] = rows[i].element(x, b, k);
        bench_expect(&bench, y, expected, 1e-14, rows[i].what);
        bench_free(&bench);
    }
}

Test(structural, first_order)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].fixed) continue;
        Bench bench = bench_new();
        Node args[2];
        uint32_t n_args;
        Node y = row_node(&bench, &rows[i], args, &n_args);
        if (node_type(bench.graph, y)->dtype == DTYPE_F64) y = build_cast(bench.graph, y, DTYPE_F32);
        bench_check(&bench, y, args, n_args, rows[i].what);
        bench_free(&bench);
    }
}

/* Of (w · y)^3, so that the second derivative of a linear operator is not zero. */
Test(structural, second_order)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].fixed) continue;
        Bench bench = bench_new();
        Node args[2];
        uint32_t n_args;
        Node y = row_node(&bench, &rows[i], args, &n_args);
        Node weights = bench_source(&bench, *node_type(bench.graph, y), NULL, 0.5, 1.5);
        Node sum = build_reduce_all(bench.graph, OP_SUM, build_binary(bench.graph, OP_MUL, y, weights));
        Node cube = build_binary(bench.graph, OP_POW, sum, bench_constant(&bench, sum, 3));
        for (uint32_t k = 0; k < n_args; k++)
            bench_check(&bench, bench_gradient(&bench, cube, args[k]), args, n_args, rows[i].what);
        bench_free(&bench);
    }
}

/* With none, one, two and three zeros; of few factors to the second order, of many to the first. */
Test(structural, products_with_zeros)
{
    static const double x[] = {2, 3, 4, 2, 0, 4, 0, 0, 4, 0, 0, 0};
    static const double first[] = {12, 8, 6, 0, 8, 0, 0, 0, 0, 0, 0, 0};
    static const double second[] = {7, 6, 5, 4, 6, 2, 4, 4, 0, 0, 0, 0}; /* each the sum of the other two */
    Bench bench = bench_new();
    Node node = bench_source(&bench, bench_type(&bench, DTYPE_F32, 2, (int64_t[]){4, 3}), x, 0, 0);
    Node product = build_reduce(bench.graph, OP_PROD, node, (int32_t[]){1}, 1);
    Node gradient = bench_gradient(&bench, product, node);
    bench_expect(&bench, gradient, first, 1e-15, "few");
    bench_expect(&bench, bench_gradient(&bench, gradient, node), second, 1e-15, "few, twice");
    bench_free(&bench);
    for (int zeros = 0; zeros < 3; zeros++) {
        double values[100], expected[100] = {0};
        for (int i = 0; i < 100; i++) values[i] = i < zeros ? 0 : i % 2 ? 2 : 0.5;
        double all = zeros == 1 ? 2 : 1; /* the product of what is not 0 */
        for (int i = 0; i < 100 && zeros < 2; i++) expected[i] = zeros == 0 ? all / values[i] : i ? 0 : all;
        bench = bench_new();
        node = bench_vector(&bench, 100, values);
        product = build_reduce_all(bench.graph, OP_PROD, node);
        bench_expect(&bench, bench_gradient(&bench, product, node), expected, 1e-15, "many");
        bench_free(&bench);
    }
}

Test(structural, extremes_give_to_the_first_of_equals)
{
    static const double x[] = {1, 3, 3, 2, 3, 1}, largest[] = {0, 1, 0, 0, 0, 0}, smallest[] = {1, 0, 0, 0, 0, 0};
    Bench bench = bench_new();
    Node node = bench_source(&bench, bench_type(&bench, DTYPE_F32, 2, (int64_t[]){2, 3}), x, 0, 0);
    Node max = build_reduce_all(bench.graph, OP_REDUCE_MAX, node),
         min = build_reduce_all(bench.graph, OP_REDUCE_MIN, node);
    bench_expect(&bench, bench_gradient(&bench, max, node), largest, 0, "max");
    bench_expect(&bench, bench_gradient(&bench, min, node), smallest, 0, "min");
    bench_free(&bench);
}

/* Free sizes: the same gradient graph serves every batch. */
Test(structural, symbolic_sizes)
{
    Bench bench = bench_new();
    Graph *graph = bench.graph;
    DimTable *dims = graph_dims(graph);
    Name batch = intern(bench.context->names, "batch");
    Dim shape[] = {dim_symbol(dims, batch), dim_constant(dims, 6)}, half[] = {shape[0], dim_constant(dims, 3)};
    Dim zero[] = {dim_constant(dims, 0), dim_constant(dims, 0)};
    Node x = build_source(graph, OP_INPUT, intern(bench.context->names, "x"), type_make(DTYPE_F32, 2, shape));
    Node odd = build_slice(graph, x, zero, half, (int32_t[]){1, 2});
    Node y = build_along(graph, OP_SOFTMAX, build_concat(graph, (Node[]){odd, odd}, 2, 1), 1);
    Node total = build_reduce_all(graph, OP_SUM, build_binary(graph, OP_MUL, y, x));
    for (int64_t n = 1; n <= 3; n++) {
        double values[18];
        for (int i = 0; i < 6 * n; i++) values[i] = sin(i);
        eval_bind_size(bench.eval, batch, n);
        cr_assert(eval_bind(bench.eval, x, values, 6 * n));
        CheckResult result;
        cr_assert(check_gradients(bench.eval, graph, bench.partials, total, &x, 1, CHECK_DEFAULTS, &result));
        cr_expect_eq(result.verdict, CHECK_RIGHT, "batch %lld: errors %g and %g", (long long)n, result.forward_error,
                     result.difference_error);
    }
    bench_free(&bench);
}
