/* Integers from end to end: every operator over every pair of types without fractions at the ends of both, over pairs
 * with floats, and beside numbers in the text that the type may or may not hold; compiled code against arithmetic in
 * 128 bits, wrapped around. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nnc/nnc.h"

__extension__ typedef __int128 Wide;

typedef struct {
    const char *name;
    nn_type type;
    int64_t least, most;
} Kind;

static const Kind kinds[] = {{"bool", NN_TYPE_BOOL, 0, 1},
                             {"u8", NN_TYPE_U8, 0, 255},
                             {"i32", NN_TYPE_I32, INT32_MIN, INT32_MAX},
                             {"i64", NN_TYPE_I64, INT64_MIN, INT64_MAX}};
enum { U8 = 1, I32 = 2, KINDS = sizeof kinds / sizeof *kinds, MOST = 16 };

static const int64_t ends[] = {INT64_MIN, -9007199254740993, INT32_MIN - 1LL,  INT32_MIN, -1, 0, 1, 2, 128, 255, 256,
                               INT32_MAX, INT32_MAX + 1LL,   9007199254740993, INT64_MAX};
enum { ENDS = sizeof ends / sizeof *ends };

static bool holds(const Kind *kind, int64_t value)
{
    return value >= kind->least && value <= kind->most;
}

static int64_t wrap(const Kind *kind, Wide value)
{
    return kind->type == NN_TYPE_U8 ? (uint8_t)value : kind->type == NN_TYPE_I32 ? (int32_t)value : (int64_t)value;
}

static int values_of(const Kind *kind, int64_t *values)
{
    int count = 0;
    for (int i = 0; i < ENDS; i++)
        if (holds(kind, ends[i])) values[count++] = ends[i];
    return count;
}

/* What is computed with values of a type, and where two types meet. */
static const Kind *computed(const Kind *kind)
{
    return kind < &kinds[I32] ? &kinds[I32] : kind;
}

static const Kind *wider(const Kind *a, const Kind *b)
{
    return a > b ? a : b;
}

static Wide floor_quotient(Wide x, Wide y)
{
    return y ? x / y - (x % y && (x < 0) != (y < 0)) : 0;
}

typedef enum { BOOL, COMPUTED, STORED } ResultType;

static const struct {
    const char *text;
    ResultType type;
    bool literals; /* also beside a number in the text, on either side */
} operators[] = {
    {"(A) + (B)", COMPUTED, true},        {"(A) - (B)", COMPUTED, true},
    {"(A) * (B)", COMPUTED, true},        {"(A) // (B)", COMPUTED, true},
    {"(A) % (B)", COMPUTED, true},        {"max((A), (B))", COMPUTED, true},
    {"min((A), (B))", COMPUTED, true},    {"(A) == (B)", BOOL, true},
    {"(A) != (B)", BOOL, true},           {"(A) < (B)", BOOL, true},
    {"(A) <= (B)", BOOL, true},           {"(A) > (B)", BOOL, true},
    {"(A) >= (B)", BOOL, true},           {"if (A) < (B) then (A) else (B)", STORED, false},
    {"-(A) + 0 * (B)", COMPUTED, false},  {"abs(A) + 0 * (B)", COMPUTED, false},
    {"(A)^2 + 0 * (B)", COMPUTED, false},
};
enum { OPERATORS = sizeof operators / sizeof *operators, SQUARE = OPERATORS - 1 };

static Wide reference(int op, Wide a, Wide b)
{
    switch (op) {
    case 0:
        return a + b;
    case 1:
        return a - b;
    case 2:
        return (Wide)((uint64_t)a * (uint64_t)b);
    case 3:
        return floor_quotient(a, b);
    case 4:
        return b ? a - b * floor_quotient(a, b) : 0;
    case 5:
        return a > b ? a : b;
    case 6:
    case 13:
        return a < b ? a : b;
    case 7:
        return a == b;
    case 8:
        return a != b;
    case 9:
        return a < b;
    case 10:
        return a <= b;
    case 11:
        return a > b;
    case 12:
        return a >= b;
    case 14:
        return -a;
    case 15:
        return a < 0 ? -a : a;
    default:
        return (Wide)((uint64_t)a * (uint64_t)a);
    }
}

