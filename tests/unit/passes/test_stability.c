/* Losses as textbooks write them, which overflow as written: after the pipeline their values and gradients are finite
 * and right for logits of +-1000, in f32. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "ir/eval.h"
#include "passes/passes.h"

enum { N = 4 };

/* Each text goes from %1, z : f32[4], to a scalar, its last node. */
static const struct {
    const char *name, *text;
    double z[N], value, gradient[N];
} rows[] = {
    {"sum(-log(softmax(z))[1])",
     "%2 = softmax(%1) integer=0 : f32[4]\n%3 = log(%2) : f32[4]\n%4 = slice(%3) ints=[1] sizes=[1] : f32[1]\n"
     "%5 = neg(%4) : f32[1]\n%6 = sum(%5) ints=[0] : f32\n",
     {1000, -1000, 0, 1000},
     2000.693147180559945,
     {0.5, -1, 0, 0.5}},
    {"sum(-log(exp(z) / sum(exp(z)))[0])",
     "%2 = exp(%1) : f32[4]\n%3 = sum(%2) ints=[0] : f32\n%4 = broadcast(%3) ints=[] : f32[4]\n"
     "%5 = div(%2, %4) : f32[4]\n%6 = slice(%5) ints=[1] sizes=[0] : f32[1]\n%7 = log(%6) : f32[1]\n"
     "%8 = neg(%7) : f32[1]\n%9 = sum(%8) ints=[0] : f32\n",
     {-1000, 0, -1000, -1000},
     1000,
     {-1, 1, 0, 0}},
    {"sum(-log(1 / (1 + exp(-z))))",
     "%2 = neg(%1) : f32[4]\n%3 = exp(%2) : f32[4]\n%4 = const number=1 : f32[4]\n%5 = add(%3, %4) : f32[4]\n"
     "%6 = div(%4, %5) : f32[4]\n%7 = log(%6) : f32[4]\n%8 = neg(%7) : f32[4]\n%9 = sum(%8) ints=[0] : f32\n",
     {1000, -1000, 0, 0},
     1000 + 2 * 0.693147180559945,
     {0, -1, -0.5, -0.5}},
    {"sum(-log(1 - sigmoid(z)))",
     "%2 = sigmoid(%1) : f32[4]\n%3 = const number=1 : f32[4]\n%4 = sub(%3, %2) : f32[4]\n%5 = log(%4) : f32[4]\n"
     "%6 = neg(%5) : f32[4]\n%7 = sum(%6) ints=[0] : f32\n",
     {1000, -1000, 0, 0},
     1000 + 2 * 0.693147180559945,
     {1, 0, 0.5, 0.5}},
    {"sum(log(1 + exp(z)))",
     "%2 = exp(%1) : f32[4]\n%3 = const number=1 : f32[4]\n%4 = add(%2, %3) : f32[4]\n%5 = log(%4) : f32[4]\n"
     "%6 = sum(%5) ints=[0] : f32\n",
     {1000, -1000, 100, -100},
     1100,
     {1, 0, 1, 0}},
    {"log(sum(exp(z)))",
     "%2 = exp(%1) : f32[4]\n%3 = sum(%2) ints=[0] : f32\n%4 = log(%3) : f32\n",
     {1000, 1000, 1000, 1000},
     1001.386294361119891,
     {0.25, 0.25, 0.25, 0.25}},
    {"sum(log(sum(exp(z), keep = true)))",
     "%2 = exp(%1) : f32[4]\n%3 = sum(%2) ints=[0] : f32\n%4 = reshape(%3) : f32[1]\n%5 = log(%4) : f32[1]\n"
     "%6 = sum(%5) ints=[0] : f32\n",
     {1000, -1000, 1000, 0},
     1000.693147180559945,
     {0.5, 0, 0.5, 0}},
    {"log(sum(exp(z))), masked",
     "%2 = exp(%1) : f32[4]\n%3 = sum(%2) ints=[0] : f32\n%4 = log(%3) : f32\n",
     {-INFINITY, 5, -INFINITY, 5},
     5.693147180559945,
     {0, 0.5, 0, 0.5}},
};

static int count_nodes(const char *text)
{
    int count = 0;
    for (; *text; text++) count += *text == '\n';
    return count;
}

static Module *read_loss(Context *context, const char *nodes)
{
    int loss = 1 + count_nodes(nodes);
    const char *text =
        arena_format(context->arena,
                     "module \"m\"\n%%1 = input name=\"z\" : f32[4]\n%s%%%d = gradient(%%%d, %%1) : f32[4]\n"
                     "declare input %%1\nfunction \"training\" {\n    total %%%d\n    loss \"loss\" = %%%d\n"
                     "    gradient \"z\" = %%%d\n}\n",
                     nodes, loss + 1, loss, loss, loss, loss + 1);
    Module *module = module_read(context, source_add(context->sources, "m.nng", text, strlen(text)));
    cr_assert_not_null(module, "%s", text);
    return module;
}

Test(stability, textbook_losses_survive_extreme_logits)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Context *context = context_new();
        Module *module = read_loss(context, rows[i].text);
        cr_assert(passes_run(RECIPE_COMPILE, module, NULL));
        const Function *function = module_function(module, "training");
        Node values[] = {function->results[0].value, function->results[1].value};
        const Tensor *results[2];
        Eval *eval = eval_new(module->graph, NULL);
        cr_assert(eval_bind(eval, module->inputs[0].node, rows[i].z, N));
        cr_assert(eval_run(eval, values, 2, results), "%s: %s", rows[i].name, eval_message(eval));
        cr_expect_float_eq(results[0]->data[0], rows[i].value, 1e-6 * rows[i].value, "%s is %.9g, not %.9g",
                           rows[i].name, results[0]->data[0], rows[i].value);
        for (int k = 0; k < N; k++)
            cr_expect_float_eq(results[1]->data[k], rows[i].gradient[k], 1e-6, "%s: gradient %d is %.9g, not %.9g",
                               rows[i].name, k, results[1]->data[k], rows[i].gradient[k]);
        eval_free(eval);
        graph_free(module->graph);
        context_free(context);
    }
}
