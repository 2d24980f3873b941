/* Built-in functions: their names and arguments, for the check and for the elaborator. */
#ifndef NNC_CHECK_BUILTINS_H
#define NNC_CHECK_BUILTINS_H

#include "ir/graph.h"
#include "support/intern.h"

typedef enum {
    BUILTIN_REDUCE,
    BUILTIN_ALONG,
    BUILTIN_STRUCTURE,
    BUILTIN_PLAIN,
    BUILTIN_GRAD,
    BUILTIN_CAST,
    BUILTIN_ELEMENTWISE /* one operand, `op` */
} BuiltinFamily;

typedef enum {
#define BUILTIN(name, family, formals) BUILTIN_ID_##name,
#include "check/builtins.def"
#undef BUILTIN
    BUILTIN_ID_elementwise
} BuiltinId;

enum { BUILTIN_FORMALS = 6 };

typedef struct {
    BuiltinId id;
    BuiltinFamily family;
    const char *name;
    const char *formals; /* as in builtins.def */
    Op op;               /* BUILTIN_ELEMENTWISE */
} Builtin;

/* False when no built-in function is called so. */
bool builtin_find(const char *name, Builtin *builtin);
/* Visits the names of all of them. */
void builtin_names(void (*visit)(void *data, const char *name), void *data);

/* One formal of a builtin at a time, from position *at of `formals` (start with 0). False past the last. */
typedef struct {
    char name[16];
    bool optional, many;
} BuiltinFormal;
bool builtin_formal(const char *formals, size_t *at, BuiltinFormal *formal);

#endif
