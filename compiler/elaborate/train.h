/* What the parts that read a train block share. */
#ifndef NNC_ELABORATE_TRAIN_H
#define NNC_ELABORATE_TRAIN_H

#include "elaborate/elaborator.h"

/* An optimizer with its arguments, for all parameters or for those under a path or glob. */
typedef struct {
    const Item *item;
    const Syntax *call;
    Name where; /* NULL: the main one */
    bool glob;
    Span place;
    Value *values; /* one a formal */
} UpdateRule;

typedef struct {
    Scope *scope; /* where step, steps and progress are known */
    UpdateRule main;
    Vec(UpdateRule) overrides;
} UpdateRules;

bool train_read(Elaborator *el, const Syntax *train, TrainSettings *settings, UpdateRules *rules);
/* The rule of a parameter: the last override that names it, else the main one. */
const UpdateRule *train_rule(const UpdateRules *rules, Name path);
/* An override that reaches no parameter is a mistake. */
bool train_check_overrides(Elaborator *el, const UpdateRules *rules);
/* True if a path is `where` or lies beneath it. */
bool path_under(Name path, Name where);

/* Adds the gradients of the parameters and, where `rules` is not NULL, their updates to el->results. */
bool optimize(Elaborator *el, const TrainSettings *settings, const UpdateRules *rules);
/* The sum of all losses of the form; NODE_NONE when there is none. */
Node total_loss(Elaborator *el);

#endif
