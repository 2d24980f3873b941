/* Conditions on sizes: bool scalars made of sizes and whole numbers alone, so that the run time can decide them as soon
 * as it knows the sizes. */
#ifndef NNC_IR_CONDITION_H
#define NNC_IR_CONDITION_H

#include "ir/graph.h"

/* A step of a condition in postfix form: OP_CONST pushes `number`, OP_SIZE pushes `size`; ADD, MUL, FLOOR_DIV, MOD,
 * MAX, MIN, EQ, NE, LT, LE, AND, OR take two values and leave one, NOT takes one, SELECT three. Truths are 0 and 1. */
typedef struct {
    Op op;
    int64_t number;
    Dim size;
} ConditionStep;

/* A node below the condition that is no size, no whole number and no operator on them: an input, parameter or the like
 * (what has a name in its attributes) before others (real numbers). NODE_NONE when there is none. */
Node condition_obstacle(const Graph *graph, Node condition);
/* The steps of a condition without obstacles. */
void condition_postfix(const Graph *graph, Node condition, void (*emit)(void *data, ConditionStep step), void *data);

#endif
