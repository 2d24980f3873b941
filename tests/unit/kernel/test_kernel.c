/* The kernel text form, its verifier, the contraction form, merging of axes. */
#include <criterion/criterion.h>
#include <string.h>

#include "kernel/kernel.h"
#include "support/vector.h"

static const char dense_relu[] = "kernel dense_relu {\n"
                                 "    s0\n"
                                 "    s1\n"
                                 "    s2\n"
                                 "    s3 = 0\n"
                                 "    a0: s0\n"
                                 "    a1: s1\n"
                                 "    a2: s2\n"
                                 "    b0: f32[s0, s2] read\n"
                                 "    b1: f32[s2, s1] read\n"
                                 "    b2: f32[s1] read\n"
                                 "    b3: f32[s0, s1] write\n"
                                 "    v0: f32 {a0 a2} = load b0[a0, a2]\n"
                                 "    v1: f32 {a1 a2} = load b1[a2, a1]\n"
                                 "    v2: f32 {a0 a1 a2} = mul v0 v1\n"
                                 "    v3: f32 {a0 a1} = reduce sum {a2} v2\n"
                                 "    v4: f32 {a1} = load b2[a1]\n"
                                 "    v5: f32 {a0 a1} = add v3 v4\n"
                                 "    v6: f32 {} = constant 0\n"
                                 "    v7: f32 {a0 a1} = max v5 v6\n"
                                 "    v8: f32 {a0 a1} = store b3[a0, a1] v7\n"
                                 "}\n";

/* One of everything else. */
static const char zoo[] = "kernel zoo {\n"
                          "    s0\n"
                          "    s1\n"
                          "    s2 = 1\n"
                          "    s3 = 0\n"
                          "    a0: s0\n"
                          "    a1: s1\n"
                          "    b0: i32[s0] read\n"
                          "    b1: f32[s1, s0] read\n"
                          "    b2: f32[s0, s1] read write\n"
                          "    b3: f32[s1] write\n"
                          "    v0: i32 {a0} = load b0[a0]\n"
                          "    v1: i64 {a1} = axis a1\n"
                          "    v2: i64 {} = size s0\n"
                          "    v3: bool {a1} = lt v1 v2\n"
                          "    v4: f32 {a0 a1} = load b1[-2*a1 + v0! + s1, a0 - s2] v3\n"
                          "    v5: f32 {a0 a1} = random s1[a0, a1] of [s0, s1]\n"
                          "    v6: f32 {a0 a1} = select v3 v4 v5\n"
                          "    v7: f32 {} = constant -inf\n"
                          "    v8: i32 {a1} = reduce argmax {a0} v6\n"
                          "    v9: f32 {a0 a1} = load b2[a0, a1]\n"
                          "    v10: f32 {a0 a1} = sub v9 v6\n"
                          "    v11: f32 {a0 a1} = store b2[a0, a1] v10\n"
                          "    v12: f32 {a0 a1} = scatter b3[v0] v6\n"
                          "}\n";

static const char scans[] = "kernel scans {\n"
                            "    s0\n"
                            "    s1\n"
                            "    s2 = 0\n"
                            "    a0: s0\n"
                            "    a1: s1\n"
                            "    b0: f32[s0, s1] read\n"
                            "    b1: f32[s0, s1] write\n"
                            "    v0: f32 {a0 a1} = load b0[a0, a1]\n"
                            "    v1: f32 {a0 a1} = scan sum {a1} v0\n"
                            "    v2: f32 {a0 a1} = scan reduce_max {a0} v1\n"
                            "    v3: f32 {a0 a1} = store b1[a0, a1] v2\n"
                            "}\n";

static const char numbers[] = "kernel numbers {\n"
                              "    s0\n"
                              "    s1\n"
                              "    s2\n"
                              "    s3 = 0\n"
                              "    a0: s0\n"
                              "    b0: f64[s0] write\n"
                              "    v0: f32 {} = number s1\n"
                              "    v1: f64 {} = number s2\n"
                              "    v2: f64 {} = cast v0\n"
                              "    v3: f64 {} = mul v1 v2\n"
                              "    v4: f64 {a0} = store b0[a0] v3\n"
                              "}\n";

/* Row a0 of b0 dilated: element a1 is that at (a1 + 1) / 2 where there is one. */
static const char spread[] = "kernel spread {\n"
                             "    s0\n"
                             "    s1\n"
                             "    s2\n"
                             "    s3 = 1\n"
                             "    s4 = 0\n"
                             "    a0: s0\n"
                             "    a1: s1\n"
                             "    b0: f32[s0, s2] read\n"
                             "    b1: f32[s0, s1] write\n"
                             "    v0: i64 {a1} = axis a1\n"
                             "    v1: i64 {} = constant 1\n"
                             "    v2: i64 {a1} = add v0 v1\n"
                             "    v3: i64 {} = constant 2\n"
                             "    v4: i64 {a1} = mod v2 v3\n"
                             "    v5: i64 {} = constant 0\n"
                             "    v6: bool {a1} = eq v4 v5\n"
                             "    v7: f32 {a0 a1} = load b0[a0, (a1 + s3) / 2] v6\n"
                             "    v8: f32 {a0 a1} = store b1[a0, a1] v7\n"
                             "}\n";

