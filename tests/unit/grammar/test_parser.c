/* The parser's rules one by one: newlines, words that are keywords only sometimes, precedence, recovery, the REPL. */
#include "support.h"

TestSuite(parser, .timeout = 10);

/* The value of `const a = TEXT` as the printer shows it. */
static void expect_same(const char *text, const char *canonical)
{
    char source[512];
    snprintf(source, sizeof source, "const a = %s\n", text);
    Parsed parsed = parse_text(source);
    cr_expect_str_eq(text_get(&parsed.diagnostics), "");
    cr_assert_eq(parsed.file->n_kids, 1);
    Text shown = {0};
    syntax_print(parsed.file->kids[0]->kids[0], &shown);
    cr_expect_str_eq(text_get(&shown), canonical);
    text_free(&shown);
    parsed_free(&parsed);
}

Test(parser, precedence)
{
    expect_same("a + (b * c)", "a + b * c");
    expect_same("(a + b) * c", "(a + b) * c");
    expect_same("-(x^2)", "-x^2");
    expect_same("(-x)^2", "(-x)^2");
    expect_same("2^(-x)", "2^-x");
    expect_same("not (a and b) or c", "not (a and b) or c");
    expect_same("(not a) and (b < c)", "not a and b < c");
    expect_same("(a // b) % c @ d", "a // b % c @ d");
    expect_same("x |> f(a) |> g", "x |> f(a) |> g");
    expect_same("(a + b) |> f", "a + b |> f");
    expect_same("a + (b |> f)", "a + (b |> f)");
    expect_same("if a then b else (if c then d else e)", "if a then b else if c then d else e");
    expect_same("(2).T", "(2).T");
}

Test(parser, newlines_inside_brackets_and_after_operators_do_not_end)
{
    expect_same("f(a,\n b\n)", "f(a, b)");
    expect_same("a +\n b", "a + b");
    expect_same("x\n  # why\n\n  |> f", "x |> f");
    expect_same("if a\n then b\n else c", "if a then b else c");
}

Test(parser, thence_is_a_name)
{
    Parsed parsed = parse_text("model m {\n a = b\n thence = 3\n |> f\n}\n");
    cr_assert_eq(parsed.file->n_kids, 1);
    cr_expect_eq(parsed.file->kids[0]->kids[0]->n_kids, 2);
    parsed_free(&parsed);
}

static const Syntax *first_statement(const Parsed *parsed)
{
    cr_assert_str_eq(text_get(&parsed->diagnostics), "", "%s", text_get(&parsed->diagnostics));
    return parsed->file->kids[0]->kids[0]->kids[0];
}

Test(parser, declaring_words_are_names_elsewhere)
{
    static const struct {
        const char *statement;
        SyntaxKind kind;
    } rows[] = {
        {"loss = 3", SYNTAX_BIND},
        {"loss kl = 3", SYNTAX_LOSS},
        {"loss and x", SYNTAX_EXPRESSION},
        {"input = data", SYNTAX_BIND},
        {"input x: f32", SYNTAX_INPUT},
        {"output y", SYNTAX_OUTPUT},
        {"output(y)", SYNTAX_EXPRESSION},
        {"layer f = g", SYNTAX_INSTANCE},
        {"state := 2", SYNTAX_UPDATE},
        {"optimizer = adam", SYNTAX_BIND},
        {"optimizer a.b = c", SYNTAX_OVERRIDE},
        {"optimizer \"*.b\" = c", SYNTAX_OVERRIDE},
        {"checkpoint { a = 1 }", SYNTAX_CHECKPOINT},
        {"checkpoint = 1", SYNTAX_BIND},
        {"const k = 1", SYNTAX_CONST},
        {"train[0]", SYNTAX_EXPRESSION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "model m { %s }\n", rows[i].statement);
        Parsed parsed = parse_text(text);
        cr_expect_eq(first_statement(&parsed)->kind, rows[i].kind, "%s", rows[i].statement);
        parsed_free(&parsed);
    }
}

Test(parser, spans_are_the_bytes_of_the_text)
{
    Parsed parsed = parse_text("model m { é = (a + b) * c }\n");
    const Syntax *bind = first_statement(&parsed), *sum = bind->kids[1]->kids[0];
    uint32_t start = parsed.source->start;
    cr_expect_eq(bind->span.start - start, 10);
    cr_expect_eq(bind->span.end - start, 26);
    cr_expect_eq(sum->span.start - start, 16, "without its parentheses");
    cr_expect_eq(sum->span.end - start, 21);
    cr_expect_eq(parsed.file->kids[0]->name_span.start - start, 6);
    parsed_free(&parsed);
}

Test(parser, an_omitted_part_keeps_its_place)
{
    Parsed parsed = parse_text("fn f(x: [..., n], k = 2) = x[:k]\nfn g() { return 1 }\n");
    const Syntax *f = parsed.file->kids[0], *g = parsed.file->kids[1];
    cr_assert_eq(f->n_kids, 3);
    cr_expect_null(f->kids[1]);
    cr_expect(f->flags & SYNTAX_EQUALS);
    cr_expect_not(g->flags & SYNTAX_EQUALS);
    const Syntax *k = f->kids[0]->kids[1], *range = f->kids[2]->kids[1]->kids[1];
    cr_expect_null(k->kids[0]);
    cr_expect_eq(k->kids[1]->integer, 2);
    cr_expect_eq(range->kind, SYNTAX_RANGE);
    cr_expect_null(range->kids[0]);
    cr_expect_null(f->kids[2]->kids[1]->kids[0], "there is no where");
    parsed_free(&parsed);
}

