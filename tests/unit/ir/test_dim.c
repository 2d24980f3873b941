/* Sizes: algebra against evaluation at random points, canonical form, certain bounds, text, postfix code. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "ir/dim.h"
#include "nn_image.h"
#include "support/context.h"

enum { SYMBOLS = 4, ROUNDS = 4000, POINTS = 6 };

static const char *const symbols[SYMBOLS] = {"batch", "h", "time", "w"};

typedef struct {
    Context *context;
    DimTable *dims;
    uint64_t random;
    int64_t values[SYMBOLS];
} World;

static World world_new(void)
{
    World world = {.context = context_new(), .random = 20240229};
    world.dims = dim_table_new(world.context->arena, world.context->names);
    return world;
}

static void world_free(World *world)
{
    dim_table_free(world->dims);
    context_free(world->context);
}

static int pick(World *world, int below)
{
    world->random = world->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (int)((world->random >> 33) % (uint64_t)below);
}

static bool value_of(void *data, Name symbol, int64_t *out)
{
    const World *world = data;
    for (int i = 0; i < SYMBOLS; i++)
        if (!strcmp(symbols[i], symbol)) {
            *out = world->values[i];
            return true;
        }
    return false;
}

static void pick_point(World *world)
{
    for (int i = 0; i < SYMBOLS; i++) world->values[i] = 1 + pick(world, 40);
}

/* Any that sizes may be. */
static void pick_natural_point(World *world)
{
    for (int i = 0; i < SYMBOLS; i++) world->values[i] = pick(world, 2) ? pick(world, 4) : pick(world, 40);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t at_point(World *world, Dim dim)
{
    int64_t value;
    cr_assert(dim_evaluate(world->dims, dim, value_of, world, &value));
    return value;
}

static Dim random_dim(World *world, int depth)
{
    if (depth == 0 || pick(world, 4) == 0) {
        if (pick(world, 2))
            return dim_symbol(world->dims, intern(world->context->names, symbols[pick(world, SYMBOLS)]));
        return dim_constant(world->dims, pick(world, 9) - 3);
    }
    Dim a = random_dim(world, depth - 1), b = random_dim(world, depth - 1);
    switch (pick(world, 6)) {
    case 0:
        return dim_add(world->dims, a, b);
    case 4:
        return dim_max(world->dims, a, b);
    case 5:
        return dim_min(world->dims, a, b);
    case 1:
        return dim_sub(world->dims, a, b);
    case 2:
        return dim_mul(world->dims, a, b);
    default:
        return dim_floor_div(world->dims, a, dim_constant(world->dims, 1 + pick(world, 6)));
    }
}

static int64_t floor_quotient(int64_t a, int64_t b)
{
    return a / b - (a % b && (a < 0) != (b < 0));
}

Test(dim, operations_mean_what_they_say)
{
    World world = world_new();
    for (int round = 0; round < ROUNDS; round++) {
        Dim a = random_dim(&world, 3), b = random_dim(&world, 3);
        int64_t c = pick(&world, 2) ? 1 + pick(&world, 12) : -1 - pick(&world, 12);
        Dim sum = dim_add(world.dims, a, b), difference = dim_sub(world.dims, a, b),
            product = dim_mul(world.dims, a, b);
        Dim quotient = dim_floor_div(world.dims, a, dim_constant(world.dims, c));
        Dim rest = dim_modulo(world.dims, a, dim_constant(world.dims, c)), exact;
        bool divides = !dim_same(b, dim_constant(world.dims, 0)) && dim_divides(world.dims, product, b, &exact);
        cr_assert(dim_same(b, dim_constant(world.dims, 0)) || (divides && dim_same(exact, a)));
        Dim most = dim_max(world.dims, a, b), least = dim_min(world.dims, a, b);
        for (int point = 0; point < POINTS; point++) {
            pick_natural_point(&world);
            int64_t x = at_point(&world, a), y = at_point(&world, b);
            cr_assert_eq(at_point(&world, most), larger(x, y));
            cr_assert_eq(at_point(&world, least), smaller(x, y));
            cr_assert_eq(at_point(&world, sum), x + y);
            cr_assert_eq(at_point(&world, difference), x - y);
            cr_assert_eq(at_point(&world, product), x * y);
            cr_assert_eq(at_point(&world, quotient), floor_quotient(x, c));
            cr_assert_eq(at_point(&world, rest), x - c * floor_quotient(x, c));
        }
    }
    world_free(&world);
}

Test(dim, quotients_by_sizes_mean_what_they_say)
{
    World world = world_new();
    for (int round = 0; round < ROUNDS; round++) {
        Dim a = random_dim(&world, 3), b = random_dim(&world, 2);
        int64_t constant;
        if (dim_is_constant(world.dims, b, &constant) && constant == 0) continue;
        Dim quotient = dim_floor_div(world.dims, a, b);
        for (int point = 0; point < POINTS; point++) {
            pick_point(&world);
            int64_t y = at_point(&world, b), value;
            if (y == 0) continue;
            cr_assert(dim_evaluate(world.dims, quotient, value_of, &world, &value));
            cr_assert_eq(value, floor_quotient(at_point(&world, a), y));
        }
    }
    world_free(&world);
}

Test(dim, the_ring_laws_hold_by_identity)
{
    World world = world_new();
    DimTable *t = world.dims;
    for (int round = 0; round < ROUNDS; round++) {
        Dim a = random_dim(&world, 2), b = random_dim(&world, 2), c = random_dim(&world, 2);
        cr_assert(dim_same(dim_add(t, a, b), dim_add(t, b, a)));
        cr_assert(dim_same(dim_mul(t, a, b), dim_mul(t, b, a)));
        cr_assert(dim_same(dim_add(t, dim_add(t, a, b), c), dim_add(t, a, dim_add(t, b, c))));
        cr_assert(dim_same(dim_mul(t, dim_mul(t, a, b), c), dim_mul(t, a, dim_mul(t, b, c))));
        cr_assert(dim_same(dim_mul(t, a, dim_add(t, b, c)), dim_add(t, dim_mul(t, a, b), dim_mul(t, a, c))));
        cr_assert(dim_same(dim_sub(t, a, a), dim_constant(t, 0)));
        cr_assert(dim_same(dim_max(t, a, b), dim_max(t, b, a)));
        cr_assert(dim_same(dim_min(t, a, b), dim_min(t, b, a)));
        cr_assert(dim_same(dim_max(t, a, a), a) && dim_same(dim_min(t, a, a), a));
    }
    world_free(&world);
}

Test(dim, text_reads_back_and_does_not_depend_on_history)
{
    World world = world_new(), other = world_new();
    dim_symbol(other.dims, intern(other.context->names, "w")); /* another order of first use */
    for (int round = 0; round < ROUNDS; round++) {
        Dim dim = random_dim(&world, 4);
        if (dim_is_none(dim)) continue;
        Text text = {0}, again = {0};
        dim_print(world.dims, dim, &text);
        const char *at = text_get(&text);
        cr_assert(dim_same(dim_parse(world.dims, &at), dim), "%s", text_get(&text));
        cr_assert_eq(*at, 0);
        at = text_get(&text);
        dim_print(other.dims, dim_parse(other.dims, &at), &again);
        cr_assert_str_eq(text_get(&again), text_get(&text));
        text_free(&text);
        text_free(&again);
    }
    world_free(&world);
    world_free(&other);
}

Test(dim, text_is_as_in_the_language)
{
    static const struct {
        const char *read, *printed;
    } rows[] = {
        {"batch", "batch"},
        {"1 + h*2*batch", "2*batch*h + 1"},
        {"h//2", "h // 2"},
        {"batch * (h // 2)", "batch*(h // 2)"},
        {"(2*h) // 2", "h"},
        {"(h*w) // w", "h"},
        {"(4*h + 2) // 4", "h"},
        {"(4*h + 2) // 8", "h // 2"},
        {"(h + 2*1 - 3) // 2 + 1", "(h + 1) // 2"},
        {"h // 2 // 3", "h // 6"},
        {"(h*w + 1) // w", "h + 1 // w"},
        {"h - h", "0"},
        {"-h", "-h"},
        {"-(h // 2)", "-(h // 2)"},
        {"w - 3", "w - 3"},
        {"-7 // 2", "-4"},
        {"h // -2", "-h + h // 2"},
        {"max(h-3,1)", "max(h - 3, 1)"},
        {"max(1, h - 3)", "max(h - 3, 1)"},
        {"min( w , h )", "min(h, w)"},
        {"max(h, h)", "h"},
        {"max(3, 5) + min(-2, 7)", "3"},
        {"max(h, 0)", "h"},
        {"min(h, 0)", "0"},
        {"max(h + 3, h)", "h + 3"},
        {"min(h // 2, h)", "h // 2"},
        {"max(max(w, 3), max(h, 5))", "max(h, max(w, 5))"},
        {"max(h, min(h, w))", "h"},
        {"min(h, max(h, w))", "h"},
        {"max(h, min(w, 3))", "max(h, min(w, 3))"},
        {"2*max(h, w) - h", "-h + 2*max(h, w)"},
        {"max(h, w)*max(w, h)", "max(h, w)*max(h, w)"},
        {"(max(h, w) + 1) // 2", "(max(h, w) + 1) // 2"},
        {"max*min", "max*min"}, /* sizes may be called so */
        {"max(9223372036854775807, -9223372036854775807 - 1)", "9223372036854775807"},
    };
    World world = world_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Text text = {0};
        const char *at = rows[i].read;
        Dim dim = dim_parse(world.dims, &at);
        cr_assert(!dim_is_none(dim), "%s", rows[i].read);
        dim_print(world.dims, dim, &text);
        cr_expect_str_eq(text_get(&text), rows[i].printed, "%s: %s", rows[i].read, text_get(&text));
        text_free(&text);
    }
    world_free(&world);
}

