/* What the files of the watch share: what is measured, and what was. */
#ifndef NNC_DRIVER_WATCH_INTERNAL_H
#define NNC_DRIVER_WATCH_INTERNAL_H

#include <stdio.h>

#include "driver/watch.h"
#include "support/vector.h"

/* A unit whose slope stays below this passes on next to nothing. */
#define SATURATED 0.01
/* A gradient this much smaller than that of the last layer has vanished; as much larger, exploded. */
#define VANISHED 1e-4
#define EXPLODED 1e4

typedef struct {
    Name path;
    Node node;
    uint32_t layer; /* index */
} WatchParam;

typedef struct {
    Name path;
    Span place;  /* the call that made it, in the user's text */
    Node output; /* NODE_NONE when it is not clear what the layer gives */
    bool sloped; /* an activation function follows, so that it can saturate */
} WatchLayer;

/* Of one layer at one step; NaN where it is not known. */
typedef struct {
    double gradient, update, mean, deviation, dead, saturated;
} WatchStats;

typedef struct {
    uint64_t step;
    double loss;
    WatchStats *layers;
} WatchSample;

typedef enum { WATCH_CALM, WATCH_VANISHES, WATCH_EXPLODES, WATCH_DEAD, WATCH_SATURATED } WatchMark;

struct Watch {
    Pipeline *pipeline;
    WatchParam *params;
    WatchLayer *layers;
    uint32_t n_params, n_layers;

    nn_observer observer;
    double *values;   /* per column of the log: per parameter gradient and update, per layer four more */
    nn_named *inputs; /* what the program reads … */
    uint32_t *which;  /* … and which of the batch's inputs that is */
    size_t n_inputs;
    uint64_t every;  /* steps */
    uint64_t stride; /* samples of which one is kept, a power of two */
    uint64_t taken;  /* samples */
    Vec(WatchSample) samples;
    WatchSample pending;    /* the last sample */
    FILE *to;               /* tables go here; NULL: nobody looks */
    uint64_t parts, tables; /* parts that ended so far; every so many get a table */
};

/* watch_graph.c: finds the layers and makes the function. False after diagnostics. */
void watch_find(Watch *watch);
bool watch_add_function(Watch *watch);
/* Results of the function: `watch.g.PATH` (g: squared gradient, d: squared change, w: squared value) by parameter and
 * `watch.m.PATH` (m: mean, v: variance, z: dead, s: saturated) by layer. */
Name watch_result(const Watch *watch, char what, Name path);

/* watch_table.c */
WatchMark watch_mark(const Watch *watch, const WatchStats *layers, uint32_t layer);
const char *watch_mark_text(WatchMark mark);
void watch_print_table(const Watch *watch, const WatchSample *sample, Text *to);

/* watch_picture.c */
void watch_print_picture(const Watch *watch, Text *to);

#endif
