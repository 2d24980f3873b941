/* The text form: identity through reading, diagnostics for what is malformed, no crash on anything. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random_module.h"

static Module *read_text(Context *context, const char *text)
{
    return module_read(context, source_add(context->sources, "test.nng", text, strlen(text)));
}

Test(text, random_modules_read_back_identically)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Context *context = context_new(), *other = context_new();
        Module *module = random_module(context, seed, 40);
        const char *wrong = module_verify(module);
        cr_assert_null(wrong, "seed %d: %s", (int)seed, wrong);
        Text text = {0}, again = {0}, report = {0};
        module_print(module, &text);
        Module *read = read_text(other, text_get(&text));
        diagnostics_print(other->diagnostics, &report);
        cr_assert_not_null(read, "seed %d: %s", (int)seed, text_get(&report));
        module_print(read, &again);
        cr_assert_str_eq(text_get(&again), text_get(&text));
        text_free(&text);
        text_free(&again);
        text_free(&report);
        graph_free(module->graph);
        graph_free(read->graph);
        context_free(context);
        context_free(other);
    }
}

/* Each text differs from a good one by one mistake, and is refused with a word that names it. */
Test(text, mistakes_are_reported_where_they_are)
{
    static const struct {
        const char *text, *says;
        int line;
    } rows[] = {
        {"", "expected `module`", 1},
        {"module x\n", "expected `\"`", 1},
        {"module \"x\"\nsomething\n", "expected a node", 2},
        {"module \"x\"\n%2 = const number=1 : f32\n", "expected %1", 2},
        {"module \"x\"\n%1 = constant number=1 : f32\n", "not an operator", 2},
        {"module \"x\"\n%1 = const number=1 : f33\n", "expected a type", 2},
        {"module \"x\"\n%1 = const number=1 : f32[2\n", "expected a type", 2},
        {"module \"x\"\n%1 = const number=one : f32\n", "expected a number", 2},
        {"module \"x\"\n%1 = const : f32\n", "expected `number=`", 2},
        {"module \"x\"\n%1 = exp(%1) : f32\n", "not defined above", 2},
        {"module \"x\"\n%1 = const number=1 : f32\n%2 = exp(%1, %1) : f32\n", "wrong number of operands", 3},
        {"module \"x\"\n%1 = const number=1 : f32\n%2 = exp(%1) : f64\n", "type of this node is f32", 3},
        {"module \"x\"\n%1 = const number=1 : i32\n%2 = exp(%1) : i32\n", "floating-point", 3},
        {"module \"x\"\n%1 = const number=1 : f32[3]\n%2 = sum(%1) ints=[1] : f32\n", "axis out of range", 3},
        {"module \"x\"\n%1 = input name=\"a : f32\n", "without its end", 2},
        {"module \"x\"\n%1 = input name=\"\\q\" : f32\n", "an escape", 2},
        {"module \"x\"\n%1 = literal data=x123 : f32\n", "odd number", 2},
        {"module \"x\"\n%1 = literal data=x12 : f32\n", "does not fill", 2},
        {"module \"x\"\nfunction \"f\" {\n", "without its `}`", 3},
        {"module \"x\"\nfunction \"f\" {\n  result \"a\" = %1\n}\n", "kind of result", 3},
        {"module \"x\"\n%1 = const number=1 : f32\ndeclare input %1\n", "declared as what it is not", 1},
        {"module \"x\"\n%1 = input name=\"a\" : f32[n]\ndeclare input %1\n", "not among the dims", 1},
        {"module \"x\"\n%1 = const number=1 : f32 trailing\n", "end of the line", 2},
        {"module \"x\"\ncheck h = 2 message=\"\"\n", "expected `==`", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Context *context = context_new();
        Text report = {0};
        cr_expect_null(read_text(context, rows[i].text), "%s", rows[i].text);
        diagnostics_print(context->diagnostics, &report);
        char place[32];
        snprintf(place, sizeof place, "test.nng:%d:", rows[i].line);
        cr_expect_not_null(strstr(text_get(&report), rows[i].says), "%s\n%s", rows[i].text, text_get(&report));
        cr_expect_not_null(strstr(text_get(&report), place), "%s\n%s", rows[i].text, text_get(&report));
        text_free(&report);
        context_free(context);
    }
}

/* A good text with random bytes changed, removed or repeated is read or refused, but never more than that. */
Test(text, damaged_texts_never_crash)
{
    static const char alphabet[] = "%=()[]{}\":,0123456789abcdefinx_*/+- \n#\\";
    uint64_t random = 99;
    Context *context = context_new();
    Module *module = random_module(context, 5, 30);
    Text text = {0};
    module_print(module, &text);
    for (int round = 0; round < 3000; round++) {
        Context *other = context_new();
        char *damaged = malloc(text.count + 1);
        memcpy(damaged, text_get(&text), text.count + 1);
        size_t size = text.count;
        for (int hit = 0; hit < 1 + round % 4; hit++) {
            random = random * 6364136223846793005ULL + 1442695040888963407ULL;
            size_t at = (random >> 33) % size;
            if (random >> 20 & 1)
                damaged[at] = alphabet[(random >> 40) % (sizeof alphabet - 1)];
            else
                memmove(damaged + at, damaged + at + 1, size-- - at);
        }
        Module *read = module_read(other, source_add(other->sources, "damaged.nng", damaged, size));
        cr_assert_eq(read == NULL, diagnostics_errors(other->diagnostics) > 0);
        if (read) {
            Text first = {0}, second = {0};
            module_print(read, &first);
            Module *again = read_text(other, text_get(&first));
            cr_assert_not_null(again);
            module_print(again, &second);
            cr_assert_str_eq(text_get(&first), text_get(&second));
            text_free(&first);
            text_free(&second);
            graph_free(again->graph);
            graph_free(read->graph);
        }
        free(damaged);
        context_free(other);
    }
    text_free(&text);
    graph_free(module->graph);
    context_free(context);
}
