#include "check/builtins.h"

#include <string.h>

static const Builtin rows[] = {
#define BUILTIN(name, family, formals) {BUILTIN_ID_##name, BUILTIN_##family, #name, formals, OP_COUNT},
#include "check/builtins.def"
#undef BUILTIN
};

enum { ROWS = sizeof rows / sizeof *rows };

/* Operators of one operand that are written as a function; `neg`, `not` and `cast` have a syntax of their own. */
static bool is_function(Op op)
{
    const OpInfo *info = op_info(op);
    return info->class == OP_CLASS_ELEMENTWISE && info->arity == 1 && op != OP_NEG && op != OP_NOT && op != OP_CAST;
}

bool builtin_find(const char *name, Builtin *builtin)
{
    for (size_t i = 0; i < ROWS; i++)
        if (!strcmp(rows[i].name, name)) {
            *builtin = rows[i];
            return true;
        }
    Op op = op_parse(name, strlen(name));
    if (op == OP_COUNT || !is_function(op)) return false;
    *builtin = (Builtin){BUILTIN_ID_elementwise, BUILTIN_ELEMENTWISE, op_info(op)->spelling, "x", op};
    return true;
}

void builtin_names(void (*visit)(void *data, const char *name), void *data)
{
    for (size_t i = 0; i < ROWS; i++) visit(data, rows[i].name);
    for (int op = 0; op < OP_COUNT; op++)
        if (is_function((Op)op)) visit(data, op_info((Op)op)->spelling);
}

bool builtin_formal(const char *formals, size_t *at, BuiltinFormal *formal)
{
    while (formals[*at] == ' ') ++*at;
    size_t length = strcspn(formals + *at, "?* ");
    if (!length) return false;
    *formal = (BuiltinFormal){0};
    memcpy(formal->name, formals + *at, length < sizeof formal->name ? length : sizeof formal->name - 1);
    *at += length;
    formal->optional = formals[*at] == '?';
    formal->many = formals[*at] == '*';
    if (formal->optional || formal->many) ++*at;
    return true;
}