Test(parser, documentation_is_right_above)
{
    Parsed parsed = parse_text("# far\n\n# one\n# two\nconst a = 1 # after\n# of b\nconst b = 2\n\nconst c = 3\n");
    cr_expect_str_eq(parsed.file->kids[0]->doc, "one\ntwo");
    cr_expect_str_eq(parsed.file->kids[1]->doc, "of b");
    cr_expect_null(parsed.file->kids[2]->doc);
    parsed_free(&parsed);
}

Test(parser, an_error_costs_one_statement)
{
    Parsed parsed =
        parse_text("model m {\n a = f(1,\n  2 3,\n  4)\n b = 2\n c = ]\n d = 4\n}\nmodel {\n x = 1\n}\nconst e = 5\n");
    cr_expect_eq(diagnostics_errors(parsed.context->diagnostics), 3, "%s", text_get(&parsed.diagnostics));
    cr_assert_eq(parsed.file->n_kids, 2);
    const Syntax *block = parsed.file->kids[0]->kids[0];
    cr_assert_eq(block->n_kids, 2);
    cr_expect_str_eq(block->kids[0]->kids[0]->kids[0]->name, "b");
    cr_expect_str_eq(block->kids[1]->kids[0]->kids[0]->name, "d");
    cr_expect_str_eq(parsed.file->kids[1]->name, "e");
    parsed_free(&parsed);
}

Test(parser, no_more_than_twenty_errors)
{
    Text text = {0};
    for (int i = 0; i < 100; i++) text_string(&text, "const = 1\n");
    Parsed parsed = parse_bytes("many.nn", text_get(&text), text.count, false);
    cr_expect_eq(diagnostics_errors(parsed.context->diagnostics), 20);
    parsed_free(&parsed);
    text_free(&text);
}

Test(parser, empty_and_strange_files)
{
    static const struct {
        const char *text;
        size_t size, errors;
    } rows[] = {{"", 0, 0},
                {"\n\n", 2, 0},
                {"# only", 6, 0},
                {"\xEF\xBB\xBF"
                 "const a = 1",
                 14, 0},
                {"const a = 1\r\n", 13, 0},
                {"\0", 1, 1},
                {"\xFF\xFE", 2, 2},
                {"const a = \"\0\"", 13, 1},
                {"}", 1, 1},
                {"const", 5, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Parsed parsed = parse_bytes("strange.nn", rows[i].text, rows[i].size, false);
        cr_expect_eq(diagnostics_errors(parsed.context->diagnostics), rows[i].errors, "row %zu:\n%s", i,
                     text_get(&parsed.diagnostics));
        parsed_free(&parsed);
    }
}

Test(parser, rules)
{
    const char *text = "partial x * y = y, x\n# why\nnumeric log(sum[a](exp(x))) => logsumexp[a](x) where x > 0\n"
                       "display x^2 / x => x\nexpand f(x) = x\npartail g(x) = 1\n";
    Parsed parsed = parse_bytes("rules.nn", text, strlen(text), true);
    cr_expect_eq(diagnostics_errors(parsed.context->diagnostics), 2, "%s", text_get(&parsed.diagnostics));
    cr_expect(strstr(text_get(&parsed.diagnostics), "did you mean `partial`?"));
    cr_assert_eq(parsed.file->n_kids, 3);
    const Syntax *partial = parsed.file->kids[0], *numeric = parsed.file->kids[1];
    cr_expect_str_eq(partial->name, "partial");
    cr_expect_eq(partial->n_kids, 4);
    cr_expect_null(partial->kids[1]);
    cr_expect_eq(numeric->kids[1]->kind, SYNTAX_BINARY);
    cr_expect_str_eq(numeric->doc, "why");
    parsed_free(&parsed);
}

Test(parser, the_repl_asks_for_more)
{
    static const struct {
        const char *line;
        ParserState state;
        uint32_t entries;
    } rows[] = {
        {"x = 1; y = 2", PARSER_COMPLETE, 2},
        {"# nothing", PARSER_COMPLETE, 0},
        {"", PARSER_COMPLETE, 0},
        {"z = f(1,", PARSER_INCOMPLETE, 0},
        {"2)\n", PARSER_COMPLETE, 1},
        {"a = b +", PARSER_INCOMPLETE, 0},
        {"", PARSER_INCOMPLETE, 0},
        {"c", PARSER_COMPLETE, 1},
        {"layer f(x) {", PARSER_INCOMPLETE, 0},
        {"  y = x", PARSER_INCOMPLETE, 0},
        {"  return y", PARSER_INCOMPLETE, 0},
        {"}", PARSER_COMPLETE, 1},
        {"x + * 2", PARSER_ERROR, 0},
        {"grad(L, x0)", PARSER_COMPLETE, 1},
        {"u = (", PARSER_INCOMPLETE, 0},
        {"]", PARSER_ERROR, 0},
        {"v", PARSER_COMPLETE, 1},
    };
    Context *context = context_new();
    Parser *parser = parser_new(context);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(parser_feed(parser, "repl", rows[i].line, strlen(rows[i].line)), rows[i].state, "`%s`",
                     rows[i].line);
        cr_expect_eq(parser_take(parser)->n_kids, rows[i].entries, "`%s`", rows[i].line);
    }
    cr_expect_eq(parser_finish(parser), PARSER_COMPLETE);
    cr_expect_eq(parser_feed(parser, "repl", "k = [1,", 7), PARSER_INCOMPLETE);
    cr_expect_eq(parser_finish(parser), PARSER_ERROR);
    cr_expect_eq(parser_feed(parser, "repl", "k = (", 5), PARSER_INCOMPLETE);
    parser_reset(parser);
    cr_expect_eq(parser_feed(parser, "repl", "k = 1", 5), PARSER_COMPLETE);
    parser_free(parser);
    context_free(context);
}
