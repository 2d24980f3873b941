/* How the order of a value's elements is seen: through reshapes, as dimensions and subscripts of its memory, and in a
 * copy of it. */
#include "schedule/schedule_internal.h"

enum { ASSUMED_SIZE = 64 };

static bool assume_size(void *data, Name symbol, int64_t *value)
{
    (void)data, (void)symbol;
    *value = ASSUMED_SIZE;
    return true;
}

double size_estimate(const Scheduler *scheduler, Dim dim)
{
    int64_t value;
    return dim_evaluate(scheduler->dims, dim, assume_size, NULL, &value) ? (double)value : ASSUMED_SIZE;
}

static void extend(const Scheduler *scheduler, const Shape *shape, uint32_t *to, Dim *elements, double *estimate)
{
    *elements = dim_mul(scheduler->dims, *elements, shape->dims[*to]);
    *estimate *= size_estimate(scheduler, shape->dims[(*to)++]);
}

bool stretch_next(const Scheduler *scheduler, const Shape shapes[2], Stretch *stretch)
{
    Dim elements[2];
    double estimates[2] = {1, 1};
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t from = stretch->to[side];
        while (from < shapes[side].rank && is_unit(scheduler, shapes[side].dims[from])) from++;
        stretch->from[side] = stretch->to[side] = from;
        elements[side] = dim_constant(scheduler->dims, 1);
        if (from < shapes[side].rank)
            extend(scheduler, &shapes[side], &stretch->to[side], &elements[side], &estimates[side]);
    }
    while (!dim_same(elements[0], elements[1])) {
        uint32_t less = estimates[1] < estimates[0];
        if (stretch->to[less] == shapes[less].rank) less = 1 - less;
        if (stretch->to[less] == shapes[less].rank) break;
        extend(scheduler, &shapes[less], &stretch->to[less], &elements[less], &estimates[less]);
    }
    return stretch->from[0] < shapes[0].rank || stretch->from[1] < shapes[1].rank;
}

bool layout_find_viewed(const Scheduler *scheduler, const Type *type, Shape view, uint32_t last, uint32_t *from,
                        uint32_t *to)
{
    Shape shapes[2] = {{type->rank, type->dims}, view};
    for (Stretch s = {0}; stretch_next(scheduler, shapes, &s);) {
        if (last < s.from[0] || last >= s.to[0]) continue;
        for (uint32_t d = s.from[0]; d < s.to[0]; d++)
            if (d != last && !is_unit(scheduler, type->dims[d])) return false;
        *from = s.from[1], *to = s.to[1];
        return true;
    }
    return false;
}

uint32_t layout_last(const Scheduler *scheduler, Node node)
{
    const Layouts *layouts = scheduler->layouts;
    if (!layouts || node.id >= layouts->count) return NO_AXIS;
    bool seen = node_op(scheduler->graph, node) == OP_RESHAPE && !facts_of(scheduler, node)->copied;
    return seen ? NO_AXIS : layouts->last[node.id];
}

Node layout_copy(const Scheduler *scheduler, Node node)
{
    const Layouts *layouts = scheduler->layouts;
    return layouts && node.id < layouts->count ? layouts->copies[node.id] : NODE_NONE;
}

uint32_t layout_order(uint32_t rank, uint32_t last, uint8_t *order)
{
    uint32_t count = 0;
    for (uint32_t d = 0; d < rank; d++)
        if (d != last) order[count++] = (uint8_t)d;
    if (last < rank) order[count++] = (uint8_t)last;
    return count;
}

bool layout_view(const Scheduler *scheduler, Node node, Shape view, const Affine *index, Dim *dims, Affine *moved)
{
    uint32_t last = layout_last(scheduler, node), from = view.rank, to = view.rank, count = 0;
    if (last != NO_AXIS && !layout_find_viewed(scheduler, memory_type(scheduler, node), view, last, &from, &to))
        return false;
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t d = 0; d < view.rank; d++) {
            if ((d >= from && d < to) != (pass == 1)) continue;
            dims[count] = view.dims[d];
            moved[count++] = index[d];
        }
    return true;
}

void layout_set_needs(Scheduler *scheduler)
{
    const Layouts *layouts = scheduler->layouts;
    for (uint32_t i = 0; layouts && i < layouts->count; i++) {
        if (node_is_none(layouts->copies[i])) continue;
        Node copied = node_arg(scheduler->graph, layouts->copies[i], 0);
        bool given = is_memory(scheduler->graph, copied);
        facts_of(scheduler, layouts->copies[i])->need = given ? NEED_FORWARD : facts_of(scheduler, copied)->need;
    }
}
