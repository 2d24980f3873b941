/* Values: what an expression means while a program is elaborated. A tensor is a node of the graph; everything else is
 * known at compile time: sizes (integers, also symbolic, and their exact quotients), real numbers, truth values, texts,
 * lists, functions. */
#ifndef NNC_ELABORATE_VALUE_H
#define NNC_ELABORATE_VALUE_H

#include "check/builtins.h"
#include "check/items.h"
#include "ir/graph.h"

typedef struct Value Value;
typedef struct Scope Scope;

/* An index of index notation; its extent is found while the expression is read, or stated (`j in 5`). */
typedef struct {
    Name name;
    Dim extent;      /* DIM_NONE: not known yet */
    uint32_t serial; /* the order of the axes that it labels */
    Span place;
} Label;

/* What `...` stands for in index notation. */
typedef struct {
    bool known;
    uint32_t count;
    Label *labels[MAX_RANK];
} Axes;

typedef enum { CALLEE_ITEM, CALLEE_BUILTIN, CALLEE_STAGE, CALLEE_INSTANCE } CalleeKind;

/* Something that can be called. */
typedef struct {
    CalleeKind kind;
    Name name;           /* as the user calls it; NULL of a pipeline */
    const Item *item;    /* CALLEE_ITEM */
    Builtin builtin;     /* CALLEE_BUILTIN */
    const Syntax *stage; /* CALLEE_STAGE, CALLEE_INSTANCE: what the first argument goes through */
    Scope *scope;        /* where `stage` was written */
    bool inside_prelude; /* whether `stage` stands in the prelude */
    Name path;           /* CALLEE_INSTANCE: where its parameters are */
} Callee;

/* A table of data: its source among those of the split that is being read. */
typedef struct {
    uint32_t source;
    int64_t rows;
} Table;

typedef enum {
    VALUE_ERROR, /* a mistake was reported; whatever follows from it stays silent */
    VALUE_TENSOR,
    VALUE_SIZE,
    VALUE_REAL,
    VALUE_BOOL,
    VALUE_TEXT,
    VALUE_LIST,
    VALUE_TUPLE, /* several results of a function */
    VALUE_FUNCTION,
    VALUE_INDEX, /* an index of index notation; as a value it is an iota */
    VALUE_AXES,
    VALUE_TABLE
} ValueKind;

struct Value {
    ValueKind kind;
    bool truth;        /* BOOL */
    bool open;         /* TENSOR: of whole numbers in the text alone: real unless a neighbour or a use says otherwise */
    bool named;        /* TENSOR: of a bare name, as it stands */
    uint32_t count;    /* LIST, TUPLE: items. TENSOR: labels */
    Node node;         /* TENSOR: the axes of `labels` first (by serial), then the positional ones */
    Dim size, divisor; /* SIZE: size / divisor, reduced; divisor 1 of a whole one */
    double number;     /* REAL */
    const char *text;  /* TEXT */
    const Value *items;   /* LIST, TUPLE */
    Label *const *labels; /* TENSOR */
    const Callee *callee; /* FUNCTION */
    Label *label;         /* INDEX */
    Axes *axes;           /* AXES */
    const Table *table;   /* TABLE */
};

static inline Value value_error(void)
{
    return (Value){.kind = VALUE_ERROR};
}
static inline Value value_real(double number)
{
    return (Value){.kind = VALUE_REAL, .number = number};
}
static inline Value value_bool(bool truth)
{
    return (Value){.kind = VALUE_BOOL, .truth = truth};
}
static inline Value value_text(const char *text)
{
    return (Value){.kind = VALUE_TEXT, .text = text};
}
static inline Value value_tensor(Node node)
{
    if (node_is_none(node)) return value_error(); /* it was refused */
    return (Value){.kind = VALUE_TENSOR, .node = node};
}
static inline bool value_is_error(Value value)
{
    return value.kind == VALUE_ERROR;
}
/* A number known at compile time (a symbolic size too). */
static inline bool value_is_number(Value value)
{
    return value.kind == VALUE_SIZE || value.kind == VALUE_REAL;
}

#endif
