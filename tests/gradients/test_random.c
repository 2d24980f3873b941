/* Random programs full of branches: wherever the forward product is finite, so is the reverse product, and they agree.
 * The forward product needs no gates (a select of tangents drops what is not taken), so it is the measure. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "gradients.h"
#include "ir/window.h"

enum { PROGRAMS = 1500, STEPS = 20, INPUTS = 3, WIDTH = 4 };

typedef struct {
    Bench *bench;
    uint64_t state;
    Node pool[INPUTS + STEPS];
    uint32_t count;
} Program;

static uint32_t pick(Program *program, uint32_t below)
{
    program->state = program->state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(program->state >> 33) % below;
}

static Node any_value(Program *program)
{
    return program->pool[pick(program, program->count)];
}

static Node condition(Program *program)
{
    Graph *graph = program->bench->graph;
    Node x = any_value(program);
    return build_binary(graph, OP_LT, pick(program, 3) ? bench_constant(program->bench, x, 0) : any_value(program), x);
}

/* A total of the rows, or of everything, given back to each element. */
static Node spread_total(Program *program, Node x)
{
    Graph *graph = program->bench->graph;
    const Type type = *node_type(graph, x);
    if (pick(program, 2)) return build_splat(graph, build_reduce_all(graph, OP_SUM, x), &type);
    return build_unreduce(graph, build_reduce(graph, OP_SUM, x, (int32_t[]){1}, 1), &type, (int32_t[]){1}, 1);
}

static Node moved(Program *program, Node x)
{
    Graph *graph = program->bench->graph;
    Window window = {.axis = pick(program, 2), .stride = 1 + (int32_t)pick(program, 2), .dilation = 1};
    switch (pick(program, 5)) {
    case 4:
        window.size = window.count = node_type(graph, x)->dims[window.axis];
        window.padding = dim_constant(graph_dims(graph), pick(program, 2));
        window.taps = dim_constant(graph_dims(graph), 2);
        return build_unwindow(graph, build_window(graph, x, window), window);
    case 0:
        return build_transpose(graph, x, (int32_t[]){1, 0});
    case 1:
        return build_reverse(graph, x, (int32_t[]){1}, 1);
    case 2:
        return build_along(graph, pick(program, 2) ? OP_SOFTMAX : OP_CUMSUM, x, 1);
    default:
        return spread_total(program, x);
    }
}

static Node step(Program *program)
{
    static const Op unary[] = {OP_LOG, OP_SQRT, OP_RSQRT, OP_EXPM1, OP_NEG, OP_TANH, OP_LOG1P};
    static const Op binary[] = {OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MAX};
    Graph *graph = program->bench->graph;
    Node x = any_value(program);
    switch (pick(program, 10)) {
    case 0:
    case 1:
    case 2:
        return build_unary(graph, unary[pick(program, sizeof unary / sizeof *unary)], x);
    case 3:
    case 4:
    case 5:
        return build_binary(graph, binary[pick(program, sizeof binary / sizeof *binary)], x, any_value(program));
    case 6:
        return moved(program, x);
    default:
        return build_select(graph, condition(program), x, any_value(program));
    }
}

/* The sum of what is finite: a value minus itself is 0 only then. */
static Node finite_total(Program *program)
{
    Graph *graph = program->bench->graph;
    Node x = program->pool[program->count - 1], zero = bench_constant(program->bench, x, 0);
    Node finite = build_binary(graph, OP_EQ, build_binary(graph, OP_SUB, x, x), zero);
    return build_reduce_all(graph, OP_SUM, build_select(graph, finite, x, zero));
}

typedef struct {
    Node inputs[INPUTS], directions[INPUTS];
} Point;

/* True if the total's two products agree; false when the forward product cannot decide. *slope: the reverse product. */
static bool judge(Bench *bench, const Point *at, Node total, uint64_t seed, int order, Node *slope)
{
    Graph *graph = bench->graph;
    Node gradients[INPUTS], one = bench_constant(bench, total, 1), tangent, size = bench_constant(bench, total, 0);
    cr_assert(autodiff_forward(graph, bench->partials, &total, 1, at->inputs, at->directions, INPUTS, &tangent));
    cr_assert(autodiff_reverse(graph, bench->partials, total, one, at->inputs, INPUTS, gradients));
    *slope = size;
    for (int i = 0; i < INPUTS; i++) {
        Node product = build_binary(graph, OP_MUL, gradients[i], at->directions[i]);
        Node positive = build_reduce_all(graph, OP_SUM, build_unary(graph, OP_ABS, product));
        *slope = build_binary(graph, OP_ADD, *slope, build_reduce_all(graph, OP_SUM, product));
        size = build_binary(graph, OP_ADD, size, positive);
    }
    double forward = bench_number(bench, tangent);
    if (!isfinite(forward) || forward == 0) return false;
    double reverse = bench_number(bench, *slope), scale = bench_number(bench, size);
    cr_expect(fabs(forward - reverse) <= 1e-9 * fmax(1, scale), "program %llu, order %d: forward %.12g, reverse %.12g",
              (unsigned long long)seed, order, forward, reverse);
    return true;
}

/* The number of orders that could be judged. */
static int try_program(uint64_t seed)
{
    Bench bench = bench_new();
    Program program = {.bench = &bench, .state = seed * 977 + 13};
    Type type = bench_type(&bench, DTYPE_F32, 2, (int64_t[]){WIDTH, WIDTH});
    Point at;
    for (int i = 0; i < INPUTS; i++) {
        double values[WIDTH * WIDTH];
        for (int k = 0; k < WIDTH * WIDTH; k++) values[k] = ((int)pick(&program, 9) - 4) / 2.0; /* often 0 */
        program.pool[program.count++] = at.inputs[i] = bench_source(&bench, type, values, 0, 0);
        at.directions[i] = bench_source(&bench, type, NULL, 0.5, 1.5);
    }
    while (program.count < INPUTS + STEPS) {
        Node next = step(&program);
        program.pool[program.count++] = next;
    }
    int judged = 0;
    Node total = finite_total(&program), slope;
    for (int order = 1; order <= 2 && judge(&bench, &at, total, seed, order, &slope); order++, total = slope) judged++;
    bench_free(&bench);
    return judged;
}

Test(random, products_agree_whatever_is_not_taken)
{
    int judged = 0;
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) judged += try_program(seed);
    cr_expect_gt(judged, PROGRAMS / 4, "only %d programs were judged", judged);
}