/* The operator's text with its operands put in. */
static void put_operator(char *to, size_t size, int op, const char *a, const char *b)
{
    size_t n = 0;
    for (const char *at = operators[op].text; *at; at++) {
        if (*at == 'A' || *at == 'B')
            n += (size_t)snprintf(to + n, size - n, "%s", *at == 'A' ? a : b);
        else
            n += (size_t)snprintf(to + n, size - n, "%c", *at);
    }
}

static bool try_compile(const char *text, nn_session **session)
{
    nn_model *model;
    nn_params *params;
    nnc_compiler *compiler = nnc_new();
    bool good = !nnc_compile(compiler, NULL, text, NULL, &model);
    if (!good && session) cr_log_error("%s\n%s", text, nnc_diagnostics(compiler));
    bool fit = good || strstr(nnc_diagnostics(compiler), "number-out-of-range");
    cr_expect(fit, "%s: %s", text, nnc_diagnostics(compiler));
    nnc_free(compiler);
    if (!good) return false;
    if (session) {
        cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0);
        cr_assert_eq(nn_session_new(params, NULL, session), 0);
        nn_params_free(params);
    }
    nn_model_free(model);
    return true;
}

static void store(const Kind *kind, void *to, int i, int64_t value)
{
    if (kind->type == NN_TYPE_U8 || kind->type == NN_TYPE_BOOL)
        ((uint8_t *)to)[i] = (uint8_t)value;
    else if (kind->type == NN_TYPE_I32)
        ((int32_t *)to)[i] = (int32_t)value;
    else
        ((int64_t *)to)[i] = value;
}

static void expect_values(nn_session *session, const char *label, const char *name, const Kind *kind,
                          const int64_t *expected, int count)
{
    const void *at;
    nn_type type;
    int64_t found[MOST * MOST];
    cr_assert_eq(nn_session_result(session, name, &at, &type, NULL, NULL), 0, "%s", nn_message());
    cr_expect_eq(type, kind ? kind->type : NN_TYPE_BOOL, "%s %s is %s", label, name, nn_type_name(type));
    cr_assert_eq(nn_session_get(session, name, NN_TYPE_I64, found, (size_t)count), 0, "%s", nn_message());
    for (int i = 0; i < count; i++)
        cr_expect_eq(found[i], expected[i], "%s %s, element %d: %" PRId64 ", not %" PRId64, label, name, i, found[i],
                     expected[i]);
}

