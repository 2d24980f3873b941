/* Kernels as text, one for each shape of nest and each kind of access. Sizes that end a list of axes are 0 or 1. */
#ifndef NNC_TESTS_CODEGEN_KERNELS_H
#define NNC_TESTS_CODEGEN_KERNELS_H

#include "harness.h"

typedef struct {
    const char *name;
    const char *text;
    Range ranges[MAX_BUFFERS];
    double tolerance;
} Sample;

#define FLOATS                                                                                                         \
    {                                                                                                                  \
        -2, 2                                                                                                          \
    }

static const Sample samples[] = {
    {"bias_relu",
     "kernel bias_relu {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n"
     " b0: f32[s0, s1] read\n b1: f32[s1] read\n b2: f32[s0, s1] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a1} = load b1[a1]\n v2: f32 {a0 a1} = add v0 v1\n"
     " v3: f32 {} = constant 0\n v4: f32 {a0 a1} = max v2 v3\n v5: f32 {a0 a1} = store b2[a0, a1] v4\n}\n",
     {FLOATS, FLOATS},
     1e-6},
    {"map_1d",
     "kernel map_1d {\n s0\n s1\n s2 = 0\n a0: s0\n b0: f32[s0] read\n b1: f32[s0] write\n"
     " v0: f32 {a0} = load b0[a0]\n v1: f32 {a0} = tanh v0\n v2: f32 {a0} = store b1[a0] v1\n}\n",
     {FLOATS},
     1e-6},
    {"row_softmax",
     "kernel row_softmax {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0, s1] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a0} = reduce reduce_max {a1} v0\n v2: f32 {a0 a1} = sub v0 v1\n"
     " v3: f32 {a0 a1} = exp v2\n v4: f32 {a0} = reduce sum {a1} v3\n v5: f32 {a0 a1} = div v3 v4\n"
     " v6: f32 {a0 a1} = store b1[a0, a1] v5\n}\n",
     {FLOATS},
     1e-5},
    {"row_sum",
     "kernel row_sum {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a0} = reduce sum {a1} v0\n v2: f32 {a0} = store b1[a0] v1\n}\n",
     {FLOATS},
     1e-5},
    {"step_by_column_sum",
     "kernel step_by_column_sum {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n"
     " b1: f32[s1] read write\n b2: f32[s1] read\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a1} = reduce sum {a0} v0\n v2: f32 {a1} = load b1[a1]\n"
     " v3: f32 {} = constant 0.01\n v4: f32 {a1} = mul v1 v3\n v5: f32 {a1} = load b2[a1]\n v6: f32 {a1} = mul v5 v5\n"
     " v7: f32 {a1} = add v4 v6\n v8: f32 {a1} = mul v7 v3\n v9: f32 {a1} = add v8 v4\n v10: f32 {a1} = abs v9\n"
     " v11: f32 {a1} = sub v2 v10\n v12: f32 {a1} = store b1[a1] v11\n}\n",
     {{-1, 1}, {-1, 1}, {-1, 1}},
     1e-5},
    {"column_sum",
     "kernel column_sum {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s1] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a1} = reduce sum {a0} v0\n v2: f32 {a1} = store b1[a1] v1\n}\n",
     {FLOATS},
     1e-5},
    {"mean_of_all",
     "kernel mean_of_all {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a0 a1} = mul v0 v0\n v2: f32 {} = reduce sum {a0 a1} v1\n"
     " v3: i64 {} = size s0\n v4: f32 {} = cast v3\n v5: f32 {} = div v2 v4\n v6: f32 {} = store b1[] v5\n}\n",
     {FLOATS},
     1e-5},
    {"middle_max",
     "kernel middle_max {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n a2: s0\n"
     " b0: f32[s0, s1, s0] read\n b1: f32[s0, s0] write\n v0: f32 {a0 a1 a2} = load b0[a0, a1, a2]\n"
     " v1: f32 {a0 a2} = reduce reduce_max {a1} v0\n v2: f32 {a0 a2} = store b1[a0, a2] v1\n}\n",
     {FLOATS},
     0},
    {"outer_product_sum",
     "kernel outer_product_sum {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n a2: s0\n"
     " b0: f32[s0, s1, s0] read\n b1: f32[s1] write\n v0: f32 {a0 a1 a2} = load b0[a0, a1, a2]\n"
     " v1: f32 {a1} = reduce sum {a0 a2} v0\n v2: f32 {a1} = store b1[a1] v1\n}\n",
     {FLOATS},
     1e-4},
    {"cross_entropy",
     "kernel cross_entropy {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: i32[s0] read\n"
     " b2: f32[] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a0} = reduce reduce_max {a1} v0\n"
     " v2: f32 {a0 a1} = sub v0 v1\n v3: f32 {a0 a1} = exp v2\n v4: f32 {a0} = reduce sum {a1} v3\n"
     " v5: f32 {a0} = log v4\n v6: i32 {a0} = load b1[a0]\n v7: f32 {a0} = load b0[a0, v6!]\n"
     " v8: f32 {a0} = sub v7 v1\n v9: f32 {a0} = sub v5 v8\n v10: f32 {} = reduce sum {a0} v9\n"
     " v11: f32 {} = store b2[] v10\n}\n",
     {FLOATS, {0, 1}},
     1e-5},
    {"cross_entropy_gradient",
     "kernel cross_entropy_gradient {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n"
     " b1: i32[s0] read\n b2: f32[s0, s1] write\n b3: f32[] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n"
     " v1: f32 {a0} = reduce reduce_max {a1} v0\n v2: f32 {a0 a1} = sub v0 v1\n v3: f32 {a0 a1} = exp v2\n"
     " v4: f32 {a0} = reduce sum {a1} v3\n v5: f32 {a0 a1} = div v3 v4\n v6: i64 {a1} = axis a1\n"
     " v7: i32 {a0} = load b1[a0]\n v8: i64 {a0} = cast v7\n v9: bool {a0 a1} = eq v6 v8\n"
     " v10: f32 {} = constant 1\n v11: f32 {} = constant 0\n v12: f32 {a0 a1} = select v9 v10 v11\n"
     " v13: f32 {a0 a1} = sub v5 v12\n v14: f32 {a0 a1} = store b2[a0, a1] v13\n"
     " v15: f32 {a0} = log v4\n v16: f32 {} = reduce sum {a0} v15\n v17: f32 {} = store b3[] v16\n}\n",
     {FLOATS, {0, 1}},
     1e-5},
    {"column_normalise",
     "kernel column_normalise {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0, s1] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a1} = reduce sum {a0} v0\n v2: i64 {} = size s0\n"
     " v3: f32 {} = cast v2\n v4: f32 {a1} = div v1 v3\n v5: f32 {a0 a1} = sub v0 v4\n v6: f32 {a0 a1} = mul v5 v5\n"
     " v7: f32 {a1} = reduce sum {a0} v6\n v8: f32 {} = constant 1\n v9: f32 {a1} = add v7 v8\n"
     " v10: f32 {a1} = rsqrt v9\n v11: f32 {a0 a1} = mul v5 v10\n v12: f32 {a0 a1} = store b1[a0, a1] v11\n}\n",
     {FLOATS},
     1e-5},
    {"share_of_total",
     "kernel share_of_total {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a0} = reduce sum {a1} v0\n v2: f32 {} = reduce sum {a0} v1\n"
     " v3: f32 {a0} = div v1 v2\n v4: f32 {a0} = store b1[a0] v3\n}\n",
     {{1, 2}},
     1e-5},
    {"relu_backward_with_bias",
     "kernel relu_backward_with_bias {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n"
     " b1: f32[s0, s1] read write\n b2: f32[s1] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {} = constant 0\n"
     " v2: bool {a0 a1} = lt v1 v0\n v3: f32 {a0 a1} = load b1[a0, a1]\n v4: f32 {a0 a1} = select v2 v3 v1\n"
     " v5: f32 {a0 a1} = store b1[a0, a1] v4\n v6: f32 {a1} = reduce sum {a0} v4\n v7: f32 {a1} = store b2[a1] v6\n}\n",
     {FLOATS, FLOATS},
     1e-5},
    {"adam",
     "kernel adam {\n s0\n s1\n s2 = 0\n a0: s0\n b0: f32[s0] read\n b1: f32[s0] read write\n b2: f32[s0] read write\n"
     " b3: f32[s0] read write\n b4: f32[] read\n v0: f32 {a0} = load b0[a0]\n v1: f32 {a0} = load b1[a0]\n"
     " v2: f32 {a0} = load b2[a0]\n v3: f32 {a0} = load b3[a0]\n v4: f32 {} = constant 0.9\n v5: f32 {} = constant "
     "0.1\n"
     " v6: f32 {a0} = mul v4 v1\n v7: f32 {a0} = mul v5 v0\n v8: f32 {a0} = add v6 v7\n v9: f32 {a0} = store b1[a0] "
     "v8\n"
     " v10: f32 {a0} = mul v0 v0\n v11: f32 {a0} = mul v5 v10\n v12: f32 {a0} = mul v4 v2\n v13: f32 {a0} = add v11 "
     "v12\n"
     " v14: f32 {a0} = store b2[a0] v13\n v15: f32 {a0} = sqrt v13\n v16: f32 {} = constant 1e-08\n"
     " v17: f32 {a0} = add v15 v16\n v18: f32 {a0} = div v8 v17\n v19: f32 {} = load b4[]\n v20: f32 {a0} = mul v19 "
     "v18\n"
     " v21: f32 {a0} = sub v3 v20\n v22: f32 {a0} = store b3[a0] v21\n}\n",
     {FLOATS, FLOATS, {0.1, 1}, FLOATS, {0.01, 0.1}},
     1e-5},
    {"row_scan",
     "kernel row_scan {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0] read\n"
     " b2: f32[s0, s1] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a0 a1} = mul v0 v0\n"
     " v2: f32 {a0 a1} = scan sum {a1} v1\n v3: f32 {a0} = load b1[a0]\n v4: f32 {a0 a1} = add v2 v3\n"
     " v5: f32 {a0 a1} = store b2[a0, a1] v4\n}\n",
     {FLOATS, FLOATS},
     1e-5},
    {"column_scan",
     "kernel column_scan {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f64[s0, s1] read\n b1: f64[s0, s1] write\n"
     " v0: f64 {a0 a1} = load b0[a0, a1]\n v1: f64 {a0 a1} = scan reduce_max {a0} v0\n"
     " v2: f64 {a0 a1} = store b1[a0, a1] v1\n}\n",
     {FLOATS},
     0},
    {"middle_scan",
     "kernel middle_scan {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n a2: s0\n"
     " b0: i32[s0, s1, s0] read\n b1: i32[s0, s1, s0] write\n v0: i32 {a0 a1 a2} = load b0[a0, a1, a2]\n"
     " v1: i32 {a0 a1 a2} = scan prod {a1} v0\n v2: i32 {a0 a1 a2} = store b1[a0, a1, a2] v1\n}\n",
     {{1, 2}},
     0},
    {"backward_scan",
     "kernel backward_scan {\n s0\n s1\n s2 = 0\n s3 = 1\n a0: s0\n a1: s1\n"
     " b0: f32[s0, s1] read\n b1: f32[s0, s1] write\n v0: i64 {a1} = axis a1\n v1: i64 {} = size s1\n"
     " v2: i64 {} = constant 1\n v3: i64 {} = sub v1 v2\n v4: i64 {a1} = sub v3 v0\n"
     " v5: f32 {a0 a1} = load b0[a0, v4]\n v6: f32 {a0 a1} = scan sum {a1} v5\n"
     " v7: f32 {a0 a1} = store b1[a0, v4] v6\n}\n",
     {FLOATS},
     1e-5},
    {"two_scans",
     "kernel two_scans {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: u8[s0, s1] read\n b1: bool[s0, s1] write\n"
     " b2: i64[s0, s1] write\n v0: u8 {a0 a1} = load b0[a0, a1]\n v1: i64 {a0 a1} = cast v0\n"
     " v2: i64 {} = constant 3\n v3: bool {a0 a1} = lt v1 v2\n v4: bool {a0 a1} = scan all {a1} v3\n"
     " v5: i64 {a0 a1} = scan sum {a1} v1\n v6: bool {a0 a1} = store b1[a0, a1] v4\n"
     " v7: i64 {a0 a1} = store b2[a0, a1] v5\n}\n",
     {{0, 5}},
     0},
    {"row_argmax",
     "kernel row_argmax {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: i32[s0, s1] read\n b1: i32[s0] write\n"
     " b2: i32[s0] write\n v0: i32 {a0 a1} = load b0[a0, a1]\n v1: i32 {a0} = reduce argmax {a1} v0\n"
     " v2: i32 {a0} = store b1[a0] v1\n v3: i32 {a0} = reduce argmin {a1} v0\n v4: i32 {a0} = store b2[a0] v3\n}\n",
     {{-3, 3}},
     0},
    {"column_argmax",
     "kernel column_argmax {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: i32[s1] write\n"
     " v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a0 a1} = floor v0\n v2: i32 {a1} = reduce argmax {a0} v1\n"
     " v3: i32 {a1} = store b1[a1] v2\n}\n",
     {FLOATS},
     0},
    {"embedding",
     "kernel embedding {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: i32[s0] read\n b1: f32[s0, s1] read\n"
     " b2: f32[s0, s1] write\n v0: i32 {a0} = load b0[a0]\n v1: f32 {a0 a1} = load b1[v0!, a1]\n"
     " v2: f32 {a0 a1} = store b2[a0, a1] v1\n}\n",
     {{0, 1}, FLOATS},
     0},
    {"pick_elements",
     "kernel pick_elements {\n s0\n s1\n s2 = 0\n a0: s1\n b0: i64[s1] read\n b1: f32[s0] read\n b2: f32[s1] write\n"
     " v0: i64 {a0} = load b0[a0]\n v1: f32 {a0} = load b1[v0!]\n v2: f32 {a0} = store b2[a0] v1\n}\n",
     {{0, 3}, FLOATS},
     0},
    {"embedding_gradient",
     "kernel embedding_gradient {\n s0\n s1\n s2 = 0\n a0: s1\n a1: s0\n b0: i32[s1] read\n b1: f32[s1, s0] read\n"
     " b2: f32[s0, s0] write\n v0: i32 {a0} = load b0[a0]\n v1: f32 {a0 a1} = load b1[a0, a1]\n"
     " v2: f32 {a0 a1} = scatter b2[v0!, a1] v1\n}\n",
     {{0, 3}, FLOATS},
     1e-5},
    {"histogram",
     "kernel histogram {\n s0\n s1\n s2 = 0\n a0: s1\n b0: i32[s1] read\n b1: f32[s0] write\n v0: i32 {a0} = load "
     "b0[a0]\n"
     " v1: f32 {} = constant 1\n v2: f32 {a0} = scatter b1[v0!] v1\n}\n",
     {{0, 3}},
     0},
    {"pad",
     "kernel pad {\n s0\n s1\n s2 = 1\n s3 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0, s1] write\n"
     " v0: i64 {a1} = axis a1\n v1: i64 {} = constant 1\n v2: bool {a1} = le v1 v0\n v3: f32 {a0 a1} = load b0[a0, a1 "
     "- s2] v2\n"
     " v4: f32 {a0 a1} = store b1[a0, a1] v3\n}\n",
     {FLOATS},
     0},
    {"transpose_each",
     "kernel transpose_each {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s0\n a2: s1\n b0: f32[s0, s1, s0] read\n"
     " b1: f32[s0, s0, s1] write\n"
     " v0: f32 {a0 a1 a2} = load b0[a0, a2, a1]\n v1: f32 {a0 a1 a2} = store b1[a0, a1, a2] v0\n}\n",
     {FLOATS},
     0},
    {"transpose_computed",
     "kernel transpose_computed {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s0\n a2: s1\n b0: f32[s0, s1, s0] read\n"
     " b1: f32[s0, s0, s1] write\n"
     " v0: f32 {a0 a1 a2} = load b0[a0, a2, a1]\n v1: f32 {a0 a1 a2} = abs v0\n"
     " v2: f32 {a0 a1 a2} = store b1[a0, a1, a2] v1\n}\n",
     {FLOATS},
     0},
    {"transpose",
     "kernel transpose {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s1, s0] read\n b1: f32[s0, s1] write\n"
     " v0: f32 {a0 a1} = load b0[a1, a0]\n v1: f32 {a0 a1} = store b1[a0, a1] v0\n}\n",
     {FLOATS},
     0},
    {"scattered_store",
     "kernel scattered_store {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0, s1] read\n"
     " b2: f32[s0, s1] read\n b3: f32[s1, s0] write\n v0: f32 {a0 a1} = load b0[a0, a1]\n v1: f32 {a0 a1} = load "
     "b1[a0, a1]\n"
     " v2: f32 {a0 a1} = load b2[a0, a1]\n v3: f32 {a0 a1} = add v0 v1\n v4: f32 {a0 a1} = add v3 v2\n"
     " v5: f32 {a0 a1} = store b3[a1, a0] v4\n}\n",
     {FLOATS, FLOATS, FLOATS},
     1e-6},
    {"types",
     "kernel types {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: u8[s0, s1] read\n b1: f64[s0, s1] read\n b2: bool[s0, "
     "s1] read\n"
     " b3: f64[s0, s1] write\n b4: bool[s0] write\n b5: i64[s0] write\n b6: f16[s0, s1] write\n"
     " v0: u8 {a0 a1} = load b0[a0, a1]\n v1: f64 {a0 a1} = cast v0\n v2: f64 {a0 a1} = load b1[a0, a1]\n"
     " v3: f64 {a0 a1} = mul v1 v2\n v4: bool {a0 a1} = load b2[a0, a1]\n v5: f64 {a0 a1} = select v4 v3 v2\n"
     " v6: f64 {a0 a1} = store b3[a0, a1] v5\n v7: bool {a0} = reduce any {a1} v4\n v8: bool {a0} = store b4[a0] v7\n"
     " v9: i64 {a0 a1} = cast v0\n v10: i64 {a0} = reduce sum {a1} v9\n v11: i64 {a0} = store b5[a0] v10\n"
     " v12: f16 {a0 a1} = cast v0\n v13: f16 {a0 a1} = store b6[a0, a1] v12\n}\n",
     {{0, 255}, FLOATS, {0, 2}},
     1e-12},
    {"dropout",
     "kernel dropout {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0, s1] write\n"
     " v0: f32 {a0 a1} = random s1[a0, a1] of [s0, s1]\n v1: f32 {} = constant 0.25\n v2: bool {a0 a1} = lt v1 v0\n"
     " v3: f32 {a0 a1} = load b0[a0, a1]\n v4: f32 {} = constant 0\n v5: f32 {a0 a1} = select v2 v3 v4\n"
     " v6: f32 {a0 a1} = store b1[a0, a1] v5\n}\n",
     {FLOATS},
     0},
    {"scalar",
     "kernel scalar {\n s0\n s1\n s2 = 0\n b0: f32[] read\n b1: f32[] write\n v0: f32 {} = load b0[]\n v1: f32 {} = "
     "exp v0\n"
     " v2: f32 {} = store b1[] v1\n}\n",
     {FLOATS},
     1e-6},
    {"known_one",
     "kernel known_one {\n s0\n s1\n s2 = 0\n s3 = 1\n a0: s0\n a1: s1\n a2: s3\n b0: f32[s0, s1, s3] read\n"
     " b1: f32[s0, s3] write\n v0: f32 {a0 a1 a2} = load b0[a0, a1, a2]\n v1: f32 {a0 a2} = reduce sum {a1} v0\n"
     " v2: f32 {a0 a2} = store b1[a0, a2] v1\n}\n",
     {FLOATS},
     1e-5},
    {"strided_window",
     "kernel strided_window {\n s0\n s1\n s2 = 0\n a0: s0\n a1: s1\n b0: f32[s0, s1] read\n b1: f32[s0, s1] write\n"
     " v0: i64 {a1} = axis a1\n v1: i64 {} = constant 2\n v2: i64 {a1} = mul v0 v1\n v3: i64 {} = size s1\n"
     " v4: bool {a1} = lt v2 v3\n v5: f32 {a0 a1} = load b0[a0, 2*a1] v4\n v6: f32 {a0 a1} = store b1[a0, a1] v5\n}\n",
     {FLOATS},
     0},
};

enum { N_SAMPLES = sizeof samples / sizeof *samples };

#endif