Test(dim, what_is_no_size_is_none)
{
    static const char *const rows[] = {"",
                                       "+",
                                       "h +",
                                       "(h",
                                       "h // 0",
                                       "99999999999999999999",
                                       "4 *",
                                       "h // (2 - 2)",
                                       "$",
                                       "max(h)",
                                       "max(h, w, 1)",
                                       "max(h, w",
                                       "mean(h, w)",
                                       "max(h,)"};
    World world = world_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *at = rows[i];
        cr_expect(dim_is_none(dim_parse(world.dims, &at)), "%s", rows[i]);
    }
    world_free(&world);
}

Test(dim, what_64_bits_do_not_hold_is_none)
{
    World world = world_new();
    Dim large = dim_constant(world.dims, (int64_t)1 << 40),
        h = dim_symbol(world.dims, intern(world.context->names, "h"));
    cr_assert(dim_is_none(dim_mul(world.dims, large, large)));
    cr_assert(dim_is_none(dim_add(world.dims, dim_mul(world.dims, large, large), h)));
    Dim power = h;
    for (int i = 0; i < 100; i++) power = dim_mul(world.dims, power, h);
    cr_assert(dim_is_none(power));
    Dim nested = h;
    Dim w = dim_symbol(world.dims, intern(world.context->names, "w"));
    for (int i = 0; i < 100; i++) nested = dim_floor_div(world.dims, dim_add(world.dims, nested, h), w);
    cr_assert(dim_is_none(nested));
    world_free(&world);
}

