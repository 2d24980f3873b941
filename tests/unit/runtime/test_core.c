/* Pieces of the core: sizes, conversions, placement. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

/* ---- Sizes ---- */

#define C(value) NN_SIZE_CONSTANT, value
#define S(symbol) NN_SIZE_SYMBOL, symbol
#define ADD NN_SIZE_ADD, 0
#define MUL NN_SIZE_MUL, 0
#define DIV NN_SIZE_FLOOR_DIV, 0
#define OP(code) NN_SIZE_##code, 0
#define END NN_SIZE_END, 0

static const char *const symbols[] = {"batch", "h"};
static const int64_t values[] = {64, 7};

static const struct {
    int64_t code[24];
    int status;
    int64_t value;
    const char *text;
} sizes[] = {
    {{C(5), END}, 0, 5, "5"},
    {{S(0), END}, 0, 64, "batch"},
    {{C(2), S(0), MUL, C(1), ADD, END}, 0, 129, "2*batch + 1"},
    {{S(1), C(2), DIV, END}, 0, 3, "h // 2"},
    {{S(0), S(1), C(-1), ADD, MUL, END}, 0, 384, "batch*(h - 1)"},
    {{C(-7), C(2), DIV, END}, 0, -4, "-7 // 2"},
    {{S(1), C(-3), ADD, C(1), OP(MAX), END}, 0, 4, "max(h - 3, 1)"},
    {{C(2), S(0), S(1), OP(MIN), MUL, END}, 0, 14, "2*min(batch, h)"},
    {{C(1), C(-2), S(1), MUL, ADD, C(3), ADD, END}, 0, -10, "1 - 2*h + 3"},
    {{C(7), C(-2), DIV, END}, 0, -4, "7 // -2"},
    {{S(0), S(1), S(0), DIV, DIV, END}, NN_ERROR_RANGE, 0, "batch // (h // batch)"},
    {{C(INT64_MAX), C(2), MUL, END}, NN_ERROR_RANGE, 0, "9223372036854775807*2"},
    {{C(INT64_MAX), C(1), ADD, END}, NN_ERROR_RANGE, 0, "9223372036854775807 + 1"},
    {{C(INT64_MIN), C(-1), DIV, END}, NN_ERROR_RANGE, 0, NULL},
    {{ADD, END}, NN_ERROR_RANGE, 0, NULL},
    {{C(1), C(2), END}, NN_ERROR_RANGE, 0, NULL},
    {{END}, NN_ERROR_RANGE, 0, NULL},
    /* of conditions */
    {{C(-7), C(3), OP(MOD), END}, 0, 2, NULL},
    {{C(7), C(-3), OP(MOD), END}, 0, -2, NULL},
    {{C(6), C(-3), OP(MOD), END}, 0, 0, NULL},
    {{C(6), C(0), OP(MOD), END}, NN_ERROR_RANGE, 0, NULL},
    {{S(0), S(1), OP(MAX), END}, 0, 64, NULL},
    {{S(0), S(1), OP(MIN), END}, 0, 7, NULL},
    {{C(1), S(0), S(1), OP(SELECT), END}, 0, 64, NULL},
    {{C(0), S(0), S(1), OP(SELECT), END}, 0, 7, NULL},
    {{S(0), S(1), OP(SELECT), END}, NN_ERROR_RANGE, 0, NULL},
    {{S(0), C(64), OP(EQ), S(0), C(7), OP(EQ), OP(OR), END}, 0, 1, NULL},
    {{S(0), C(64), OP(EQ), S(0), C(7), OP(EQ), OP(AND), END}, 0, 0, NULL},
    {{S(0), C(64), OP(NE), OP(NOT), END}, 0, 1, NULL},
    {{S(1), S(0), OP(LT), END}, 0, 1, NULL},
    {{S(0), S(0), OP(LT), END}, 0, 0, NULL},
    {{S(0), S(0), OP(LE), END}, 0, 1, NULL},
    {{OP(NOT), END}, NN_ERROR_RANGE, 0, NULL},
    {{C(1), C(1), NN_SIZE_NOT + 1, 0, END}, NN_ERROR_RANGE, 0, NULL},
};

Test(core, sizes)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t value = 0, unbound;
        char text[64];
        cr_assert_eq(nn_size_evaluate(sizes[i].code, values, &value, &unbound), sizes[i].status, "size %zu", i);
        if (!sizes[i].status) cr_assert_eq(value, sizes[i].value, "size %zu is %lld", i, (long long)value);
        nn_size_text(sizes[i].code, symbols, text, sizeof text);
        if (sizes[i].text) cr_assert_str_eq(text, sizes[i].text);
    }
}

