/* Constants: one number everywhere, of any shape. */
#include <assert.h>

#include "ir/build.h"
#include "ir/integer.h"

Node build_constant(Graph *graph, Type type, double number)
{
    if (dtype_class(type.dtype) == DTYPE_CLASS_INTEGER)
        return build_integer(graph, type, integer_saturate(type.dtype, number));
    if (type.dtype == DTYPE_BOOL && number == 0) number = 0; /* a bool knows no -0 */
    return graph_make(graph, OP_CONST, NULL, 0, &(Attr){.number = number}, &type);
}

Node build_constant_like(Graph *graph, Node like, double number)
{
    Type type = *node_type(graph, like);
    return build_constant(graph, type_with(type, type.dtype), number);
}

Node build_integer(Graph *graph, Type type, int64_t integer)
{
    return graph_make(graph, OP_CONST, NULL, 0, &(Attr){.integer = integer_wrap(type.dtype, integer)}, &type);
}

Node build_spread_constant(Graph *graph, Node constant, const Type *shape)
{
    const NodeInfo info = *graph_node(graph, constant);
    Type type = *shape;
    assert(info.op == OP_CONST);
    type.dtype = info.type.dtype;
    return graph_make(graph, OP_CONST, NULL, 0, &info.attr, &type);
}
