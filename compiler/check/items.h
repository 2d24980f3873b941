/* Items: everything that a .nn file declares at its top, with what its imports declare and the prelude beneath. */
#ifndef NNC_CHECK_ITEMS_H
#define NNC_CHECK_ITEMS_H

#include "support/context.h"
#include "syntax/syntax.h"

/* Where a name is looked for. A name may stand for one thing in each. */
typedef enum {
    SPACE_CONST,
    SPACE_FUNCTION, /* FN and LAYER */
    SPACE_OPTIMIZER,
    SPACE_MODEL,
    SPACE_DATA, /* an entry per split */
    SPACE_TRAIN,
    SPACES
} Space;

/* The most parameters that an item can declare, and arguments that a call can give. */
enum { MOST_ARGUMENTS = 64 };

typedef struct Item Item;
struct Item {
    Space space;
    Name name;
    const Syntax *syntax;
    const Syntax *derivative; /* of an FN: its DERIVATIVE, or NULL */
    bool prelude;
    Span place; /* of the name */
    const Item *next;
};

typedef struct Items Items;

/* Reads the prelude, the tree of `source` (from `path`; NULL: no file) and all that it imports, then checks everything
 * that can be said without shapes. NULL after error diagnostics. */
Items *items_load(Context *context, const char *path, const Source *source);
/* Without any file: the prelude alone, to which items_add adds (the REPL). */
Items *items_prelude(Context *context);
/* Adds an item of the user's; a clash with another one is a diagnostic, then false. */
bool items_add(Items *items, const Syntax *syntax);
/* Reads a source, from `path` (NULL: no file), and what it imports, and adds its items. */
void items_read(Items *items, const char *path, const Source *source);
/* From now on an item of a name that the user has given already takes that one's place. */
void items_replace(Items *items, bool replace);
/* Makes the user's item of a name the given one again; NULL: there is none. */
void items_restore(Items *items, Space space, Name name, const Item *item);

/* What a name stands for, NULL if nothing. A user's item hides the prelude's, but never inside the prelude itself. */
const Item *items_find(const Items *items, Space space, Name name, bool inside_prelude);
/* The user's items in the order of their declaration. */
const Item *items_first(const Items *items);

/* Calls visit with each name that the prelude or the user gives to a constant, function, layer, optimizer or model. */
void items_names(const Items *items, void (*visit)(void *data, const char *name), void *data);
/* The nearest name of a space to one that does not exist (also of the built-in functions), NULL when none is near. */
const char *items_nearest(const Items *items, Space space, Name name);

#endif