/* ---- Conditions in which settings stand ---- */

static const double reals[] = {0,
                               -0.0,
                               1,
                               -1,
                               0.1,
                               -0.1,
                               0.3,
                               0.7,
                               -3,
                               3,
                               10,
                               1e-300,
                               5e-324,
                               1e300,
                               0x1p53,
                               0x1.8p52,
                               0x1.fffffffffffffp51,
                               0x1.fffffffffffffp1023,
                               INFINITY,
                               -INFINITY,
                               NAN};
enum { N_REALS = sizeof reals / sizeof *reals };

/* The floor of the exact quotient and what it leaves, by functions of the C library. */
static double floored(double x, double y)
{
    double ratio = x / y, rest = fmod(x, y);
    if (isinf(x)) return NAN;
    if (!(fabs(ratio) < 0x1p53)) return ratio;
    double whole = isinf(y) ? 0 : floor(fabs(ratio));
    if (fma(-whole, fabs(y), fabs(x)) < 0) whole--;
    return (x < 0) != (y < 0) ? -(whole + (rest != 0)) : whole;
}

static double left_over(double x, double y)
{
    double rest = fmod(x, y);
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}

/* True if the operator of two settings of f64 gives the number, NaN if that is NaN. */
static bool gives(int64_t code, double x, double y, double number)
{
    const nn_tensor_info tensors[] = {{.dtype = NN_F64}, {.dtype = NN_F64}, {.dtype = NN_F64}};
    const double settings[] = {x, y, number};
    const nn_image image = {.tensors = tensors, .n_tensors = 3};
    const nn_model model = {.image = &image};
    bool nan = isnan(number), truth = false;
    const int64_t own[] = {NN_SIZE_SETTING, 0, NN_SIZE_SETTING, 1, code, 0};
    int64_t whole[20] = {0};
    memcpy(whole, own, sizeof own);
    if (nan) memcpy(whole + 6, own, sizeof own);
    const int64_t end[] = {NN_SIZE_SETTING, 2, NN_SIZE_EQ, 0, END}, unlike[] = {NN_SIZE_NE, 0, END};
    if (nan)
        memcpy(whole + 12, unlike, sizeof unlike);
    else
        memcpy(whole + 6, end, sizeof end);
    cr_assert_eq(nn_condition_evaluate(&model, whole, NULL, settings, &truth), NN_OK);
    return truth;
}

Test(core, quotients_of_settings_are_exact)
{
    for (int i = 0; i < N_REALS; i++) {
        for (int k = 0; k < N_REALS; k++) {
            double x = reals[i], y = reals[k];
            cr_expect(gives(NN_SIZE_FLOOR_DIV, x, y, floored(x, y)), "%g // %g is %g", x, y, floored(x, y));
            cr_expect(gives(NN_SIZE_MOD, x, y, left_over(x, y)), "%g %% %g is %g", x, y, left_over(x, y));
        }
    }
    cr_expect(gives(NN_SIZE_FLOOR_DIV, 1, 0.1, 9));
    cr_expect(gives(NN_SIZE_FLOOR_DIV, -1, 0.1, -10));
    cr_expect(gives(NN_SIZE_MOD, -3, INFINITY, INFINITY));
}

Test(core, results_are_rounded_to_their_types)
{
    const nn_tensor_info tensors[] = {{.dtype = NN_F32}};
    const double settings[] = {0.1};
    const nn_image image = {.tensors = tensors, .n_tensors = 1};
    const nn_model model = {.image = &image};
    double held = 0.3f;
    int64_t bits;
    bool truth = false;
    memcpy(&bits, &held, sizeof bits);
    const int64_t rounded[] = {NN_SIZE_SETTING, 0, C(3), MUL, NN_SIZE_ROUND, NN_F32, NN_SIZE_REAL, bits, OP(EQ), END};
    const int64_t bare[] = {NN_SIZE_SETTING, 0, C(3), MUL, NN_SIZE_REAL, bits, OP(EQ), END};
    cr_expect_eq(nn_condition_evaluate(&model, rounded, NULL, settings, &truth), NN_OK);
    cr_expect(truth);
    cr_expect_eq(nn_condition_evaluate(&model, bare, NULL, settings, &truth), NN_OK);
    cr_expect_not(truth);
    const int64_t few[] = {NN_SIZE_ROUND, NN_F32, END}, free_size[] = {S(1), C(0), OP(LT), END}, none[] = {-1, -1};
    int64_t value, unbound;
    cr_expect_eq(nn_condition_evaluate(&model, few, none, settings, &truth), NN_ERROR_RANGE);
    cr_expect_eq(nn_condition_evaluate(&model, free_size, none, settings, &truth), NN_ERROR_ARGUMENT);
    cr_expect_eq(nn_size_evaluate(rounded, none, &value, &unbound), NN_ERROR_RANGE);
}