static void check_pair(const Kind *a, const Kind *b)
{
    char text[4000], line[200], label[32];
    size_t n = (size_t)snprintf(text, sizeof text, "model m {\n input a: %s[n]\n input b: %s[n]\n", a->name, b->name);
    for (int op = 0; op < OPERATORS; op++) {
        put_operator(line, sizeof line, op, "a", "b");
        n += (size_t)snprintf(text + n, sizeof text - n, " output o%d = %s\n", op, line);
    }
    snprintf(text + n, sizeof text - n, "}\n");
    snprintf(label, sizeof label, "%s, %s", a->name, b->name);
    nn_session *session;
    cr_assert(try_compile(text, &session));
    int64_t p[MOST], q[MOST], xs[MOST * MOST], ys[MOST * MOST], expected[MOST * MOST], wide_x[MOST * MOST],
        wide_y[MOST * MOST];
    int n_p = values_of(a, p), n_q = values_of(b, q), count = 0;
    for (int i = 0; i < n_p; i++)
        for (int j = 0; j < n_q; j++, count++) {
            xs[count] = p[i], ys[count] = q[j];
            store(a, wide_x, count, p[i]);
            store(b, wide_y, count, q[j]);
        }
    const int64_t dims[] = {count};
    const void *inputs[] = {wide_x, wide_y};
    cr_assert_eq(nn_session_forward(session, dims, 1, inputs, 2, 0), 0, "%s", nn_message());
    for (int op = 0; op < OPERATORS; op++) {
        const Kind *stored = wider(a, b), *kind = operators[op].type == STORED ? stored : computed(stored);
        if (operators[op].type == BOOL || (kind && kind->type == NN_TYPE_BOOL)) kind = NULL;
        if (op == SQUARE && a->type == NN_TYPE_BOOL) continue; /* a real number */
        for (int i = 0; i < count; i++) {
            Wide value = reference(op, xs[i], ys[i]);
            if (op > 13) value = wrap(computed(a), value); /* of a alone, before it meets b */
            expected[i] = kind ? wrap(kind, value) : (int64_t)value;
        }
        snprintf(line, sizeof line, "o%d", op);
        expect_values(session, label, line, kind, expected, count);
    }
    nn_session_free(session);
}

Test(integers, operators_over_pairs_of_types, .timeout = 120)
{
    for (int a = 0; a < KINDS; a++)
        for (int b = 0; b < KINDS; b++) check_pair(&kinds[a], &kinds[b]);
}

/* ---- Beside a float an integer becomes one of its type ---- */

static const double reals[] = {-9.25e18, -16777217, -2.5, -1, 0, 0.5, 1, 3, 255, 16777217, 4294967296.5, 1e19};
enum { REALS = sizeof reals / sizeof *reals };

/* In the arithmetic of f32 each result is rounded once. */
static double real_reference(int op, bool single, double x, double y)
{
    double results[] = {x + y, x - y, x * y, 0, 0, x > y ? x : y, x < y ? x : y, x == y, x != y, x<y, x <= y, x> y,
                        x >= y};
    return single ? (double)(float)results[op] : results[op];
}

static void check_beside_float(const Kind *a, bool single)
{
    static const int ops[] = {0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12};
    enum { OPS = sizeof ops / sizeof *ops };
    const char *real = single ? "f32" : "f64";
    char text[2000], line[100];
    size_t n = (size_t)snprintf(text, sizeof text, "model m {\n input a: %s[n]\n input b: %s[n]\n", a->name, real);
    for (int i = 0; i < OPS; i++) {
        put_operator(line, sizeof line, ops[i], "a", "b");
        n += (size_t)snprintf(text + n, sizeof text - n, " output o%d = %s\n", ops[i], line);
    }
    snprintf(text + n, sizeof text - n, "}\n");
    nn_session *session;
    cr_assert(try_compile(text, &session));
    int64_t values[MOST], memory_a[MOST * REALS];
    double memory_b[MOST * REALS], found[MOST * REALS];
    int n_values = values_of(a, values), count = n_values * REALS;
    for (int i = 0; i < count; i++) {
        store(a, memory_a, i, values[i / REALS]);
        if (single)
            ((float *)memory_b)[i] = (float)reals[i % REALS];
        else
            memory_b[i] = reals[i % REALS];
    }
    const int64_t dims[] = {count};
    const void *inputs[] = {memory_a, memory_b};
    cr_assert_eq(nn_session_forward(session, dims, 1, inputs, 2, 0), 0, "%s", nn_message());
    for (int k = 0; k < OPS; k++) {
        const void *at;
        nn_type type;
        snprintf(line, sizeof line, "o%d", ops[k]);
        cr_assert_eq(nn_session_result(session, line, &at, &type, NULL, NULL), 0, "%s", nn_message());
        cr_expect_str_eq(nn_type_name(type), operators[ops[k]].type == BOOL ? "bool" : real);
        cr_assert_eq(nn_session_get(session, line, NN_TYPE_F64, found, (size_t)count), 0, "%s", nn_message());
        for (int i = 0; i < count; i++) {
            int64_t whole = values[i / REALS];
            double x = single ? (double)(float)whole : (double)whole;
            double y = single ? (double)(float)reals[i % REALS] : reals[i % REALS];
            double expected = real_reference(ops[k], single, x, y);
            cr_expect_eq(found[i], expected, "%s of %s %" PRId64 " and %s %g: %g, not %g", operators[ops[k]].text,
                         a->name, whole, real, y, found[i], expected);
        }
    }
    nn_session_free(session);
}

