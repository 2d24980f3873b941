/* What the files of the interpreter share. */
#ifndef NNC_IR_EVAL_INTERNAL_H
#define NNC_IR_EVAL_INTERNAL_H

#include "ir/eval.h"

struct EvalSize {
    Name symbol;
    int64_t value;
};

struct Eval {
    Graph *graph;
    EvalOptions options;
    struct EvalSize *sizes;
    size_t n_sizes, sizes_capacity;
    Tensor **values; /* by node id; NULL: not computed */
    bool *bound;
    uint32_t capacity;
    const char *message; /* in the context's arena */
    Node culprit;
};

/* One node at work: its operands' values and the result to fill, zeroed and of the right sizes. */
typedef struct {
    Eval *eval;
    Node node;
    const NodeInfo *info;
    const Tensor **args;
    Tensor *to;
} EvalStep;

/* Each computes one class of operators; false after eval_fail. */
bool eval_source(EvalStep *step);
bool eval_elementwise(EvalStep *step);
bool eval_movement(EvalStep *step);
bool eval_window(EvalStep *step); /* and its transpose */
bool eval_gather(EvalStep *step);
bool eval_reduction(EvalStep *step);
bool eval_along(EvalStep *step);
bool eval_contraction(EvalStep *step);
bool eval_differential(EvalStep *step);

/* Records the mistake with the node's place; always false. */
bool eval_fail(Eval *eval, Node node, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A size's value; false after a message. */
bool eval_dim(Eval *eval, Node node, Dim dim, int64_t *value);

/* Copies elements to a tensor of the same type. */
void tensor_copy(Tensor *to, int64_t to_at, const Tensor *from, int64_t from_at, int64_t count);
/* Adds elements to those of a tensor of the same type. */
void tensor_add(Tensor *to, int64_t to_at, const Tensor *from, int64_t from_at, int64_t count);
/* The product of the sizes from one axis up to another. */
int64_t tensor_extent(const Tensor *tensor, uint32_t from, uint32_t to);
/* Row-major strides of a tensor, in elements. */
void tensor_strides(const Tensor *tensor, int64_t *strides);
/* Moves an index over `dims` to the next in row-major order, and `offsets[k]` with it by strides[k][axis]; false after
 * the last. A rank of 0 has one index. */
typedef struct {
    uint32_t rank, count;
    int64_t dims[2 * MAX_RANK], index[2 * MAX_RANK];
    int64_t strides[3][2 * MAX_RANK], offsets[3];
} IndexWalk;
bool walk_next(IndexWalk *walk);

#endif