static Dim map_h_to_2w(void *data, Name symbol)
{
    World *world = data;
    if (strcmp(symbol, "h")) return DIM_NONE;
    Dim w = dim_symbol(world->dims, intern(world->context->names, "w"));
    return dim_mul(world->dims, dim_constant(world->dims, 2), w);
}

Test(dim, substitution_commutes_with_evaluation)
{
    World world = world_new();
    for (int round = 0; round < ROUNDS; round++) {
        Dim a = random_dim(&world, 3), b = dim_substitute(world.dims, a, map_h_to_2w, &world);
        pick_point(&world);
        world.values[1] = 2 * world.values[3];
        cr_assert_eq(at_point(&world, a), at_point(&world, b));
        cr_assert(!dim_mentions(world.dims, b, intern(world.context->names, "h")));
    }
    world_free(&world);
}

/* A stack machine for what dim_postfix emits. */
typedef struct {
    World *world;
    int64_t stack[256];
    int count, most;
} Machine;

static void step_machine(void *data, DimStep step, int64_t constant, Name symbol)
{
    Machine *m = data;
    int64_t value = constant;
    if (step == DIM_PUSH_SYMBOL) cr_assert(value_of(m->world, symbol, &value));
    if (step == DIM_PUSH_CONSTANT || step == DIM_PUSH_SYMBOL) {
        m->stack[m->count++] = value;
        if (m->count > m->most) m->most = m->count;
        return;
    }
    int64_t y = m->stack[--m->count], x = m->stack[--m->count];
    switch (step) {
    case DIM_OP_ADD:
        x += y;
        break;
    case DIM_OP_MUL:
        x *= y;
        break;
    case DIM_OP_FLOOR_DIV:
        x = floor_quotient(x, y);
        break;
    case DIM_OP_MAX:
        x = larger(x, y);
        break;
    case DIM_OP_MIN:
        x = smaller(x, y);
        break;
    default:
        cr_assert_fail("no operator");
    }
    m->stack[m->count++] = x;
}

