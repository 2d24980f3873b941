/* Loop kernels, compiled and run, against the slow evaluator: every shape of nest, and sizes around the vector width. */
#include "harness.h"

static const char row_softmax[] = "kernel row_softmax {\n"
                                  "    s0\n"
                                  "    s1\n"
                                  "    s2 = 0\n"
                                  "    a0: s0\n"
                                  "    a1: s1\n"
                                  "    b0: f32[s0, s1] read\n"
                                  "    b1: f32[s0, s1] write\n"
                                  "    v0: f32 {a0 a1} = load b0[a0, a1]\n"
                                  "    v1: f32 {a0} = reduce reduce_max {a1} v0\n"
                                  "    v2: f32 {a0 a1} = sub v0 v1\n"
                                  "    v3: f32 {a0 a1} = exp v2\n"
                                  "    v4: f32 {a0} = reduce sum {a1} v3\n"
                                  "    v5: f32 {a0 a1} = div v3 v4\n"
                                  "    v6: f32 {a0 a1} = store b1[a0, a1] v5\n"
                                  "}\n";

static const Range unit[MAX_BUFFERS] = {{-1, 1}, {-1, 1}, {-1, 1}, {-1, 1}, {-1, 1}, {-1, 1}, {-1, 1}, {-1, 1}};

Test(loop, row_softmax)
{
    Harness h = harness_new(row_softmax, "native");
    for (int64_t columns = 1; columns <= 40; columns++) {
        int64_t sizes[] = {5, columns, 0};
        harness_check(&h, sizes, unit, 1e-5, 0);
    }
    harness_free(&h);
}