Test(core, an_unbound_symbol_is_named)
{
    const int64_t code[] = {C(3), S(1), MUL, END}, free_h[] = {64, -1};
    int64_t value, unbound;
    cr_assert_eq(nn_size_evaluate(code, free_h, &value, &unbound), NN_ERROR_ARGUMENT);
    cr_assert_eq(unbound, 1);
}

/* ---- Conversions ---- */

Test(core, every_half_survives_the_way_to_float_and_back)
{
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint16_t half = (uint16_t)bits, back[2];
        float single, brain;
        cr_assert_eq(nn_convert(NN_F32, &single, NN_F16, &half, 1), 0);
        cr_assert_eq(nn_convert(NN_F16, &back[0], NN_F32, &single, 1), 0);
        cr_assert_eq(nn_convert(NN_F32, &brain, NN_BF16, &half, 1), 0);
        cr_assert_eq(nn_convert(NN_BF16, &back[1], NN_F32, &brain, 1), 0);
        if (single == single) cr_assert_eq(back[0], half, "f16 %04x gave %04x", half, back[0]);
        if (brain == brain) cr_assert_eq(back[1], half, "bf16 %04x gave %04x", half, back[1]);
    }
}

Test(core, halves_round_to_nearest_even)
{
    static const struct {
        float value;
        uint16_t half, brain;
    } cases[] = {{1.0f, 0x3c00, 0x3f80},       {1.00048828125f, 0x3c00, 0x3f80}, {1.00146484375f, 0x3c02, 0x3f80},
                 {65519.0f, 0x7bff, 0x4780},   {65520.0f, 0x7c00, 0x4780},       {0x1p-25f, 0x0000, 0x3300},
                 {0x1.8p-24f, 0x0002, 0x33c0}, {0x1.8p-25f, 0x0001, 0x3340},     {1.00390625f, 0x3c04, 0x3f80},
                 {1.01171875f, 0x3c0c, 0x3f82}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t half, brain;
        nn_convert(NN_F16, &half, NN_F32, &cases[i].value, 1);
        nn_convert(NN_BF16, &brain, NN_F32, &cases[i].value, 1);
        cr_assert_eq(half, cases[i].half, "%g: %04x", (double)cases[i].value, half);
        cr_assert_eq(brain, cases[i].brain, "%g: %04x", (double)cases[i].value, brain);
    }
}