Test(dim, postfix_code_computes_the_value)
{
    World world = world_new();
    for (int round = 0; round < ROUNDS; round++) {
        Dim dim = random_dim(&world, 3);
        Machine machine = {.world = &world};
        pick_point(&world);
        dim_postfix(world.dims, dim, step_machine, &machine);
        cr_assert_eq(machine.count, 1);
        cr_assert_eq(machine.stack[0], at_point(&world, dim));
        cr_assert_leq(machine.most, (int)dim_stack(world.dims, dim));
    }
    world_free(&world);
}

/* A size as deep as sizes can be has code that the run time can hold, with a condition around it. */
Test(dim, postfix_code_fits_the_stack_of_the_run_time)
{
    World world = world_new();
    DimTable *t = world.dims;
    Dim h = dim_symbol(t, intern(world.context->names, "h")), w = dim_symbol(t, intern(world.context->names, "w"));
    for (int kind = 0; kind < 3; kind++) {
        Dim deep = h, next = h;
        int levels = 0;
        for (; !dim_is_none(next) && levels < 100; levels++) {
            deep = next;
            Dim waiting = dim_add(t, dim_mul(t, h, h), dim_mul(t, w, deep)); /* a sum and a product wait */
            next = kind == 0 ? dim_floor_div(t, h, waiting)
                             : (kind == 1 ? dim_max : dim_min)(t, w, dim_sub(t, waiting, h));
        }
        cr_assert_gt(levels, 8);
        cr_assert_lt(levels, 100, "a size is bounded");
        Machine machine = {.world = &world};
        for (int i = 0; i < SYMBOLS; i++) world.values[i] = 1;
        dim_postfix(t, deep, step_machine, &machine);
        cr_assert_leq(machine.most, NN_SIZE_STACK - 8);
    }
    world_free(&world);
}

static Dim read_dim(World *world, const char *text)
{
    Dim dim = dim_parse(world->dims, &text);
    cr_assert(!dim_is_none(dim) && !*text);
    return dim;
}

