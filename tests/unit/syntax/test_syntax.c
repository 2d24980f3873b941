/* Trees made by hand: constructors, equality, and the printer's parentheses. */
#include <criterion/criterion.h>
#include <string.h>

#include "syntax/syntax.h"

static Arena *arena;

static void make_arena(void)
{
    arena = arena_new();
}

static void free_arena(void)
{
    arena_free(arena);
}

TestSuite(syntax, .init = make_arena, .fini = free_arena, .timeout = 10);

static Syntax *name(const char *text)
{
    return syntax_name(arena, NO_SPAN, text);
}

static Syntax *binary(Operator op, Syntax *left, Syntax *right)
{
    return syntax_binary(arena, NO_SPAN, op, left, right);
}

static void expect_text(const Syntax *node, const char *expected)
{
    Text text = {0};
    syntax_print(node, &text);
    cr_expect_str_eq(text_get(&text), expected);
    text_free(&text);
}

Test(syntax, integers_and_reals)
{
    Syntax *integer = syntax_number(arena, NO_SPAN, "128"), *real = syntax_number(arena, NO_SPAN, "1e-3");
    cr_expect(integer->flags & SYNTAX_INTEGER);
    cr_expect_eq(integer->integer, 128);
    cr_expect_eq(integer->number, 128.0);
    cr_expect_not(real->flags & SYNTAX_INTEGER);
    cr_expect_eq(real->number, 1e-3);
}

Test(syntax, an_integer_too_large_is_a_real)
{
    Syntax *large = syntax_number(arena, NO_SPAN, "99999999999999999999");
    cr_expect_not(large->flags & SYNTAX_INTEGER);
    cr_expect_eq(large->number, 1e20);
}

Test(syntax, depth_is_that_of_the_deepest_kid)
{
    Syntax *product = binary(OPERATOR_MULTIPLY, name("a"), name("b"));
    cr_expect_eq(name("a")->depth, 1);
    cr_expect_eq(binary(OPERATOR_ADD, name("c"), product)->depth, 3);
    cr_expect_eq(binary(OPERATOR_ADD, product, name("c"))->depth, 2, "a chain along left operands is one level");
    cr_expect_eq(binary(OPERATOR_ADD, syntax_unary(arena, NO_SPAN, OPERATOR_NEGATE, product), name("c"))->depth, 4);
}

Test(syntax, equality_sees_meaning_only)
{
    Syntax *one = binary(OPERATOR_ADD, name("a"), syntax_number(arena, NO_SPAN, "1"));
    Syntax *same = binary(OPERATOR_ADD, name("a"), syntax_number(arena, (Span){7, 8}, "1"));
    Syntax *real = binary(OPERATOR_ADD, name("a"), syntax_number(arena, NO_SPAN, "1.0"));
    Syntax *other = binary(OPERATOR_SUBTRACT, name("a"), syntax_number(arena, NO_SPAN, "1"));
    cr_expect(syntax_equal(one, same));
    cr_expect_not(syntax_equal(one, real), "an integer is exact, a real is not");
    cr_expect_not(syntax_equal(one, other));
    cr_expect_not(syntax_equal(one, NULL));
    cr_expect(syntax_equal(NULL, NULL));
}

Test(syntax, parentheses_only_where_needed)
{
    Syntax *a = name("a"), *b = name("b"), *c = name("c");
    expect_text(binary(OPERATOR_SUBTRACT, binary(OPERATOR_SUBTRACT, a, b), c), "a - b - c");
    expect_text(binary(OPERATOR_SUBTRACT, a, binary(OPERATOR_SUBTRACT, b, c)), "a - (b - c)");
    expect_text(binary(OPERATOR_MULTIPLY, binary(OPERATOR_ADD, a, b), c), "(a + b) * c");
    expect_text(binary(OPERATOR_POWER, binary(OPERATOR_POWER, a, b), c), "(a^b)^c");
    expect_text(binary(OPERATOR_POWER, a, binary(OPERATOR_POWER, b, c)), "a^b^c");
    expect_text(binary(OPERATOR_LESS, binary(OPERATOR_LESS, a, b), c), "(a < b) < c");
    Syntax *minus = syntax_unary(arena, NO_SPAN, OPERATOR_NEGATE, binary(OPERATOR_POWER, a, b));
    expect_text(minus, "-a^b");
    expect_text(binary(OPERATOR_POWER, minus, b), "(-a^b)^b");
}

Test(syntax, a_pipeline_is_weaker_than_any_operator)
{
    Syntax *pipe = syntax_node(arena, SYNTAX_PIPE, NO_SPAN, name("x"), name("f"));
    expect_text(syntax_node(arena, SYNTAX_PIPE, NO_SPAN, pipe, name("g")), "x |> f |> g");
    expect_text(syntax_node(arena, SYNTAX_PIPE, NO_SPAN, name("x"), pipe), "x |> (x |> f)");
    expect_text(binary(OPERATOR_ADD, pipe, name("y")), "(x |> f) + y");
}

Test(syntax, strings_are_escaped)
{
    expect_text(syntax_string(arena, NO_SPAN, "a\"b\\c\n\td"), "\"a\\\"b\\\\c\\n\\td\"");
}

Test(syntax, every_operator_has_a_spelling_and_a_level)
{
    for (Operator op = OPERATOR_NONE + 1; op < OPERATORS; op++) {
        cr_expect(strlen(operator_spelling(op)) > 0);
        cr_expect(operator_level(op) > 2 && operator_level(op) < 11);
    }
}
