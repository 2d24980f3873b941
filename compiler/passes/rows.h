/* Which nodes depend on the rows of a batch, and whether they treat each row apart from the others. */
#ifndef NNC_PASSES_ROWS_H
#define NNC_PASSES_ROWS_H

#include "ir/graph.h"

typedef enum {
    ROWS_GOOD,
    ROWS_NESTED,  /* a reduction over the rows beneath another */
    ROWS_COUNTED, /* their number or position enters */
    ROWS_MIXED    /* one row's value depends on another row */
} RowTrouble;

typedef struct {
    const Graph *graph;
    Name batch;
    signed char *axis; /* by node id: the axis of the rows, or one of the values below */
    unsigned char *checked;
    uint32_t count;
} Rows;

enum { ROW_FREE = -1, ROW_REDUCED = -2, ROW_MANY = -3 };

/* Looks at all nodes that the graph has. `batch` NULL: no node has rows. */
void rows_find(Rows *rows, const Graph *graph, Name batch);
void rows_free(Rows *rows);
/* The value depends on the rows: it has an axis of them, or an operand does. */
bool rows_dependent(const Rows *rows, Node node);
bool rows_has_axis(const Rows *rows, Node node);
/* An operand has an axis of rows that the node has not. */
bool rows_reduced_here(const Rows *rows, Node node);
/* True if all that a reduction over the rows reads is computed row by row. What is at fault is `culprit`. */
RowTrouble rows_beneath(Rows *rows, Node reduction, Node *culprit);

#endif
