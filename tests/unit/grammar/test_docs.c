/* Every example in the documentation is read by the parser without complaint. */
#include "tests/unit/grammar/docs.h"

TestSuite(docs, .timeout = 60);

static void read_whole(const Example *example)
{
    Parsed parsed = parse_bytes(example->name, example->text, example->size, false);
    cr_expect_str_eq(text_get(&parsed.diagnostics), "", "%s", text_get(&parsed.diagnostics));
    parsed_free(&parsed);
}

/* Statements stand in the block of a model, unless they begin items. */
static void read_fragment(const Example *example)
{
    static const char before[] = "model fragment {\n", after[] = "}\n";
    bool items = !strncmp(example->text, "train ", 6) || !strncmp(example->text, "data ", 5);
    Text text = {0};
    if (!items) text_string(&text, before);
    text_put(&text, example->text, example->size);
    if (!items) text_string(&text, after);
    Parsed parsed = parse_bytes(example->name, text_get(&text), text.count, false);
    cr_expect_str_eq(text_get(&parsed.diagnostics), "", "%s", text_get(&parsed.diagnostics));
    parsed_free(&parsed);
    text_free(&text);
}

static void read_example(const Example *example)
{
    if (example->fragment)
        read_fragment(example);
    else
        read_whole(example);
}

Test(docs, every_example_is_read)
{
    cr_expect_gt(examples_visit(read_example), 10);
}