Test(integers, operators_beside_floats, .timeout = 120)
{
    for (int a = 0; a < KINDS; a++)
        for (int single = 0; single < 2; single++) check_beside_float(&kinds[a], single);
}

/* One operator between a tensor and each number in the text, on either side. */
static void check_literals(const Kind *kind, int op)
{
    char literal[32], line[200], text[8000];
    bool comparison = operators[op].type == BOOL, good[2 * ENDS];
    size_t n = (size_t)snprintf(text, sizeof text, "model m {\n input x: %s[n]\n output x\n", kind->name);
    for (int i = 0; i < 2 * ENDS; i++) {
        snprintf(literal, sizeof literal, "%" PRId64, ends[i / 2]);
        put_operator(line, sizeof line, op, i % 2 ? literal : "x", i % 2 ? "x" : literal);
        good[i] = comparison || holds(computed(kind), ends[i / 2]);
        if (good[i]) {
            n += (size_t)snprintf(text + n, sizeof text - n, " output o%d = %s\n", i, line);
            continue;
        }
        char refused[400];
        snprintf(refused, sizeof refused, "model m {\n input x: %s[n]\n output y = %s\n}\n", kind->name, line);
        cr_expect_not(try_compile(refused, NULL), "%s", refused);
    }
    snprintf(text + n, sizeof text - n, "}\n");
    nn_session *session = NULL;
    cr_assert(try_compile(text, &session));
    int64_t values[MOST], memory[MOST], expected[MOST];
    int count = values_of(kind, values);
    for (int i = 0; i < count; i++) store(kind, memory, i, values[i]);
    const int64_t dims[] = {count};
    const void *inputs[] = {memory};
    cr_assert_eq(nn_session_forward(session, dims, 1, inputs, 1, 0), 0, "%s", nn_message());
    for (int i = 0; i < 2 * ENDS; i++) {
        if (!good[i]) continue;
        for (int k = 0; k < count; k++) {
            Wide value = i % 2 ? reference(op, ends[i / 2], values[k]) : reference(op, values[k], ends[i / 2]);
            expected[k] = comparison ? (int64_t)value : wrap(computed(kind), value);
        }
        snprintf(literal, sizeof literal, "o%d", i);
        snprintf(line, sizeof line, "%s with %" PRId64 " of %s", operators[op].text, ends[i / 2], kind->name);
        expect_values(session, line, literal, comparison ? NULL : computed(kind), expected, count);
    }
    nn_session_free(session);
}

Test(integers, operators_beside_numbers_in_the_text, .timeout = 120)
{
    for (int k = U8; k < KINDS; k++)
        for (int op = 0; op < OPERATORS; op++)
            if (operators[op].literals) check_literals(&kinds[k], op);
}

