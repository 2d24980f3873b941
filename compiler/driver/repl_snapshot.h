/* What a statement may change, to put it back. */
#ifndef NNC_DRIVER_REPL_SNAPSHOT_H
#define NNC_DRIVER_REPL_SNAPSHOT_H

#include "driver/repl_session.h"

/* A node that lost its name. */
typedef struct {
    Node node;
    Name name;
} Unnamed;

typedef struct Snapshot {
    Binding *first;
    Vec(Binding *) bindings;
    Vec(Binding) values;
    Vec(Stored) params, states;
    Vec(Counter) counters, streams;
    Vec(StateCell *) cells;
    Vec(StateCell) cell_values;
    OwnedList names, learned;
    size_t n_inputs, n_settings, n_checks, n_starts;
    Vec(Unnamed) unnamed;
} Snapshot;

Snapshot snapshot_take(Session *session);
void snapshot_restore(Session *session, const Snapshot *snapshot);
void snapshot_free(Snapshot *snapshot);

#endif
