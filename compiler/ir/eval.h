/* The reference interpreter: the meaning of every operator, simple and slow. Floating-point elements are computed as
 * doubles and each result is rounded to its element type; an accumulation is rounded once, at its end. Integers are
 * computed as 64-bit integers and wrap around to their type. */
#ifndef NNC_IR_EVAL_H
#define NNC_IR_EVAL_H

#include "ir/graph.h"

/* A value: row-major elements, each as a double whatever the element type (a bool is 0 or 1). Those of an integer type
 * are there exactly, too. */
typedef struct {
    DType dtype;
    uint32_t rank;
    int64_t dims[MAX_RANK];
    int64_t count;
    double *data;
    int64_t *integers; /* NULL of other types */
} Tensor;

typedef struct {
    bool f64;      /* what is declared f32 is f64 */
    bool smooth;   /* and so are bf16 and f16: no rounding disturbs a difference quotient */
    uint64_t seed; /* of RANDOM nodes; see runtime/include/nn_random.h */
    uint32_t step;
    int64_t first_row; /* where the first row of the batch stands in the global batch */
} EvalOptions;

typedef struct Eval Eval;

/* The graph may grow while the Eval lives. options may be NULL. */
Eval *eval_new(Graph *graph, const EvalOptions *options);
void eval_free(Eval *eval);

void eval_bind_size(Eval *eval, Name symbol, int64_t size);
/* Gives a source node (INPUT, TARGET, PARAM, STATE, SETTING, COTANGENT; or any other node, whose value is then taken
 * as given) a value: `count` row-major elements, copied. False when the count differs from the type's size with the
 * symbols bound so far, or that size is unknown. Forgets what was computed before. */
bool eval_bind(Eval *eval, Node node, const double *data, int64_t count);
/* The same of elements in the memory format of `dtype`, which are converted to the node's type as a cast converts. */
bool eval_bind_elements(Eval *eval, Node node, DType dtype, const void *elements, int64_t count);
/* Forgets computed values, keeps bound ones. */
void eval_reset(Eval *eval);

/* The values of nodes; results[i] stays valid until the next bind, reset or free. Differential nodes cannot be
 * evaluated, except stop_gradient and custom_gradient, which have their operand's value. False when something is
 * unbound or out of range: eval_message and eval_culprit say what, and a diagnostic is added. */
bool eval_run(Eval *eval, const Node *nodes, uint32_t count, const Tensor **results);
/* What went wrong last, NULL if nothing. */
const char *eval_message(const Eval *eval);
Node eval_culprit(const Eval *eval);

/* The number of elements and the sizes of a type with the symbols bound so far. False when one is unknown. */
bool eval_sizes(Eval *eval, const Type *type, int64_t *dims, int64_t *count);

/* A reduction of n numbers; of an operator that finds a place, n > 0. */
double eval_reduce_row(Op op, const double *row, int64_t n);
/* The nearest value of an element type; towards zero for integers, any non-zero is true for bool. */
double dtype_round(DType dtype, double value);
/* Between doubles and an element type's memory format. */
void dtype_store(DType dtype, void *to, const double *from, int64_t count);
void dtype_load(DType dtype, double *to, const void *from, int64_t count);
/* Between 64-bit integers and an integer type's memory format; what is stored wraps around. */
void integer_store(DType dtype, void *to, const int64_t *from, int64_t count);
void integer_load(DType dtype, int64_t *to, const void *from, int64_t count);

#endif