/* A kernel with one line changed, and a part of the complaint about it. */
typedef struct {
    const char *line, *changed, *complaint;
} Mistake;

static const Mistake mistakes_of_spread[] = {
    {" / 2] v6", " / 2]", "divided without a mask"},
    {"store b1[a0, a1]", "store b1[a0, (a1) / 2]", "divided without a mask"},
    {"(a1 + s3) / 2", "(a1 + v2) / 2", "divided without a mask"},
};

static Kernel *read_text(Context *context, const char *text)
{
    const char *error;
    Kernel *kernel = kernel_read(context, &text, &error);
    cr_assert(kernel, "%s", error);
    return kernel;
}

static void expect_identity(const char *text)
{
    Context *context = context_new();
    Kernel *kernel = read_text(context, text);
    Text printed = {0};
    kernel_print(kernel, &printed);
    cr_assert_str_eq(text_get(&printed), text);
    Kernel *again = read_text(context, text);
    cr_assert(kernel_equal(kernel, again));
    cr_assert_eq(kernel_hash(kernel), kernel_hash(again));
    text_free(&printed);
    context_free(context);
}

Test(kernel, text_is_read_back)
{
    expect_identity(dense_relu);
    expect_identity(zoo);
    expect_identity(scans);
    expect_identity(numbers);
    expect_identity(spread);
}

Test(kernel, valid_kernels_verify)
{
    Context *context = context_new();
    cr_assert_null(kernel_verify(context, read_text(context, dense_relu)));
    const char *wrong = kernel_verify(context, read_text(context, zoo));
    cr_assert_null(wrong, "%s", wrong);
    wrong = kernel_verify(context, read_text(context, scans));
    cr_assert_null(wrong, "%s", wrong);
    wrong = kernel_verify(context, read_text(context, numbers));
    cr_assert_null(wrong, "%s", wrong);
    wrong = kernel_verify(context, read_text(context, spread));
    cr_assert_null(wrong, "%s", wrong);
    context_free(context);
}

static const Mistake mistakes[] = {
    {"v3: f32 {a0 a1} = reduce", "v3: f32 {a0} = reduce", "wrong domain"},
    {"v4: f32 {a1} = load", "v4: f32 {a0} = load", "outside its domain"},
    {"v4: f32 {a1} = load b2[a1]", "v4: f64 {a1} = load b2[a1]", "differ in type"},
    {"add v3 v4", "add v3 v6", "before it is computed"},
    {"add v3 v4", "not v3", "types of v5"},
    {"add v3 v4", "add v3", "no elementwise operation"},
    {"store b3[a0, a1]", "store b3[a0]", "not that of its subscripts"},
    {"store b3[a0, a1]", "store b2[a0]", "not that of its subscripts"},
    {"s3 = 0", "s3 = 2", "neither 0 nor 1"},
    {"b3: f32[s0, s1] write", "b3: f32[s0, s1] read", "not declared so"},
    {"reduce sum {a2}", "reduce sum {a3}", "lacks"},
    {"a2: s2\n", "a2: s9\n", "no extent"},
    {"v8: f32 {a0 a1} = store b3[a0, a1] v7", "v8: f32 {} = constant 1", "nothing is stored"},
};

static const Mistake mistakes_of_scans[] = {
    {"scan sum {a1} v0", "scan sum {} v0", "does not scan one axis"},
    {"scan sum {a1} v0", "scan sum {a0 a1} v0", "does not scan one axis"},
    {"v1: f32 {a0 a1}", "v1: f32 {a0}", "domain"},
    {"scan sum {a1} v0", "scan argmax {a1} v0", "scans positions"},
    {"v1: f32 {a0 a1} = scan sum {a1} v0", "v1: i32 {} = reduce argmax {a0 a1} v0", "no reduction of elements"},
    {"v1: f32 {a0 a1} = scan sum {a1} v0", "v1: i32 {} = reduce argmax {a0 a1} v0 v0", "positions that are not i64"},
    {"v1: f32 {a0 a1} = scan sum {a1} v0", "v1: i32 {a0} = reduce argmax {a1} v0 v0", "no reduction of one"},
    {"scan sum {a1} v0", "scan logsumexp {a1} v0", "no reduction"},
    {"scan sum {a1} v0", "scan sum {a1} v0 v0", "no reduction"},
    {"v1: f32 {a0 a1}", "v1: f64 {a0 a1}", "wrong type"},
};

