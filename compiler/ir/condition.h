/* Conditions on sizes and settings: bool scalars that the run time can decide as soon as it knows these. Without
 * settings they are made of whole numbers alone and decided in those, exactly; with settings in doubles, of which each
 * result is rounded to its element type, as in the model. */
#ifndef NNC_IR_CONDITION_H
#define NNC_IR_CONDITION_H

#include "ir/graph.h"

/* A step of a condition in postfix form: OP_CONST pushes `number`, or `real` where that is not a whole number; OP_SIZE
 * pushes `size` and OP_SETTING the value of a setting; ADD, MUL, DIV, FLOOR_DIV, MOD, MAX, MIN, EQ, NE, LT, LE, AND, OR
 * take two values and leave one, NOT takes one, SELECT three; CAST rounds a value to `dtype`. Truths are 0 and 1. */
typedef struct {
    Op op;
    int64_t number;
    bool fraction; /* OP_CONST: the number is `real` */
    double real;
    DType dtype; /* OP_CAST */
    Dim size;
    Name setting;
} ConditionStep;

/* True if the condition depends on a setting: then real numbers may take part. */
bool condition_has_settings(const Graph *graph, Node condition);
/* A node below the condition that cannot take part: an input, parameter or the like (what has a name in its attributes)
 * before others (real numbers where there is no setting). NODE_NONE when there is none. */
Node condition_obstacle(const Graph *graph, Node condition);
/* True if the run time can hold the steps of the condition, which are as many as its tree has nodes, and the values
 * that wait between them. */
bool condition_fits(const Graph *graph, Node condition);
/* Decides a condition without obstacles, each setting with its default. False while a size is free. */
bool condition_decide(const Graph *graph, Node condition, bool *truth);
/* The steps of a condition without obstacles. */
void condition_postfix(const Graph *graph, Node condition, void (*emit)(void *data, ConditionStep step), void *data);

#endif
