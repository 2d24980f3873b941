/* Program: what a .nn file means. From a source text to the typed graph of one model, with everything that the graph
 * does not say: how it is trained and where its data comes from. All of it lives in the arena of the Context.
 *
 * Functions of the module:
 *   "initialise"   RESULT_INIT per parameter, state and optimizer state
 *   "inference"    RESULT_OUTPUT, RESULT_LOSS, RESULT_METRIC; RESULT_UPDATE of states that change outside training too
 *   "training"     the same in the training form; RESULT_GRADIENT per parameter (a GRADIENT node); RESULT_UPDATE of
 *                  states, and with a train block of parameters and optimizer states
 *   "data.SPLIT"   from INPUT nodes named after the split's fields, [batch, …of a row], to a RESULT_VALUE for each
 *                  input and target that the data block gives
 *
 * Optimizer states are STATE nodes called `optimizer/PATH/STATE`; with the key `average` there is a state
 * `optimizer/PATH/average` for each parameter that is trained, its running mean. SETTING nodes: the model's inputs with
 * a default
 * (`beta`), the optimizer's arguments (`lr`; of an override by path `critic.lr`), `clip_norm`, `clip_value`, `average`,
 * and those that the training loop feeds: `step` (i64, from 1), `steps` (i64) and `progress` (float, (step - 1) /
 * steps). */
#ifndef NNC_ELABORATE_PROGRAM_H
#define NNC_ELABORATE_PROGRAM_H

#include "check/items.h"
#include "ir/module.h"
#include "support/context.h"

/* One column of a data source: the same for every row. */
typedef struct {
    const char *name; /* `mpg`; of a source with a single nameless column: `value` */
    DType dtype;
    uint32_t rank; /* of one row */
    int64_t dims[MAX_RANK];
    int64_t range;   /* categories or vocabulary: 0 <= id < range; 0 when there is none */
    const char *doc; /* one line, or NULL */
    bool categories; /* the elements number texts; `text` is the first that is not a number, in line `text_line` of the
                        file, or NULL when all of them look like numbers */
    const char *text;
    int64_t text_line;
} DataColumn;

/* What a provider opened. The provider owns it and keeps it as long as the Context. */
typedef struct {
    int64_t rows;
    const DataColumn *columns;
    uint32_t n_columns;
    void *handle; /* the provider's own */
} DataSource;

/* An argument of a source after its path: `context = 128`, `delimiter = ";"`. */
typedef struct {
    const char *name;
    const char *text; /* NULL when it is a number */
    double number;
    bool flag; /* true or false: 1 or 0 */
} DataArgument;

/* How the compiler looks into data: implemented by the driver over the runtime's sources, by tests over arrays. */
typedef struct {
    void *host;
    /* Opens `kind` ("idx", "csv", "npy", "blobs", …); path is NULL for generated kinds. `like`, when not NULL, is the
     * source of the train split whose categories and vocabulary it shares. NULL on failure, with *message set to one
     * sentence (valid until the next call). */
    const DataSource *(*open)(void *host, const char *kind, const char *path, const DataArgument *args, size_t n_args,
                              const DataSource *like, const char **message);
    /* Rows [first, first + count) of a column, row-major in the column's dtype. */
    bool (*read)(void *host, const DataSource *source, uint32_t column, int64_t first, int64_t count, void *out,
                 const char **message);
    /* The kind of what went wrong last. NULL: data_source. */
    DiagId (*why)(void *host);
} DataProvider;

typedef struct {
    const char *name;
    int64_t size;
} BindOption;

typedef struct {
    const char *name; /* `lr`, `critic.lr`, `beta` */
    double value;
} SetOption;

typedef struct {
    const char *split; /* NULL: every split */
    const char *name;  /* a name in the data block, or an input or target without one */
    const char *path;
} DataOption;

/* Zero-initialised it means: the only (or first) model, as written, without looking into data. */
typedef struct {
    const char *model;
    const BindOption *binds;
    const SetOption *sets;
    const DataOption *data;
    size_t n_binds, n_sets, n_data;
    bool f64;        /* everything declared f32 becomes f64 */
    bool will_train; /* an input of the loss without data is an error */
    const DataProvider *provider;
} ProgramOptions;

/* What a source of a split is opened with, resolved. */
typedef struct {
    Name name;        /* what the data block calls it */
    const char *kind; /* "idx", "csv", …, or "literal" */
    const char *path; /* as found; NULL for generated kinds and literals */
    const DataArgument *args;
    uint32_t n_args;
    const DataSource *source; /* as the provider opened it; for a literal its rows and single column */
    const void *literal;      /* the rows of a literal, row-major in the column's dtype; else NULL */
    Span place;               /* where it is opened */
} SplitSource;

/* A column that the split's function reads. */
typedef struct {
    Name input; /* the INPUT of "data.SPLIT" that it feeds */
    uint32_t source, column;
} SplitField;

typedef struct {
    Name name; /* `train`, `valid`, `test` */
    Name function;
    const SplitSource *sources;
    const SplitField *fields;
    uint32_t n_sources, n_fields;
    int64_t rows;    /* of the sources (all have as many) */
    double from, to; /* the part of the rows that is this split's: 0 and 1 when the block names one split */
} Split;

typedef struct {
    bool given;
    double value;
} OptionalNumber;

/* The train block. Counts are whole and positive, `average` is less than 1. */
typedef struct {
    bool present;
    Span place;
    OptionalNumber batch, epochs, steps, seed, clip_norm, clip_value, accumulate, average, patience;
    const char *weights; /* what the training starts from, as found, or NULL */
    Span weights_place;
} TrainSettings;

typedef struct {
    Name path;
    Node node;
    Name optimizer; /* the prelude's or the user's name of its update rule; NULL without a train block */
} ProgramParam;

typedef struct {
    Module *module;
    const char *doc;
    TrainSettings train;
    const Split *splits;
    uint32_t n_splits;
    const ProgramParam *params; /* in order of declaration; the same as the module's */
    uint32_t n_params;
    const BindOption *sizes; /* free sizes that options or the data gave */
    size_t n_sizes;
} Program;

/* Compiles `source`, read from `path` (NULL when it is no file: then names in it are relative to the working folder).
 * NULL after error diagnostics; there may be warnings in any case. The caller frees the graph,
 * graph_free(program->module->graph), before the Context. */
Program *program_compile(Context *context, const char *path, const Source *source, const ProgramOptions *options);

/* The same of items that were read and checked before, in their context. */
Program *program_from_items(Context *context, const char *path, const Items *items, const ProgramOptions *options);

/* NULL when there is no such split. */
const Split *program_split(const Program *program, const char *name);

#endif
