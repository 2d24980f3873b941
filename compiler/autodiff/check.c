#include "autodiff/check.h"

#include <math.h>
#include <string.h>

#include "autodiff/autodiff.h"
#include "ir/build.h"
#include "nn_random.h"
#include "support/memory.h"

typedef struct {
    Eval *eval;
    Graph *graph;
    CheckOptions options;
    Node loss, slope; /* the scalar, and its forward product */
    const Node *xs;
    Node *gradients, *tangents; /* tangents: the sources that stand for the directions */
    double value;
    bool custom; /* a user's derivative takes part */
} Checker;

/* Standard normal by Box and Muller (1958), of a counter. */
static double normal(uint64_t seed, uint32_t stream, uint64_t index)
{
    double u = nn_random_uniform(seed, stream, 0, 2 * index), v = nn_random_uniform(seed, stream, 0, 2 * index + 1);
    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static bool value_at(Checker *checker, Node x, const double *base, const double *direction, int64_t count, double step,
                     double *value)
{
    const Tensor *result;
    double *moved = memory_alloc((size_t)(count ? count : 1) * sizeof *moved);
    for (int64_t i = 0; i < count; i++) moved[i] = base[i] + step * direction[i];
    bool ok = eval_bind(checker->eval, x, moved, count) && eval_run(checker->eval, &checker->loss, 1, &result);
    if (ok) *value = result->data[0];
    memory_free(moved);
    return ok;
}

/* Relative to the larger of both, or to the noise where both drown in it. */
static double relative(double a, double b, double noise)
{
    if (isnan(a) || isnan(b)) return INFINITY;
    return a == b ? 0 : fabs(a - b) / fmax(noise, fmax(fabs(a), fabs(b)));
}

/* True if two numbers differ by more than a part of the larger, and more than rounding explains. */
static bool differ(double a, double b, double part, double noise)
{
    return !(fabs(a - b) <= noise) && relative(a, b, 0) > part;
}

typedef struct {
    double slope, noise;
    bool bent;
} Difference;

/* Central differences at two steps, extrapolated (Richardson 1911), until they confirm the expected slope. The step
 * shrinks, away from kinks nearby, as long as rounding leaves enough digits to decide. The value bends here when even
 * then the slopes to both sides differ. */
static bool difference(Checker *checker, Node x, const double *base, const double *direction, int64_t count,
                       double expected, Difference *result)
{
    double size = 0, tolerance = checker->options.tolerance, up, down, half_up, half_down;
    for (int64_t i = 0; i < count; i++) size = fmax(size, fabs(base[i]));
    double step = 1e-4 * fmax(size, 1e-2), noise = 1e-14 * fabs(checker->value) / step;
    do {
        if (!value_at(checker, x, base, direction, count, step, &up) ||
            !value_at(checker, x, base, direction, count, -step, &down) ||
            !value_at(checker, x, base, direction, count, step / 2, &half_up) ||
            !value_at(checker, x, base, direction, count, -step / 2, &half_down))
            return false;
        double coarse = (up - down) / (2 * step), fine = (half_up - half_down) / step;
        double left = (checker->value - half_down) / (step / 2), right = (half_up - checker->value) / (step / 2);
        *result = (Difference){.slope = (4 * fine - coarse) / 3, .noise = noise};
        result->bent = differ(left, right, 1e-2, noise);
        if (!differ(expected, result->slope, tolerance, noise)) break;
        step /= 8, noise *= 8;
    } while (noise < 0.1 * tolerance * fabs(expected));
    return true;
}

/* The dot product; *size receives that of the absolute values, to which its rounding is relative. */
static double dot(const double *a, const double *b, int64_t count, double *size)
{
    double sum = 0;
    *size = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += a[i] * b[i];
        *size += fabs(a[i] * b[i]);
    }
    return sum;
}