/* Single expressions of x, whose values are the first that the type holds among the ends, and their values. */
static const struct {
    const char *input, *text, *type; /* type NULL: refused */
    int count;
    int64_t values[8];
} rows[] = {
    /* a u8 is stored, not computed with: 0, 1, 2, 128, 255 */
    {"u8", "sum(x)", "i32", 1, {386}},
    {"u8", "prod(x + 1)", "i32", 1, {2 * 3 * 129 * 256}},
    {"u8", "max(x)", "i32", 1, {255}},
    {"u8", "min(x)", "i32", 1, {0}},
    {"u8", "cumsum(x)", "i32", 5, {0, 1, 3, 131, 386}},
    {"u8", "x @ x", "i32", 1, {1 + 4 + 128 * 128 + 255 * 255}},
    {"u8", "x - 128", "i32", 5, {-128, -127, -126, 0, 127}},
    {"u8", "i32((x - 128) / 128 * 128)", "i32", 5, {-128, -127, -126, 0, 127}},
    {"u8", "clamp(x, 1, 300)", "i32", 5, {1, 1, 2, 128, 255}},
    {"u8", "x ^ 1", "i32", 5, {0, 1, 2, 128, 255}},
    {"u8", "reverse(x)", "u8", 5, {255, 128, 2, 1, 0}},
    {"u8", "x[1:3]", "u8", 2, {1, 2}},
    {"u8", "concat(x, x)[3:7]", "u8", 4, {128, 255, 0, 1}},
    {"u8", "x[[4, 0]]", "u8", 2, {255, 0}},
    {"u8", "if x > 300 then x else 7", "u8", 5, {7, 7, 7, 7, 7}},
    {"u8", "if x > 1 then x else 300", NULL, 0, {0}},
    {"u8", "x + 2147483648", NULL, 0, {0}},
    {"u8", "i32(x < 2.5)", "i32", 5, {1, 1, 1, 0, 0}},
    {"u8", "i32(2.5 <= x)", "i32", 5, {0, 0, 0, 1, 1}},
    {"u8", "i32(x != 2.5)", "i32", 5, {1, 1, 1, 1, 1}},
    {"u8", "i32(x < 1e300)", "i32", 5, {1, 1, 1, 1, 1}},
    {"u8", "i32(x < -1e300)", "i32", 5, {0, 0, 0, 0, 0}},
    {"u8", "i32(x > 255.5 or x < -0.5)", "i32", 5, {0, 0, 0, 0, 0}},
    {"u8", "i32(x < [300, 1, -5, 200, 255])", "i32", 5, {1, 0, 0, 1, 0}},
    {"u8", "x * [1, 2, 3, 4, 300]", "i32", 5, {0, 2, 6, 512, 76500}},
    {"u8", "i32(x < shape(x)[0])", "i32", 5, {1, 1, 1, 0, 0}},
    {"u8", "i32(if x == 0 then true else x > 200)", "i32", 5, {1, 0, 0, 0, 1}},
    /* conversions by name */
    {"u8", "u8(300) + 0 * x", "i32", 5, {44, 44, 44, 44, 44}},
    {"u8", "u8(-1) + 0 * x", "i32", 5, {255, 255, 255, 255, 255}},
    {"u8", "u8(300.0) + 0 * x", "i32", 5, {255, 255, 255, 255, 255}},
    {"u8", "u8(-1.5) + 0 * x", "i32", 5, {0, 0, 0, 0, 0}},
    {"u8", "u8([300, -1, 1, 2, 256])", "u8", 5, {44, 255, 1, 2, 0}},
    {"u8", "i32([300.0, 3e9, -3e9, 2.9, -2.9])", "i32", 5, {300, INT32_MAX, INT32_MIN, 2, -2}},
    {"u8", "u8(2 * x + 250)", "u8", 5, {250, 252, 254, 250, 248}},
    {"u8", "u8(2.0 * x + 250)", "u8", 5, {250, 252, 254, 255, 255}},
    /* -2147483648, -1, 0, 1, 2, 128, 255, 256 and 2147483647 */
    {"i32", "u8(x)[:8]", "u8", 8, {0, 255, 0, 1, 2, 128, 255, 0}},
    {"i32", "i64(x)[:2] * 4", "i64", 2, {-8589934592, -4}},
    {"i32", "x[:2] + 3000000000", NULL, 0, {0}},
    {"i32", "min(x, 3000000000)", NULL, 0, {0}},
    {"i32", "clamp(x, 0, 3000000000)", NULL, 0, {0}},
    {"i32", "if x > 0 then x else 3000000000", NULL, 0, {0}},
    {"i32", "x[:2] + [1, 3000000000]", NULL, 0, {0}},
    {"i32", "i32(x[:2] < [-3000000000, 3000000000])", "i32", 2, {0, 1}},
    {"i32", "i32(3000000000) + 0 * x[:1]", "i32", 1, {-1294967296}},
    {"i32", "i32(3e9) + 0 * x[:1]", "i32", 1, {INT32_MAX}},
    {"i32", "x[:1] + -2147483648", "i32", 1, {0}},
    {"i32", "x[:1] + 2147483648", NULL, 0, {0}},
    {"i32", "i32(x[:2] < 9223372036854775807)", "i32", 2, {1, 1}},
    {"i32", "i32(x[:2] == 2 ^ 80)", "i32", 2, {0, 0}},
    /* the last element of i64 is 9223372036854775807, the one before 2^53 + 1 */
    {"i64", "x[-2:] - 9007199254740992", "i64", 2, {1, 9214364837600034815}},
    {"i64", "x[:2] // 3", "i64", 2, {-3074457345618258603, -3002399751580331}},
    {"i64", "i32(x[-2:] == 9007199254740993)", "i32", 2, {1, 0}},
    {"i64", "i32(x[-1:] == 9223372036854775807)", "i32", 1, {1}},
    {"i64", "i32(x[:1] == -9223372036854775808)", "i32", 1, {1}},
    {"i64", "0 * x[:1] + (9007199254740993 * 1023 + 1)", "i64", 1, {9007199254740993 * 1023 + 1}},
    {"i64", "0 * x[:1] + abs(-9007199254740993) % 10", "i64", 1, {3}},
    {"i64", "0 * x[:1] + max(9007199254740993, 9007199254740992)", "i64", 1, {9007199254740993}},
    {"i64", "0 * x[:1] + 3 ^ 39", "i64", 1, {4052555153018976267}},
    {"i64", "0 * x[:2] + [9007199254740993, -9223372036854775808]", "i64", 2, {9007199254740993, INT64_MIN}},
    {"i64", "(if x > 0 then 9007199254740993 else x)[-1:]", "i64", 1, {9007199254740993}},
    {"i64", "sum(x[-2:])", "i64", 1, {INT64_MIN + 9007199254740992}},
    {"i64", "max(x[-3:])", "i64", 1, {INT64_MAX}},
};