Test(dim, certain_bounds)
{
    static const struct {
        const char *a, *b;
        bool certain;
    } rows[] = {
        {"h", "0", true},
        {"h + 1", "1", true},
        {"h", "1", false},
        {"h", "w", false},
        {"h*w", "0", true},
        {"h*w - w", "0", false},
        {"h // 2", "0", true},
        {"h", "2*(h // 2)", true},
        {"2*(h // 2) + 1", "h", true},
        {"2*(h // 2)", "h", false},
        {"h", "h // 3", true},
        {"h - 3", "2*((h - 3) // 2)", true}, /* convolutions by a stride end inside */
        {"h - 1", "2*((h - 3) // 2) + 2", true},
        {"h - 1", "2*((h - 3) // 2) + 3", false},
        {"(h + 5) // 2", "(h + 3) // 2", true},
        {"((h + w) // 2)*w", "0", true},
        {"(h - 9) // 2", "0", false},
        {"h // w", "0", false}, /* by zero */
        {"max(h - 3, 1)", "1", true},
        {"max(h - 3, 1)", "h - 3", true},
        {"max(h - 3, 1)", "2", false},
        {"h", "max(h - 3, 0)", true},
        {"h", "max(h - 3, 1)", false},
        {"h + w", "max(h, w)", true},
        {"max(h, w) + min(h, w)", "h", true},
        {"min(h - 1, w)", "0", false},
        {"min(h, w)", "0", true},
        {"w", "min(h, w)", true},
        {"3*w", "3*min(h, w)", true},
        {"max(h, w)*w", "h*w", true},
        {"max(h, w)*max(h, w)", "h*w", false},
        {"max(h - w, 0)*(w - 3)", "0", false},
        {"max(h // 2, 1)", "h // 2", true},
        {"2*(max(h, w) // 2) + 1", "max(h, w)", true},
        {"max(h, w) // 2", "h // 2", false},
    };
    World world = world_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(dim_at_least(world.dims, read_dim(&world, rows[i].a), read_dim(&world, rows[i].b)),
                     rows[i].certain, "%s >= %s", rows[i].a, rows[i].b);
    cr_expect(!dim_at_least(world.dims, DIM_NONE, read_dim(&world, "1")));
    for (int round = 0; round < ROUNDS; round++) { /* whatever else is called certain is */
        Dim a = random_dim(&world, 3), b = random_dim(&world, 3);
        if (!dim_at_least(world.dims, a, b)) continue;
        for (int point = 0; point < POINTS; point++) {
            pick_natural_point(&world);
            cr_assert_geq(at_point(&world, a), at_point(&world, b));
        }
    }
    world_free(&world);
}

Test(dim, bounds_that_follow_from_what_is_known)
{
    static const struct {
        const char *known, *a, *b;
        bool certain;
    } rows[] = {
        {"h - w - 2", "h - 1", "w + 1", true}, {"h - w - 2", "h - 1", "w + 2", false}, {"h - w - 2", "w", "h", false},
        {"h - w - time", "h", "w", false}, /* a check on a size that this one lacks may not have been made */
        {"h - 2*w", "h // 2", "w", false}, /* true, but it takes two steps */
        {"h - 2*w", "h", "max(w, 2*w)", true},
    };
    World world = world_new();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Dim known = read_dim(&world, rows[i].known);
        cr_expect_eq(
            dim_at_least_given(world.dims, read_dim(&world, rows[i].a), read_dim(&world, rows[i].b), &known, 1),
            rows[i].certain, "%s >= %s", rows[i].a, rows[i].b);
    }
    int found = 0;
    for (int round = 0; round < ROUNDS; round++) {
        Dim known[] = {random_dim(&world, 2), random_dim(&world, 2)};
        Dim a = dim_add(world.dims, random_dim(&world, 1), known[pick(&world, 2)]), b = random_dim(&world, 1);
        if (dim_at_least(world.dims, a, b) || !dim_at_least_given(world.dims, a, b, known, 2)) continue;
        found++;
        for (int point = 0; point < 4 * POINTS; point++) {
            pick_natural_point(&world);
            if (at_point(&world, known[0]) < 0 || at_point(&world, known[1]) < 0) continue;
            cr_assert_geq(at_point(&world, a), at_point(&world, b));
        }
    }
    cr_expect_gt(found, 50);
    world_free(&world);
}