/* One direction of one tensor; the direction is that tangent's value, all other tangents are zero. */
static bool check_direction(Checker *checker, uint32_t which, const double *base, const double *direction,
                            int64_t count, CheckResult *result)
{
    Node nodes[] = {checker->slope, checker->gradients[which]}, x = checker->xs[which];
    const Tensor *values[2];
    if (!eval_bind(checker->eval, checker->tangents[which], direction, count)) return false;
    if (!eval_run(checker->eval, nodes, 2, values)) return false;
    double size, forward = values[0]->data[0], reverse = dot(values[1]->data, direction, count, &size);

    Difference measured;
    bool ok = difference(checker, x, base, direction, count, forward, &measured);
    if (!ok || !eval_bind(checker->eval, x, base, count)) return false;
    /* A gradient that is zero since all cancels is known no better than the value itself. */
    double rounding = 1e-14 * fabs(checker->value);
    double forward_error = relative(reverse, forward, rounding);
    double difference_error = relative(forward, measured.slope, measured.noise);
    if (forward_error + difference_error >= result->forward_error + result->difference_error) result->slope = reverse;
    result->forward_error = fmax(result->forward_error, forward_error);
    result->difference_error = fmax(result->difference_error, difference_error);

    double tolerance = checker->options.tolerance;
    CheckVerdict verdict = CHECK_RIGHT;
    if (differ(reverse, forward, tolerance, fmax(rounding, 1e-12 * size)))
        verdict = checker->custom ? CHECK_DECLARED : CHECK_WRONG;
    else if (differ(forward, measured.slope, tolerance, measured.noise))
        verdict = measured.bent ? CHECK_KINK : CHECK_WRONG;
    if (verdict > result->verdict) result->verdict = verdict;
    return true;
}

static bool check_tensor(Checker *checker, uint32_t which, CheckResult *result)
{
    const Tensor *x;
    *result = (CheckResult){.node = checker->xs[which]};
    if (!eval_run(checker->eval, &checker->xs[which], 1, &x)) return false;
    int64_t count = x->count;
    double *base = memory_alloc(2 * (size_t)(count ? count : 1) * sizeof *base), *direction = base + count;
    memcpy(base, x->data, (size_t)count * sizeof *base);
    bool ok = true;
    for (uint32_t d = 0; ok && d < checker->options.directions; d++) {
        for (int64_t i = 0; i < count; i++) direction[i] = normal(checker->options.seed + d, which, (uint64_t)i);
        ok = check_direction(checker, which, base, direction, count, result);
    }
    memset(direction, 0, (size_t)count * sizeof *direction);
    ok = ok && eval_bind(checker->eval, checker->tangents[which], direction, count);
    memory_free(base);
    return ok;
}

/* Binds every stopped gradient beneath the loss to its value here, and notes derivatives of the user's own. */
static bool hold_stopped(Checker *checker)
{
    uint32_t n;
    Node *order = graph_reachable(checker->graph, &checker->loss, 1, &n);
    bool ok = true;
    for (uint32_t i = 0; ok && i < n; i++) {
        const Tensor *value;
        Op op = node_op(checker->graph, order[i]);
        checker->custom |= op == OP_CUSTOM_GRADIENT;
        if (op != OP_STOP_GRADIENT) continue;
        ok = eval_run(checker->eval, &order[i], 1, &value);
        if (!ok) break;
        double *copy = memory_alloc((size_t)(value->count + 1) * sizeof *copy);
        memcpy(copy, value->data, (size_t)value->count * sizeof *copy);
        ok = eval_bind(checker->eval, order[i], copy, value->count);
        memory_free(copy);
    }
    memory_free(order);
    return ok;
}

static bool zero_tangents(Checker *checker, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t dims[MAX_RANK], size;
        if (!eval_sizes(checker->eval, node_type(checker->graph, checker->tangents[i]), dims, &size)) return false;
        double *zeros = memory_calloc((size_t)size + 1, sizeof *zeros);
        bool ok = eval_bind(checker->eval, checker->tangents[i], zeros, size);
        memory_free(zeros);
        if (!ok) return false;
    }
    return true;
}

bool check_gradients(Eval *eval, Graph *graph, const RuleSet *partials, Node loss, const Node *xs, uint32_t count,
                     CheckOptions options, CheckResult *results)
{
    Context *context = graph_context(graph);
    Checker checker = {.eval = eval, .graph = graph, .options = options, .loss = loss, .xs = xs};
    checker.gradients = ARENA_ARRAY(context->arena, Node, count + 1);
    checker.tangents = ARENA_ARRAY(context->arena, Node, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        Type type = *node_type(graph, xs[i]);
        Name name = intern_format(context->names, "tangent %u", i);
        checker.tangents[i] = build_source(graph, OP_INPUT, name, type_with(type, type.dtype));
    }
    if (!autodiff_expand(graph, partials, &checker.loss, 1)) return false;
    loss = checker.loss;
    Node one = build_constant_like(graph, loss, 1);
    if (!autodiff_reverse(graph, partials, loss, one, xs, count, checker.gradients)) return false;
    if (!autodiff_forward(graph, partials, &loss, 1, xs, checker.tangents, count, &checker.slope)) return false;

    const Tensor *value;
    if (!hold_stopped(&checker) || !zero_tangents(&checker, count)) return false;
    if (!eval_run(eval, &loss, 1, &value)) return false;
    checker.value = value->data[0];
    for (uint32_t i = 0; i < count; i++)
        if (!check_tensor(&checker, i, &results[i])) return false;
    return true;
}
