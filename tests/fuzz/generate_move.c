/* Expressions that move values: from another shape to the one that is wanted. */
#include <string.h>

#include "generate_internal.h"

/* A place of an axis of that size; in wild models it may lie anywhere. */
static void put_place(Model *model, int64_t size, Text *to)
{
    if (!model->tame && one_in(model, 3))
        put_integer(model, to);
    else if (size > 0)
        text_format(to, "%lld",
                    (long long)(one_in(model, 2) ? (int64_t)below(model, (uint64_t)(size < 1000 ? size : 1000)) : -1));
    else
        text_string(to, one_in(model, 2) ? "0" : "-1");
}

static Shape with_axis(const Shape *shape, int axis, int64_t size)
{
    Shape larger = *shape;
    memmove(larger.dims + axis + 1, larger.dims + axis, (size_t)(shape->rank - axis) * sizeof *larger.dims);
    larger.dims[axis] = size;
    larger.rank++;
    return larger;
}

static bool put_transpose(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    if (shape->rank < 2) return false;
    Shape from = *shape;
    int order[MOST_AXES];
    for (int i = 0; i < shape->rank; i++) order[i] = i;
    for (int i = shape->rank - 1; i > 0; i--) {
        int k = (int)below(model, (uint64_t)i + 1), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
    for (int i = 0; i < shape->rank; i++) from.dims[order[i]] = shape->dims[i];
    text_string(to, "transpose(");
    put_value(model, kind, &from, depth, to);
    text_string(to, ", [");
    for (int i = 0; i < shape->rank; i++) text_format(to, i ? ", %d" : "%d", order[i]);
    text_string(to, "])");
    return true;
}

/* From the shape with an axis of 1 more, or with two axes exchanged. */
static bool put_reshape(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    if (shape->rank == MOST_AXES) return false;
    Shape from = with_axis(shape, (int)below(model, (uint64_t)shape->rank + 1), 1);
    if (shape->rank > 1 && one_in(model, 2)) {
        from = *shape;
        from.dims[0] = shape->dims[1];
        from.dims[1] = shape->dims[0];
    }
    text_string(to, "reshape(");
    put_value(model, kind, &from, depth, to);
    text_string(to, ", ");
    put_shape(shape, to);
    text_string(to, ")");
    return true;
}

static bool put_concat(Model *model, Kind kind, const Shape *shape, int axis, int depth, Text *to)
{
    int64_t size = shape->dims[axis];
    if (size < 0) return false;
    int64_t first = size ? (int64_t)below(model, (uint64_t)(size < 100 ? size : 100) + 1) : 0;
    Shape part = *shape;
    text_string(to, "concat(");
    part.dims[axis] = first;
    put_value(model, kind, &part, depth, to);
    text_string(to, ", ");
    part.dims[axis] = size - first;
    put_value(model, kind, &part, depth, to);
    text_format(to, ", axis = %d)", one_in(model, 2) ? axis : axis - shape->rank);
    return true;
}

static bool put_pad(Model *model, Kind kind, const Shape *shape, int axis, int depth, Text *to)
{
    int64_t size = shape->dims[axis];
    if (size < 1) return false;
    Shape part = *shape;
    int64_t before = (int64_t)below(model, (uint64_t)(size < 100 ? size : 100) + 1);
    part.dims[axis] = size - before;
    text_string(to, "pad(");
    put_value(model, kind, &part, depth, to);
    text_string(to, ", [");
    for (int i = 0; i < shape->rank; i++) text_format(to, "%s[%d, 0]", i ? ", " : "", i == axis ? (int)before : 0);
    text_string(to, "])");
    return true;
}

/* Part of a longer axis, by its bounds from either end. */
static bool put_slice(Model *model, Kind kind, const Shape *shape, int axis, int depth, Text *to)
{
    int64_t size = shape->dims[axis];
    if (size < 0 || size > INT64_MAX - 10) return false;
    Shape larger = *shape;
    int64_t before = (int64_t)below(model, 3), after = (int64_t)below(model, 3);
    larger.dims[axis] = before + size + after;
    const Named *value = bind_value(model, kind, &larger, depth);
    text_format(to, "%s[", value->name);
    for (int i = 0; i < axis; i++) text_string(to, ":, ");
    if (!model->tame && one_in(model, 4)) {
        put_integer(model, to);
        text_string(to, ":");
        put_integer(model, to);
    } else if (after && one_in(model, 2)) {
        text_format(to, "%d:-%d", (int)before, (int)after);
    } else {
        text_format(to, "%d:%lld", (int)before, (long long)(before + size));
    }
    text_string(to, "]");
    return true;
}

/* One place of an axis that vanishes. */
static bool put_element(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    if (shape->rank == MOST_AXES) return false;
    int axis = (int)below(model, (uint64_t)shape->rank + 1);
    int64_t size = random_size(model);
    if (model->tame && size < 1) size = 3;
    Shape larger = with_axis(shape, axis, size);
    const Named *value = bind_value(model, kind, &larger, depth);
    text_format(to, "%s[", value->name);
    for (int i = 0; i < axis; i++) text_string(to, ":, ");
    put_place(model, size, to);
    text_string(to, "]");
    return true;
}

/* Rows of a table by number. */
static bool put_gather(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    if (!shape->rank) return false;
    int64_t rows = random_size(model);
    if (rows < 1) rows = 4;
    Shape table = *shape, ids = {.rank = 1, .dims = {shape->dims[0]}};
    table.dims[0] = rows;
    const Named kept = *bind_value(model, kind, &table, depth);
    char name[400];
    fresh_name(model, name);
    text_format(&model->head, "    input %s: i32", name);
    put_shape(&ids, &model->head);
    text_format(&model->head, " in %lld\n", (long long)rows);
    text_format(to, "%s[%s]", kept.name, name);
    return true;
}

static bool put_turned(Model *model, Kind kind, const Shape *shape, int axis, int depth, Text *to)
{
    bool rolled = one_in(model, 2);
    text_string(to, rolled ? "roll(" : "reverse(");
    put_value(model, kind, shape, depth, to);
    if (rolled) {
        text_string(to, ", ");
        put_integer(model, to);
    }
    text_format(to, ", axis = %d)", one_in(model, 2) ? axis : axis - shape->rank);
    return true;
}

static bool put_tile(Model *model, Kind kind, const Shape *shape, int axis, int depth, Text *to)
{
    Shape part = *shape;
    int64_t times = shape->dims[axis] < 0 ? 1 : shape->dims[axis];
    if (times) part.dims[axis] = shape->dims[axis] < 0 ? shape->dims[axis] : 1;
    text_string(to, "tile(");
    put_value(model, kind, &part, depth, to);
    text_string(to, ", [");
    for (int i = 0; i < shape->rank; i++)
        text_format(to, "%s%lld", i ? ", " : "", (long long)(i == axis && times ? times : 1));
    text_string(to, "])");
    return true;
}

/* One of the equal parts of an axis. */
static bool put_split(Model *model, Kind kind, const Shape *shape, int axis, int depth, Text *to)
{
    Shape larger = *shape;
    if (shape->dims[axis] < 0 || shape->dims[axis] > INT64_MAX / 2) return false;
    larger.dims[axis] *= 2;
    const Named value = *bind_value(model, kind, &larger, depth);
    char names[2][400];
    fresh_name(model, names[0]);
    fresh_name(model, names[1]);
    text_format(&model->body, "    %s, %s = split(%s, 2, axis = %d)\n", names[0], names[1], value.name, axis);
    name_value(model, names[0], kind, shape, false);
    text_string(to, names[1]);
    return true;
}

/* By index notation: the axes in another order, or an axis that is the index itself. */
static bool put_indexed(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    static const char *const letters = "ijklp";
    if (!shape->rank) return false;
    Shape from = *shape;
    for (int i = 0; i < shape->rank; i++) from.dims[i] = shape->dims[shape->rank - 1 - i];
    const Named value = *bind_value(model, kind, &from, depth);
    char name[400];
    fresh_name(model, name);
    text_format(&model->body, "    %s[", name);
    for (int i = 0; i < shape->rank; i++) text_format(&model->body, i ? ", %c" : "%c", letters[i]);
    text_format(&model->body, "] = %s[", value.name);
    for (int i = shape->rank; i-- > 0;) text_format(&model->body, i ? "%c, " : "%c]", letters[i]);
    if (kind == REAL && one_in(model, 2)) text_string(&model->body, " + 0.5 * i");
    text_string(&model->body, "\n");
    name_value(model, name, kind, shape, false);
    text_string(to, name);
    return true;
}

bool put_moved(Model *model, Kind kind, const Shape *shape, int depth, Text *to)
{
    int axis = shape->rank ? (int)below(model, (uint64_t)shape->rank) : -1;
    uint64_t way = below(model, 12);
    if (axis < 0 && way != 1 && way != 5) way = 5;
    switch (way) {
    case 0:
        return put_transpose(model, kind, shape, depth, to);
    case 1:
        return put_reshape(model, kind, shape, depth, to);
    case 2:
        return put_concat(model, kind, shape, axis, depth, to);
    case 3:
        return put_pad(model, kind, shape, axis, depth, to);
    case 4:
        return put_slice(model, kind, shape, axis, depth, to);
    case 5:
        return put_element(model, kind, shape, depth, to);
    case 6:
        return put_gather(model, kind, shape, depth, to);
    case 7:
        return put_turned(model, kind, shape, axis, depth, to);
    case 8:
        return put_tile(model, kind, shape, axis, depth, to);
    case 9:
        return put_split(model, kind, shape, axis, depth, to);
    default:
        return put_indexed(model, kind, shape, depth, to);
    }
}
