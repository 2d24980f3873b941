/* Formulas of small graphs built by hand, in both forms. */
#include <criterion/criterion.h>

#include "display/display.h"
#include "ir/build.h"

typedef struct {
    Context *context;
    Graph *graph;
} Fixture;

static Fixture fixture_new(void)
{
    Fixture f;
    f.context = context_new();
    f.graph = graph_new(f.context);
    return f;
}

static void fixture_free(Fixture *f)
{
    graph_free(f->graph);
    context_free(f->context);
}

static Node scalar(Fixture *f, Op op, const char *name)
{
    return build_source(f->graph, op, intern(f->context->names, name), type_scalar(DTYPE_F32));
}

static Node matrix(Fixture *f, const char *name, const char *rows, const char *columns)
{
    DimTable *dims = graph_dims(f->graph);
    Dim shape[2] = {dim_symbol(dims, intern(f->context->names, rows)),
                    dim_symbol(dims, intern(f->context->names, columns))};
    return build_source(f->graph, OP_INPUT, intern(f->context->names, name), type_make(DTYPE_F32, 2, shape));
}

static void expect(Fixture *f, Node node, const char *text, const char *latex)
{
    Text to = {0};
    display_formula(f->graph, node, DISPLAY_TEXT, &to);
    cr_expect_str_eq(text_get(&to), text);
    text_free(&to);
    if (!latex) return;
    display_formula(f->graph, node, DISPLAY_LATEX, &to);
    cr_expect_str_eq(text_get(&to), latex);
    text_free(&to);
}

#define B(op, x, y) build_binary(f.graph, OP_##op, x, y)
#define U(op, x) build_unary(f.graph, OP_##op, x)

Test(formula, products_and_powers_are_gathered)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), w = scalar(&f, OP_PARAM, "w");
    Node two = build_constant_like(f.graph, x, 2);
    expect(&f, B(MUL, B(MUL, x, w), x), "w * x^2", "w \\, x^{2}");
    expect(&f, B(DIV, B(MUL, two, x), B(MUL, x, x)), "2 / x", "\\frac{2}{x}");
    expect(&f, B(DIV, w, B(MUL, two, x)), "w / (2*x)", NULL);
    expect(&f, B(DIV, w, B(MUL, x, B(ADD, x, two))), "w / (x*(x + 2))", NULL);
    expect(&f, U(NEG, B(MUL, w, x)), "-w * x", NULL);
    expect(&f, B(MUL, B(SUB, x, w), B(SUB, x, w)), "(x - w)^2", "(x - w)^{2}");
    fixture_free(&f);
}

Test(formula, thirds_and_sixths_are_fractions)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), sixth = build_constant_like(f.graph, x, 1.0 / 6);
    expect(&f, B(MUL, sixth, x), "x / 6", "\\frac{x}{6}");
    expect(&f, B(ADD, B(MUL, sixth, x), sixth), "x/6 + 1/6", NULL);
    expect(&f, build_constant_like(f.graph, x, 0.0625), "0.0625", NULL);
    fixture_free(&f);
}

Test(formula, what_addends_share_stands_outside)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), y = scalar(&f, OP_INPUT, "y"), n = scalar(&f, OP_INPUT, "n");
    Node one = build_constant_like(f.graph, x, 1);
    expect(&f, B(SUB, B(DIV, x, n), B(DIV, y, n)), "(x - y) / n", NULL);
    expect(&f, B(SUB, B(MUL, x, B(SUB, one, y)), B(MUL, y, B(SUB, one, x))), "x - y", NULL);
    expect(&f, B(ADD, B(MUL, x, n), B(MUL, y, n)), "n*x + n*y", NULL);
    expect(&f, B(ADD, one, U(EXP, x)), "1 + exp(x)", NULL);
    fixture_free(&f);
}

Test(formula, sums_over_their_count_are_means)
{
    Fixture f = fixture_new();
    DimTable *dims = graph_dims(f.graph);
    Node x = matrix(&f, "x", "n", "m");
    Node total = build_reduce_all(f.graph, OP_SUM, x);
    Node n = build_size(f.graph, dim_symbol(dims, intern(f.context->names, "n")), DTYPE_F32);
    Node m = build_size(f.graph, dim_symbol(dims, intern(f.context->names, "m")), DTYPE_F32);
    expect(&f, B(DIV, total, B(MUL, n, m)), "mean(x)", NULL);
    expect(&f, B(DIV, total, n), "sum(x) / n", NULL);
    fixture_free(&f);
}