static const Mistake mistakes_of_numbers[] = {
    {"number s1", "number s9", "names no number"},
    {"v0: f32 {} = number s1", "v0: f16 {} = number s1", "names no number"},
};

static void expect_mistakes(const char *kernel, const Mistake *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Context *context = context_new();
        const char *place = strstr(kernel, list[i].line);
        cr_assert(place);
        const char *text = arena_format(context->arena, "%.*s%s%s", (int)(place - kernel), kernel, list[i].changed,
                                        place + strlen(list[i].line));
        const char *wrong = kernel_verify(context, read_text(context, text));
        cr_assert(wrong, "`%s` passed", list[i].changed);
        cr_expect(strstr(wrong, list[i].complaint), "`%s`: %s", list[i].changed, wrong);
        context_free(context);
    }
}

Test(kernel, mistakes_are_found)
{
    expect_mistakes(dense_relu, mistakes, sizeof mistakes / sizeof *mistakes);
    expect_mistakes(numbers, mistakes_of_numbers, sizeof mistakes_of_numbers / sizeof *mistakes_of_numbers);
    expect_mistakes(scans, mistakes_of_scans, sizeof mistakes_of_scans / sizeof *mistakes_of_scans);
    expect_mistakes(spread, mistakes_of_spread, sizeof mistakes_of_spread / sizeof *mistakes_of_spread);
}

Test(kernel, broken_text_is_refused)
{
    const char *texts[] = {"kern x {}",
                           "kernel x { s0 = q }",
                           "kernel x { a1: s0 }",
                           "kernel x { v0: f32 {} = lod b0[] }",
                           "kernel x {",
                           "kernel x { v0: f32 {} = load b0[(a0) / 1] v1 }",
                           "kernel x { v0: f32 {} = load b0[(a0] v1 }",
                           "kernel x { v0: f32 {} = load b0[(a0) / x] v1 }"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Context *context = context_new();
        const char *at = texts[i], *error;
        cr_expect_null(kernel_read(context, &at, &error), "%s", texts[i]);
        cr_expect(error);
        context_free(context);
    }
}

Test(kernel, contraction_is_recognised)
{
    Context *context = context_new();
    KernelContraction form;
    cr_assert(kernel_contraction(read_text(context, dense_relu), &form));
    cr_expect_eq(form.m, 0);
    cr_expect_eq(form.n, 1);
    cr_expect_eq(form.k, 2);
    cr_expect_eq(form.batch, 0);
    cr_expect_eq(form.a, 0);
    cr_expect_eq(form.b, 1);
    cr_expect_not(kernel_contraction(read_text(context, zoo), &form));
    context_free(context);
}

static const char batched[] = "kernel batched {\n"
                              "    s0\n    s1\n    s2\n    s3\n    s4 = 0\n"
                              "    a0: s0\n    a1: s1\n    a2: s2\n    a3: s3\n"
                              "    b0: f32[s0, s1, s3] read\n"
                              "    b1: f32[s3, s2] read\n"
                              "    b2: f32[s0, s1, s2] write\n"
                              "    v0: f32 {a0 a1 a3} = load b0[a0, a1, a3]\n"
                              "    v1: f32 {a2 a3} = load b1[a3, a2]\n"
                              "    v2: f32 {a0 a1 a2 a3} = mul v0 v1\n"
                              "    v3: f32 {a0 a1 a2} = reduce sum {a3} v2\n"
                              "    v4: f32 {a0 a1 a2} = store b2[a0, a1, a2] v3\n"
                              "}\n";

Test(kernel, axes_walked_as_one_are_merged)
{
    Context *context = context_new();
    DimTable *dims = dim_table_new(context->arena, context->names);
    Kernel *kernel = read_text(context, batched);
    const char *names[] = {"batch", "time", "out", "in"};
    Dim *sizes = ARENA_ARRAY(context->arena, Dim, 5);
    for (int i = 0; i < 4; i++) sizes[i] = dim_symbol(dims, intern(context->names, names[i]));
    sizes[4] = dim_constant(dims, 0);
    Dim rows = dim_mul(dims, sizes[0], sizes[1]);

    KernelContraction form;
    cr_assert(kernel_contraction(kernel, &form));
    cr_expect_eq(form.batch, 1, "the outer of two m axes is a batch axis until they are merged");
    kernel_merge_axes(context->arena, dims, kernel, &sizes);
    kernel_compact_sizes(context->arena, kernel, &sizes);
    const char *wrong = kernel_verify(context, kernel);
    cr_assert_null(wrong, "%s", wrong);
    cr_assert_eq(kernel->n_axes, 3);
    cr_assert_eq(kernel->n_sizes, 4);
    cr_expect(dim_same(sizes[kernel->axes[0].extent], rows));
    cr_assert(kernel_contraction(kernel, &form));
    cr_expect_eq(form.batch, 0);
    dim_table_free(dims);
    context_free(context);
}