static void check_row(size_t r)
{
    const Kind *kind = kinds;
    while (strcmp(kind->name, rows[r].input)) kind++;
    char text[500], size[8] = "n"; /* free where the row asks for it */
    int64_t values[MOST], memory[MOST];
    int count = values_of(kind, values);
    bool is_free = strstr(rows[r].text, "shape");
    if (!is_free) snprintf(size, sizeof size, "%d", count);
    snprintf(text, sizeof text, "model m {\n input x: %s[%s]\n output y = %s\n}\n", kind->name, size, rows[r].text);
    nn_session *session;
    if (!rows[r].type) {
        cr_expect_not(try_compile(text, NULL), "%s", text);
        return;
    }
    cr_assert(try_compile(text, &session));
    for (int i = 0; i < count; i++) store(kind, memory, i, values[i]);
    const int64_t dims[] = {count};
    const void *inputs[] = {memory};
    cr_assert_eq(nn_session_forward(session, dims, is_free, inputs, 1, 0), 0, "%s: %s", rows[r].text, nn_message());
    const Kind *result = kinds;
    while (strcmp(result->name, rows[r].type)) result++;
    expect_values(session, rows[r].text, "y", result, rows[r].values, rows[r].count);
    nn_session_free(session);
}

Test(integers, expressions, .timeout = 120)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) check_row(i);
}