Test(formula, sums_are_gathered_and_begin_positive)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), y = scalar(&f, OP_INPUT, "y");
    Node one = build_constant_like(f.graph, x, 1);
    expect(&f, B(SUB, one, x), "1 - x", "1 - x");
    expect(&f, B(ADD, U(NEG, x), y), "y - x", NULL);
    expect(&f, B(ADD, B(ADD, x, y), x), "2*x + y", NULL);
    expect(&f, B(SUB, B(ADD, x, y), x), "y", NULL);
    expect(&f, B(SUB, x, x), "0", NULL);
    expect(&f, B(SUB, U(NEG, x), one), "-x - 1", NULL);
    fixture_free(&f);
}

Test(formula, names_of_the_user_are_kept)
{
    Fixture f = fixture_new();
    Node w = scalar(&f, OP_PARAM, "w0"), x = scalar(&f, OP_INPUT, "x0");
    Node z = B(MUL, w, x), L = U(SIGMOID, z);
    expect(&f, L, "sigmoid(w0 * x0)", "\\sigma(w_{0} \\, x_{0})");
    graph_set_name(f.graph, L, intern(f.context->names, "L"));
    Node gradient = B(MUL, w, B(MUL, L, B(SUB, build_constant_like(f.graph, L, 1), L)));
    expect(&f, gradient, "w0 * L * (1 - L)", "w_{0} \\, L \\, (1 - L)");
    expect(&f, L, "sigmoid(w0 * x0)", NULL);
    fixture_free(&f);
}

Test(formula, a_name_stands_for_one_value_only)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), first = U(EXP, x), second = U(SIN, first);
    graph_set_name(f.graph, first, intern(f.context->names, "h")); /* h = exp(x); h = sin(h) */
    graph_set_name(f.graph, second, intern(f.context->names, "h"));
    expect(&f, B(MUL, second, U(COS, first)), "h * cos(exp(x))", NULL);
    expect(&f, second, "sin(exp(x))", NULL);
    Node again = U(TANH, x); /* x = tanh(x) */
    graph_set_name(f.graph, again, intern(f.context->names, "x"));
    expect(&f, B(ADD, again, x), "x + tanh(x)", NULL);
    fixture_free(&f);
}

Test(formula, matrices_are_products_with_transposes)
{
    Fixture f = fixture_new();
    Node x = matrix(&f, "x", "n", "i"), dy = matrix(&f, "dy", "n", "o");
    const int32_t labels[] = {0, 1, 0, 2, 1, 2};
    Node dw = build_contract(f.graph, x, dy, labels, 2);
    expect(&f, dw, "x.T @ dy", "x^{\\top} \\, \\mathit{dy}");
    const int32_t axes[] = {0};
    expect(&f, build_reduce(f.graph, OP_SUM, dy, axes, 1), "sum(dy, axis = 0)", NULL);
    /* what `@` cannot say */
    Node s = scalar(&f, OP_INPUT, "s"), w = build_reduce(f.graph, OP_SUM, x, axes, 1);
    graph_set_name(f.graph, w, intern(f.context->names, "w"));
    expect(&f, build_contract(f.graph, s, w, (int32_t[]){0, 0}, 1), "contract(s, w, [], [i] -> [i])", NULL);
    expect(&f, build_contract(f.graph, w, s, (int32_t[]){0, 0}, 1), "contract(w, s, [i], [] -> [i])", NULL);
    expect(&f, build_contract(f.graph, s, s, NULL, 0), "contract(s, s, [], [] -> [])", NULL);
    fixture_free(&f);
}

Test(formula, shared_terms_get_a_line_of_their_own)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), y = scalar(&f, OP_INPUT, "y");
    Node shared = U(EXP, B(ADD, x, y)), first = U(SIN, shared), second = U(COS, shared);
    expect(&f, B(ADD, first, second), "t1 = exp(x + y)\nsin(t1) + cos(t1)", NULL);
    fixture_free(&f);
}

