/* Is a gradient right? Along random directions, in f64, the reverse product is compared with the forward product, and
 * that with central differences of the value. Stopped gradients are held fixed. */
#ifndef NNC_AUTODIFF_CHECK_H
#define NNC_AUTODIFF_CHECK_H

#include "ir/eval.h"
#include "rules/rules.h"

typedef enum {
    CHECK_RIGHT,
    CHECK_KINK,     /* the value bends here, so that differences cannot decide; the two products agree */
    CHECK_DECLARED, /* a derivative of the user's own differs from the true one */
    CHECK_WRONG
} CheckVerdict;

typedef struct {
    Node node;
    double slope;            /* the directional derivative, reverse product, of the worst direction */
    double forward_error;    /* largest relative difference of reverse and forward products */
    double difference_error; /* largest relative difference of forward product and central differences */
    CheckVerdict verdict;
} CheckResult;

typedef struct {
    uint32_t directions; /* per tensor */
    uint64_t seed;
    double tolerance; /* of the relative differences, beyond what rounding explains */
} CheckOptions;

#define CHECK_DEFAULTS ((CheckOptions){.directions = 3, .seed = 1, .tolerance = 1e-5})

/* Checks d loss / d xs[i] for each i. The eval computes in f64 and has a value for every source beneath the loss. The
 * loss is a scalar, which may hold GRADIENT nodes. False after diagnostics. */
bool check_gradients(Eval *eval, Graph *graph, const RuleSet *partials, Node loss, const Node *xs, uint32_t count,
                     CheckOptions options, CheckResult *results);

#endif
