/* What the parts of the check share: the walk over one item's body. */
#ifndef NNC_CHECK_CHECK_INTERNAL_H
#define NNC_CHECK_CHECK_INTERNAL_H

#include "check/builtins.h"
#include "check/items_internal.h"
#include "support/vector.h"

typedef struct {
    Name name;
    bool function, declared; /* declared: by a statement that may stand once */
    Span place;
    size_t before; /* the entry before in its list, counted from 1; 0: none */
} Known;

/* A call or mention of one item inside another. */
typedef struct {
    const Item *from, *to;
    Span at;
} Mention;

typedef struct {
    const Items *items;
    Context *context;
    const Item *item;
    SyntaxKind body;       /* of the item: MODEL, LAYER, FN, OPTIMIZER, DATA, TRAIN, CONST */
    Vec(Known) known;      /* names in sight, innermost last; the end is cut off by forget() alone */
    size_t *lists;         /* their last entries, counted from 1, by the hash of the name */
    size_t n_lists;        /* a power of two */
    size_t block;          /* where the innermost block's names begin */
    Vec(Mention) mentions; /* an item's stand together */
    Vec(Name) blamed;      /* unknown names of this item that were reported: once is enough */
    Vec(Known) left;       /* names of blocks that have ended */
    size_t mistakes;       /* errors so far */
} Walk;

enum { MAX_MISTAKES = 100 }; /* in a program: then the check ends, and says so */

/* names.c */
/* A diagnostic of the check; one that is not shown once there were MAX_MISTAKES. */
Diag *mistake(Walk *walk, DiagId id, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
void know(Walk *walk, Name name, bool function, Span place);
/* A name that a declaration makes: a second one in the same block is a mistake. */
void declare(Walk *walk, Name name, bool function, Span place);
bool is_known(const Walk *walk, Name name, bool function);
/* All names but the first `count` go out of sight. */
void forget(Walk *walk, size_t count);
/* The same at the end of a block, whose names are remembered for what a message says of them. */
void leave_block(Walk *walk, size_t count);
void walk_free(Walk *walk);
/* A diagnostic unless the name is a value. */
void need_value(Walk *walk, const Syntax *name);
/* The item or builtin that a function's name stands for; false after a diagnostic. */
typedef struct {
    const Item *item;
    Builtin builtin;
    bool is_builtin;
} Callable;
bool need_function(Walk *walk, const Syntax *name, Callable *callable);
/* The arguments of a call: `piped` more stand before `|>`. Says for each kid of the call whether it is a function. */
void check_arguments(Walk *walk, const Syntax *call, uint32_t piped, const Callable *callable);
bool wants_function(const Syntax *formal);
/* The formal that the argument kids[i] of a call goes to, NULL when there is none. */
const Syntax *formal_of(const Syntax *call, uint32_t i, uint32_t piped, const Item *item);

/* walk.c */
void walk_expression(Walk *walk, const Syntax *node);
/* Right of `|>` or `~`, or a function as an argument. */
void walk_stage(Walk *walk, const Syntax *node);
/* `signature`: bare names in the shape and range are bound. */
void walk_type(Walk *walk, const Syntax *type, bool signature);
/* Composite sizes of a signature, once all names are bound. */
void walk_type_sizes(Walk *walk, const Syntax *type);

/* unused.c: a warning for each name of a data block that no model and nothing in the block takes. */
void warn_unused_data(Walk *walk, const Syntax *block);

/* statements.c */
void walk_statement(Walk *walk, const Syntax *statement);
void walk_block(Walk *walk, const Syntax *block);

#endif
