/* What the files of the generator share. */
#ifndef TESTS_FUZZ_GENERATE_INTERNAL_H
#define TESTS_FUZZ_GENERATE_INTERNAL_H

#include "fuzz.h"
#include "generate.h"

typedef enum { REAL, WHOLE, TRUTH } Kind;

enum { MOST_AXES = 5, MOST_VALUES = 200, FREE_SIZES = 2 };

/* Sizes are numbers, or below 0 one of the free sizes: -1 is `n`, -2 is `m`. */
typedef struct {
    int rank;
    int64_t dims[MOST_AXES];
} Shape;

typedef struct {
    char name[400];
    Kind kind;
    Shape shape;
    bool source; /* an input, target or parameter */
} Named;

/* A model while it is written: what it declares, and what is bound so far. */
typedef struct {
    uint64_t state;
    bool tame, has_loss;
    Text items, head, body;
    Named values[MOST_VALUES];
    int n_values, n_names, n_functions;
    int budget; /* operations that may still be written */
} Model;

/* generate.c */
uint64_t below(Model *model, uint64_t bound);
bool one_in(Model *model, uint64_t times);
int64_t random_size(Model *model);
Shape random_shape(Model *model, int most);
void put_size(int64_t size, Text *to);
void put_shape(const Shape *shape, Text *to);
void put_literal(Model *model, Kind kind, Text *to);
void put_integer(Model *model, Text *to);
/* A name that nothing else has. */
void fresh_name(Model *model, char name[400]);
Named *name_value(Model *model, const char *name, Kind kind, const Shape *shape, bool source);
/* An input or parameter of this kind and shape. */
const Named *fresh_source(Model *model, Kind kind, const Shape *shape);
/* A value bound to a name by a statement. */
const Named *bind_value(Model *model, Kind kind, const Shape *shape, int depth);

/* generate_value.c: an expression of this kind and shape. */
void put_value(Model *model, Kind kind, const Shape *shape, int depth, Text *to);
/* generate_move.c: the same by moving values of other shapes. False when nothing was written. */
bool put_moved(Model *model, Kind kind, const Shape *shape, int depth, Text *to);
/* generate_layer.c: the same by a layer, a function of the library, index notation, or a derivative. */
bool put_layered(Model *model, const Shape *shape, int depth, Text *to);
/* A scalar that can be a loss. */
void put_loss(Model *model, int depth, Text *to);

#endif
