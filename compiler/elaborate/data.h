/* Data blocks: sources are opened, their columns become INPUT nodes with one row a sample, and what the block computes
 * from them becomes a function for each split. */
#ifndef NNC_ELABORATE_DATA_H
#define NNC_ELABORATE_DATA_H

#include "elaborate/elaborator.h"

/* A data block, which one split or several share. */
typedef struct {
    const Syntax *syntax;
    Scope *scope;
    Vec(SplitSource) sources;
    Vec(SplitField) fields;
    NameMap field_of; /* where a field lies, by its input */
    int64_t rows;     /* -1: no source yet */
    Span rows_place;
    const double *parts; /* of the rows, one a split; NULL: each has all */
} DataBlock;

typedef struct {
    const Item *item;
    DataBlock *block;
} DataSplit;

struct DataSplits {
    Split *splits;
    size_t count;
    Vec(DataSplit) all;
    const Syntax *model;
    Name rows;          /* the symbol of the first axis */
    DataBlock *current; /* while it is evaluated */
    DataBlock *train;   /* of the split `train`, NULL while there is none */
    Name binding;       /* the name left of `=` */
    int unnamed;        /* sources under one binding */
    bool rounding_told; /* the warning of rounded whole numbers was given */
};
typedef struct DataSplits DataSplits;

/* Evaluates all data blocks and binds the free sizes of the model's inputs that they decide. */
void data_read(Elaborator *el, const Syntax *model, DataSplits *data);
void data_free(DataSplits *data);
/* The function and Split of data->all.at[index], once the model is elaborated. */
bool data_function(Elaborator *el, DataSplits *data, size_t index, Function *function);
/* What the loss needs must have data in the split `train`. */
void data_require(Elaborator *el, const DataSplits *data, const Function *training, const TrainSettings *settings);

/* `--data` options that no block mentions (data_options.c): whether option `i` is the source of an input that is not
 * bound in `scope`; the statement that it stands for in a block (NULL when the block has no such split, or after a
 * diagnostic); the block that the options make where there is none (NULL without options). */
bool data_is_source(const Elaborator *el, const Syntax *model, const Scope *scope, size_t option);
const Syntax *data_statement(Elaborator *el, const Syntax *data, const DataOption *option);
const Syntax *data_without_blocks(Elaborator *el);
/* True if `split` is one of the block's; NULL is any. */
bool data_names_split(const Syntax *data, const char *split);

/* What kind of failure the provider met last. */
DiagId data_failure(const Elaborator *el);
/* While a block is read: a call of a source or of `columns`; false when the name is neither. */
bool data_call(Elaborator *el, Scope *scope, const Syntax *node, Value *result);
Value table_column(Elaborator *el, Value table, const char *column, Span at);
/* The field that feeds an INPUT of the block's functions, or NULL. */
const SplitField *data_field(const DataBlock *block, const NodeInfo *input);
/* Reports a category that is used as a number; false. */
bool data_refuse_category(Elaborator *el, const DataBlock *block, const SplitField *field, Span at);
/* Looks at how `root` uses the columns of the block, when it becomes an element type afterwards (its own: none) and
 * counts as a number there or as a name. False with a diagnostic when a category is used as a number; warns once of
 * whole numbers that a float type rounds. */
bool data_check_uses(Elaborator *el, DataSplits *data, const DataBlock *block, Node root, bool number, DType becomes,
                     Span at);
/* Looks whether an input of the type takes every element of the literal list that x is, if it is one. False with a
 * diagnostic of the first that it does not take. */
bool data_check_literal(Elaborator *el, const DataBlock *block, Node x, const Type *input, Span at);
/* A literal list as a source of its own. */
Value data_literal(Elaborator *el, Value list, Span at);

/* True if a reduction over these axes of x is one over rows, so that it must be taken now. */
bool reduces_rows(const Elaborator *el, Node x, const int32_t *axes, uint32_t n_axes);
/* A reduction over the rows of `train`, evaluated: a literal. */
Value data_reduce(Elaborator *el, BuiltinId id, Node x, const int32_t *axes, uint32_t n_axes, Span at);

#endif
