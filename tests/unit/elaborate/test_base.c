/* Contexts that stand on another one: what is compiled in them is what is compiled alone, and nothing of it is seen by
 * the next. */
#include "support.h"

TestSuite(base, .timeout = 60);

static const char *const models[] = {
    "model m {\n    input x: f32[batch, 4]\n    output y = x |> dense(3) |> softmax\n}\n",
    "fn relu(x) = 2 * x\nmodel m {\n    input x: f32[batch]\n    output y = relu(x) + gelu(x)\n}\n",
    "model m {\n    input x: f32[batch]\n    output y = relu(x)\n}\n", /* the prelude's again */
    "model m {\n    input x: f32[batch]\n    output y = rellu(x)\n}\n",
    "model m {\n    input x: f32[batch, 4]\n    output y = x |> dense(3, units = 4)\n}\n",
};

enum { MODELS = sizeof models / sizeof *models };

/* The module's text, or the diagnostics. */
static Text compiled_on(const Context *base, const char *text)
{
    Context *context = context_new_on(base);
    const ProgramOptions options = {0};
    Text shown = {0};
    const Source *source = source_add(context->sources, "input.nn", text, strlen(text));
    Program *program = program_compile(context, NULL, source, &options);
    if (program) {
        module_print(program->module, &shown);
        graph_free(program->module->graph);
    }
    diagnostics_print(context->diagnostics, &shown);
    context_free(context);
    return shown;
}

Test(base, compiles_the_same)
{
    Context *base = context_new();
    items_prelude(base);
    size_t used = arena_used(base->arena);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < MODELS; i++) {
            Text alone = compiled_on(NULL, models[i]), shared = compiled_on(base, models[i]);
            cr_expect_str_eq(text_get(&shared), text_get(&alone));
            text_free(&alone);
            text_free(&shared);
        }
    cr_expect_eq(arena_used(base->arena), used, "the base was written to");
    context_free(base);
}

Test(base, has_names_and_sources)
{
    Context *base = context_new();
    Name known = intern(base->names, "known");
    source_add(base->sources, "first", "one\ntwo\n", 8);
    Context *context = context_new_on(base);
    const Source *own = source_add(context->sources, "second", "three", 5);
    Place place;
    cr_expect_eq(intern(context->names, "known"), known);
    cr_expect_eq(intern(context->names, "new"), intern(context->names, "new"));
    cr_expect_eq(source_at(context->sources, 1), own);
    cr_expect_str_eq(source_at(context->sources, 0)->name, "first");
    cr_expect_null(source_at(context->sources, 2));
    cr_assert(source_place(context->sources, 5, &place));
    cr_expect(place.line == 2 && !strcmp(place.source->name, "first"));
    cr_assert(source_place(context->sources, own->start + 2, &place));
    cr_expect(place.column == 3 && place.source == own);
    context_free(context);
    context_free(base);
}