/* What lies beside a tie by less than an f32 shows is not rounded as the tie is, nor an integer. */
Test(core, halves_are_rounded_once)
{
    static const struct {
        double value;
        uint16_t half, brain;
    } cases[] = {{1 + 0x1p-11 + 0x1p-40, 0x3c01, 0x3f80},    {1 + 3 * 0x1p-11 - 0x1p-40, 0x3c01, 0x3f80},
                 {-1 - 0x1p-11 - 0x1p-40, 0xbc01, 0xbf80},   {1 + 0x1p-8 + 0x1p-45, 0x3c04, 0x3f81},
                 {1 + 3 * 0x1p-8 - 0x1p-45, 0x3c0c, 0x3f81}, {0x1p-25 + 0x1p-70, 0x0001, 0x3300},
                 {65520 - 0x1p-30, 0x7bff, 0x4780},          {0x1.ffp127 - 0x1p80, 0x7c00, 0x7f7f},
                 {0x1p-134 + 0x1p-180, 0x0000, 0x0001},      {0x1p-300, 0x0000, 0x0000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint16_t half, brain;
        nn_convert(NN_F16, &half, NN_F64, &cases[i].value, 1);
        nn_convert(NN_BF16, &brain, NN_F64, &cases[i].value, 1);
        cr_assert_eq(half, cases[i].half, "%a: %04x", cases[i].value, half);
        cr_assert_eq(brain, cases[i].brain, "%a: %04x", cases[i].value, brain);
    }
    for (int power = 9; power < 63; power++)
        for (int sign = -1; sign <= 1; sign += 2) {
            int64_t tie = sign * ((INT64_C(1) << power) + (INT64_C(1) << (power - 8))), above = tie + sign;
            uint16_t even, up;
            nn_convert(NN_BF16, &even, NN_I64, &tie, 1);
            nn_convert(NN_BF16, &up, NN_I64, &above, 1);
            cr_assert_eq(even & 1, 0);
            cr_assert_eq(up, even + 1, "2^%d: %04x, %04x", power, even, up);
        }
}

Test(core, what_is_no_value_of_the_type_is_refused)
{
    const double doubles[] = {1, 2.5};
    const int64_t large = (int64_t)1 << 40, two = 2;
    int32_t words[2];
    uint8_t byte;
    cr_assert_eq(nn_convert(NN_I32, words, NN_F64, doubles, 1), 0);
    cr_assert_eq(nn_convert(NN_I32, words, NN_F64, doubles, 2), NN_ERROR_RANGE);
    cr_assert(strstr(nn_message(), "element 1 is 2.5"), "%s", nn_message());
    cr_assert_eq(nn_convert(NN_I32, words, NN_I64, &large, 1), NN_ERROR_RANGE);
    cr_assert_eq(nn_convert(NN_BOOL, &byte, NN_I64, &two, 1), NN_ERROR_RANGE);
}

/* The ends of every type, and their neighbours outside. */
Test(core, ends_of_types_are_taken_and_their_neighbours_refused)
{
    static const struct {
        uint8_t to;
        double value; /* as f64 and, where it is whole, as i64 */
        bool fits;
    } cases[] = {{NN_U8, 0, true},
                 {NN_U8, 255, true},
                 {NN_U8, 256, false},
                 {NN_U8, -1, false},
                 {NN_U8, 300, false},
                 {NN_U8, 0.5, false},
                 {NN_U8, NAN, false},
                 {NN_BOOL, 1, true},
                 {NN_BOOL, 2, false},
                 {NN_BOOL, -1, false},
                 {NN_I32, 0x1p31 - 1, true},
                 {NN_I32, -0x1p31, true},
                 {NN_I32, 0x1p31, false},
                 {NN_I32, -0x1p31 - 1, false},
                 {NN_I32, 0x1p32 + 3, false},
                 {NN_I32, INFINITY, false},
                 {NN_I64, -0x1p63, true},
                 {NN_I64, 0x1.fffffffffffffp62, true},
                 {NN_I64, 0x1p63, false},
                 {NN_I64, -0x1.0000000000001p63, false},
                 {NN_I64, NAN, false},
                 {NN_F32, 0x1.fffffep127, true},
                 {NN_F32, 0x1.fffffefffffffp127, true},
                 {NN_F32, 0x1.ffffffp127, false},
                 {NN_F32, -1e39, false},
                 {NN_F32, INFINITY, true},
                 {NN_F32, NAN, true},
                 {NN_F16, 65519.99, true},
                 {NN_F16, 65519.9999999, true},
                 {NN_F16, 65520, false},
                 {NN_F16, -70000, false},
                 {NN_BF16, 0x1.fep127, true},
                 {NN_BF16, 0x1.ffp127, false},
                 {NN_F64, 0x1.fffffffffffffp1023, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value = cases[i].value;
        uint64_t to = 0x5a5a5a5a5a5a5a5a, before = to;
        size_t taken = nn_convert_fitting(cases[i].to, &to, NN_F64, &value, 1);
        cr_assert_eq(taken, cases[i].fits, "%zu: %g", i, value);
        cr_assert(taken || to == before, "%zu: refused, but stored", i);
        cr_assert_eq(nn_convert_given(cases[i].to, &to, NN_F64, &value, 1) == 0, cases[i].fits);
        if (!(fabs(value) < 0x1p63) || value != (double)(int64_t)value) continue;
        int64_t whole = (int64_t)value;
        cr_assert_eq(nn_convert_fitting(cases[i].to, &to, NN_I64, &whole, 1), cases[i].fits, "%zu: %g", i, value);
    }
    /* What a model computes may overflow. */
    double large = 1e39;
    float single;
    cr_assert_eq(nn_convert(NN_F32, &single, NN_F64, &large, 1), 0);
    cr_assert(isinf(single));
}

/* Elements go by chunks: what does not fit is found at every place around their borders, and nothing is kept of it. */
Test(core, the_first_element_that_does_not_fit_is_found)
{
    enum { MOST = 520 };
    static int64_t from[MOST];
    static int32_t to[MOST];
    for (size_t bad = 254; bad < MOST; bad += bad == 257 ? 253 : 1) {
        for (size_t i = 0; i < MOST; i++) {
            from[i] = (int64_t)i - 7;
            to[i] = -1000;
        }
        cr_assert_eq(nn_convert_fitting(NN_I32, to, NN_I64, from, MOST), MOST);
        for (size_t i = 0; i < MOST; i++) cr_assert_eq(to[i], (int32_t)i - 7);
        from[bad] = INT64_C(3000000000);
        to[0] = 99;
        cr_assert_eq(nn_convert_fitting(NN_I32, NULL, NN_I64, from, MOST), bad);
        cr_assert_eq(nn_convert_given(NN_I32, to, NN_I64, from, MOST), NN_ERROR_RANGE);
        cr_assert(strstr(nn_message(), "is 3000000000, which is no value of i32"), "%s", nn_message());
        cr_assert_eq(to[0], 99, "a refused call stored");
        cr_assert_eq(nn_convert_fitting(NN_I32, to, NN_I64, from, bad), bad);
        cr_assert_eq(nn_find_rounded(NN_F32, NN_I64, from, MOST), bad);
        cr_assert_eq(nn_find_rounded(NN_F64, NN_I64, from, MOST), MOST);
    }
    const int32_t border[] = {1 << 24, -(1 << 24), (1 << 24) + 1};
    cr_assert_eq(nn_find_rounded(NN_F32, NN_I32, border, 3), 2);
    const int64_t wide[] = {INT64_C(1) << 53, (INT64_C(1) << 53) + 1}, odd = (INT64_C(1) << 24) + 1;
    cr_assert_eq(nn_find_rounded(NN_F64, NN_I64, wide, 2), 1);
    const uint8_t bytes[] = {255};
    cr_assert_eq(nn_find_rounded(NN_BF16, NN_U8, bytes, 1), 1);
    double real;
    cr_assert_eq(nn_convert(NN_F64, &real, NN_I64, &odd, 1), 0);
    cr_assert_eq(real, 16777217.0);
}

/* ---- Placement ---- */

static void check_placement(const nn_lifetime *lives, size_t count, size_t total)
{
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(lives[i].offset % NN_ALIGNMENT, 0);
        cr_assert_leq(lives[i].offset + lives[i].size, total);
        for (size_t k = 0; k < i; k++) {
            bool together = lives[i].first <= lives[k].last && lives[k].first <= lives[i].last;
            bool apart = lives[i].offset + lives[i].size <= lives[k].offset ||
                         lives[k].offset + lives[k].size <= lives[i].offset;
            cr_assert(!together || apart || !lives[i].size || !lives[k].size, "%zu and %zu overlap", i, k);
        }
    }
}

Test(core, placement_reuses_what_is_dead)
{
    /* A chain: each buffer lives until the next one is made. Two places suffice. */
    nn_lifetime chain[50];
    size_t total;
    for (uint32_t i = 0; i < 50; i++) chain[i] = (nn_lifetime){i, i + 1, 100, 0};
    cr_assert(nn_place(chain, 50, &total));
    check_placement(chain, 50, total);
    cr_assert_eq(total, 2 * 128);
}

Test(core, placement_never_overlaps_the_living)
{
    uint64_t state = 1;
    for (int round = 0; round < 200; round++) {
        nn_lifetime lives[60];
        size_t total, all = 0;
        for (int i = 0; i < 60; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            uint32_t first = (uint32_t)(state >> 33) % 40;
            lives[i] = (nn_lifetime){first, first + (uint32_t)(state >> 40) % 12, (size_t)(state >> 50) % 3000, 0};
        }
        cr_assert(nn_place(lives, 60, &total));
        check_placement(lives, 60, total);
        for (int i = 0; i < 60; i++) all += lives[i].size;
        cr_assert_lt(total, all);
    }
}

Test(core, placement_refuses_what_no_memory_holds)
{
    nn_lifetime lives[] = {{0, 1, SIZE_MAX / 2, 0}, {0, 1, SIZE_MAX / 2, 0}, {0, 1, SIZE_MAX / 2, 0}};
    size_t total;
    cr_assert(!nn_place(lives, 3, &total));
    cr_assert(nn_place(lives, 0, &total));
    cr_assert_eq(total, 0);
}
