#include <math.h>
#include <string.h>

#include "ir/graph.h"

static const OpInfo rows[] = {
#define OP(id, spelling, arity, class, attributes, rule, flags, work, value)                                           \
    {spelling, arity, OP_CLASS_##class, attributes, TYPE_RULE_##rule, flags, work},
#include "ir/ops.def"
#undef OP
};

const OpInfo *op_info(Op op)
{
    return &rows[op];
}

Op op_parse(const char *text, size_t length)
{
    for (int op = 0; op < OP_COUNT; op++)
        if (strlen(rows[op].spelling) == length && !memcmp(rows[op].spelling, text, length)) return (Op)op;
    return OP_COUNT;
}

double op_evaluate(Op op, double x, double y, double z)
{
    (void)y, (void)z;
    switch (op) {
#define OP(id, spelling, arity, class, attributes, rule, flags, work, value)                                           \
    case OP_##id:                                                                                                      \
        return value;
#include "ir/ops.def"
#undef OP
    case OP_COUNT:
        break;
    }
    return 0;
}
