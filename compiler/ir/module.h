/* A module: everything that one model computes, as functions over one graph. A function is a list of named results;
 * what it needs follows from them. State is pure: a result of role UPDATE is the new value of a PARAM or STATE node. */
#ifndef NNC_IR_MODULE_H
#define NNC_IR_MODULE_H

#include "ir/graph.h"
#include "support/name_map.h"

typedef enum {
    RESULT_OUTPUT,   /* name: the output's */
    RESULT_LOSS,     /* name: the loss's (`loss`, `kl`); scalar. The total is the function's `loss` field */
    RESULT_METRIC,   /* name: the metric's; scalar */
    RESULT_GRADIENT, /* name: the path of the parameter (or input); of its type */
    RESULT_UPDATE,   /* old: PARAM or STATE node; name: its path; value: what it is after the call */
    RESULT_INIT,     /* name: path of a parameter or state; value: what it starts from; old: its node, or none */
    RESULT_VALUE,    /* anything else that is asked for by name */
    RESULT_PARTIAL   /* name: `accuracy.0`; what of a metric is put together over batches; left out where metrics are */
} ResultRole;

typedef struct {
    ResultRole role;
    Name name;
    Node value;
    Node old;
} Result;

/* Sizes that must agree when sizes are bound: left == right, else `message`. Of a condition on sizes alone: left is a
 * size that must equal right; of `condition` (a bool scalar node over sizes) when left is DIM_NONE. */
typedef struct {
    Dim left, right;
    Node condition;
    const char *message;
    Span place;
} Check;

typedef struct {
    Name name; /* "initialise", "inference", "training", "data.train", … */
    Node loss; /* the sum of the losses, NODE_NONE when there is none */
    Result *results;
    uint32_t n_results;
} Function;

/* A declared thing of the model, in order of declaration. */
typedef struct {
    Node node; /* INPUT, TARGET, PARAM, STATE or SETTING */
    const char *doc;
    Span place;
} Declared;

typedef struct {
    Name name;
    Graph *graph;
    Name *dims; /* free sizes, in the order in which inputs and targets mention them */
    uint32_t n_dims;
    Declared *inputs, *params, *states, *settings; /* inputs and targets together, as declared */
    uint32_t n_inputs, n_params, n_states, n_settings;
    Function *functions;
    uint32_t n_functions;
    Check *checks;
    uint32_t n_checks;
} Module;

/* The module's parameters, states, inputs and targets by name, in that order of precedence. */
void module_names(const Module *module, Arena *arena, NameMap *names);
/* What is declared under the name; NODE_NONE when nothing is. */
Node module_declared(const NameMap *names, Name name);
/* NULL when the module has no function of that name. */
Function *module_function(const Module *module, const char *name);
/* Makes `dims` anew: the free sizes of inputs and targets, then of parameters and states, as first mentioned. */
void module_list_dims(Module *module);
/* Puts copies of the functions after the module's; pointers to its functions are not valid any more. */
void module_add_functions(Module *module, const Function *functions, uint32_t count);
/* NULL when the function has no such result. */
Result *function_result(const Function *function, ResultRole role, Name name);
/* Every node that the module needs: of its declared things, checks and functions; operands before users; the caller's
 * to free (memory.h). */
Node *module_nodes(const Module *module, uint32_t *count);

/* The text form (.nng): prints and reads back identically. */
void module_print(const Module *module, Text *to);
/* The same with the places that each node came from as a comment behind it. */
void module_print_places(const Module *module, Text *to);
/* NULL after diagnostics. */
Module *module_read(Context *context, const Source *source);
/* Checks every node of the module against ops.def and its type rule. NULL when valid, else what is wrong (arena). */
const char *module_verify(const Module *module);

#endif