Test(formula, choices_and_comparisons)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), y = scalar(&f, OP_INPUT, "y"), zero = build_constant_like(f.graph, x, 0);
    Node two = build_constant_like(f.graph, x, 2), half = build_constant_like(f.graph, x, -0.5);
    expect(&f, build_select(f.graph, B(LE, x, zero), zero, x), "relu(x)", "\\operatorname{relu}(x)");
    expect(&f, build_select(f.graph, B(LE, x, zero), y, x), "if x > 0 then x else y",
           "\\begin{cases} x & \\text{if } x > 0 \\\\ y & \\text{otherwise} \\end{cases}");
    expect(&f, build_select(f.graph, B(LT, x, y), zero, x), "if x >= y then x else 0", NULL);
    expect(&f, build_select(f.graph, B(LT, zero, x), x, y), "if x > 0 then x else y", NULL);
    /* 2 <= 2 - x/2, 0 < 2 - x/2 */
    Node line = B(ADD, B(MUL, half, x), two);
    expect(&f, build_select(f.graph, B(LE, two, line), x, y), "if x > 0 then y else x", NULL);
    expect(&f, build_select(f.graph, B(LT, zero, line), x, y), "if x < 4 then x else y", NULL);
    Node within = B(AND, B(LT, x, two), B(LT, half, x));
    expect(&f, build_select(f.graph, within, x, y), "if x > -0.5 and x < 2 then x else y", NULL);
    fixture_free(&f);
}

Test(formula, a_rectified_value_tells_whether_it_is_positive)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), y = scalar(&f, OP_INPUT, "y"), zero = build_constant_like(f.graph, x, 0);
    Node z = B(ADD, x, y), h = build_select(f.graph, B(LE, z, zero), zero, z);
    graph_set_name(f.graph, h, intern(f.context->names, "h"));
    expect(&f, B(MUL, h, build_select(f.graph, B(LE, z, zero), zero, y)), "h * (if h > 0 then y else 0)", NULL);
    expect(&f, B(MUL, h, build_select(f.graph, B(LT, z, zero), zero, y)), "h * (if x + y >= 0 then y else 0)", NULL);
    fixture_free(&f);
}

Test(formula, roots_of_two_and_pi)
{
    Fixture f = fixture_new();
    Node x = scalar(&f, OP_INPUT, "x"), y = scalar(&f, OP_INPUT, "y");
    static const struct {
        double number;
        const char *product, *sum;
    } cases[] = {
        {0.70710678118654752, "x / sqrt(2)", "x / sqrt(2) + y"},
        {1.41421356237309505, "sqrt(2) * x", "sqrt(2)*x + y"},
        {1.12837916709551257, "2 * x / sqrt(pi)", "2 * x / sqrt(pi) + y"},
        {-0.39894228040143268, "-x / sqrt(2 * pi)", "y - x / sqrt(2 * pi)"},
        {0.79788456080286536, "sqrt(2 / pi) * x", "sqrt(2 / pi) * x + y"},
        {1.57079632679489662, "0.5 * pi * x", "0.5*pi*x + y"},
        {0.7071, "0.7071 * x", "0.7071*x + y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Node product = B(MUL, build_constant_like(f.graph, x, cases[i].number), x);
        expect(&f, product, cases[i].product, NULL);
        expect(&f, B(ADD, product, y), cases[i].sum, NULL);
    }
    fixture_free(&f);
}

Test(formula, products_of_elements_are_told_from_products_of_matrices)
{
    Fixture f = fixture_new();
    Node x = matrix(&f, "x", "n", "m"), y = matrix(&f, "y", "n", "m"), w = matrix(&f, "w", "m", "m");
    const int32_t labels[] = {0, 1, 1, 2, 0, 2};
    expect(&f, B(MUL, x, y), "x * y", "x \\, y");
    expect(&f, build_contract(f.graph, B(MUL, x, y), w, labels, 2), "x * y @ w", "(x \\odot y) \\, w");
    expect(&f, B(MUL, build_contract(f.graph, x, w, labels, 2), y), "x @ w * y", "x \\, w \\odot y");
    fixture_free(&f);
}
