/* Long cumulative sums in blocks. What precedes a block is the sum of the blocks before it, so blocks are scanned side
 * by side, and no sum is longer than a block and the number of blocks:
 *
 *     y[b, k] = start[b] + sum over j <= k of x[b, j]        start[b] = sum over c < b of (sum over j of x[c, j])
 *
 * The starts are such a sum themselves. Blocks are cut by the size of the axis alone. */
#include <string.h>

#include "ir/build.h"
#include "schedule/schedule_internal.h"

/* Elements that are scanned in one go; the lengths that are tried as divisors; how often a free size is cut. */
enum { ONE_PASS = 1024, BLOCK = 512, LEAST_BLOCK = 128, FREE_LEVELS = 2 };

typedef struct {
    Dim count, length;
    bool exact; /* count * length is the size; else it is larger */
} Blocks;

static Blocks known_blocks(DimTable *dims, int64_t size)
{
    int64_t length = BLOCK;
    while (length >= LEAST_BLOCK && size % length) length--;
    bool exact = length >= LEAST_BLOCK;
    int64_t count = exact ? size / length : (size + BLOCK - 1) / BLOCK;
    if (!exact) length = (size + count - 1) / count;
    return (Blocks){dim_constant(dims, count), dim_constant(dims, length), count * length == size};
}

/* At least one block, as long as the axis where that is short. */
static Blocks free_blocks(DimTable *dims, Dim size)
{
    Dim one = dim_constant(dims, 1), count = dim_add(dims, dim_floor_div(dims, size, dim_constant(dims, BLOCK)), one);
    Dim length = dim_floor_div(dims, dim_sub(dims, dim_add(dims, size, count), one), count);
    return (Blocks){count, length, false};
}

/* False when the axis is scanned in one go; level counts how often it was cut. */
static bool choose_blocks(Graph *graph, Node x, uint32_t axis, uint32_t level, Blocks *blocks)
{
    const Type *type = node_type(graph, x);
    DimTable *dims = graph_dims(graph);
    int64_t known;
    if (type->rank == MAX_RANK) return false;
    if (!dim_is_constant(dims, type->dims[axis], &known)) {
        *blocks = free_blocks(dims, type->dims[axis]);
        return level < FREE_LEVELS;
    }
    if (known <= ONE_PASS) return false;
    *blocks = known_blocks(dims, known);
    return true;
}

/* Along an axis: elements from 0, then `before` zeros in front and as many behind as `size` asks. */
static Node cut_and_pad(Graph *graph, Node x, uint32_t axis, Dim taken, Dim before, Dim size)
{
    const Type type = *node_type(graph, x);
    Dim start[MAX_RANK], part[MAX_RANK], front[MAX_RANK], padded[MAX_RANK];
    int32_t step[MAX_RANK];
    for (uint32_t i = 0; i < type.rank; i++) {
        start[i] = front[i] = dim_constant(graph_dims(graph), 0);
        part[i] = padded[i] = type.dims[i];
        step[i] = 1;
    }
    part[axis] = taken, front[axis] = before, padded[axis] = size;
    return build_pad(graph, build_slice(graph, x, start, part, step), front, padded);
}

static Node scan_in_blocks(Graph *graph, Node x, uint32_t axis, uint32_t level)
{
    Blocks blocks;
    if (!choose_blocks(graph, x, axis, level, &blocks)) return build_along(graph, OP_CUMSUM, x, axis);
    DimTable *dims = graph_dims(graph);
    const Type type = *node_type(graph, x);
    Dim size = type.dims[axis], whole = dim_mul(dims, blocks.count, blocks.length);
    Dim zero = dim_constant(dims, 0), one = dim_constant(dims, 1), joined[MAX_RANK], cut[MAX_RANK];
    if (blocks.exact) whole = size;
    x = cut_and_pad(graph, x, axis, size, zero, whole);
    memcpy(joined, type.dims, sizeof joined);
    joined[axis] = whole;
    memcpy(cut, type.dims, (axis + 1) * sizeof *cut);
    cut[axis] = blocks.count, cut[axis + 1] = blocks.length;
    memcpy(cut + axis + 2, type.dims + axis + 1, (type.rank - axis - 1) * sizeof *cut);
    x = build_reshape(graph, x, type.rank + 1, cut);
    const Type shape = *node_type(graph, x);
    int32_t along = (int32_t)axis + 1;
    Node sums = scan_in_blocks(graph, build_reduce(graph, OP_SUM, x, &along, 1), axis, level + 1);
    Node starts = cut_and_pad(graph, sums, axis, dim_sub(dims, blocks.count, one), one, blocks.count);
    Node y = build_along(graph, OP_CUMSUM, x, axis + 1);
    y = build_binary(graph, OP_ADD, y, build_unreduce(graph, starts, &shape, &along, 1));
    return cut_and_pad(graph, build_reshape(graph, y, type.rank, joined), axis, size, zero, size);
}

bool is_long_scan(Graph *graph, Node node)
{
    Blocks blocks;
    const NodeInfo *info = graph_node(graph, node);
    if (info->op != OP_CUMSUM) return false;
    return choose_blocks(graph, info->args[0], (uint32_t)info->attr.integer, 0, &blocks);
}

Node cut_scan(Graph *graph, Node node)
{
    const NodeInfo info = *graph_node(graph, node);
    return scan_in_blocks(graph, info.args[0], (uint32_t)info.attr.integer, 0);
}
