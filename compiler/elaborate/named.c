/* What the elaborator knows by name is found without a search: a table per kind, filled when it is asked. */
#include "elaborate/elaborator.h"

static size_t count_of(const Elaborator *el, Named kind)
{
    switch (kind) {
    case NAMED_PARAM:
        return el->params.count;
    case NAMED_STATE:
        return el->states.count;
    case NAMED_CELL:
        return el->cells.count;
    case NAMED_OUTPUT:
    case NAMED_METRIC:
        return el->results.count;
    case NAMED_LOSS:
        return el->losses.count;
    case NAMED_INPUT:
        return el->inputs.count;
    case NAMED_SETTING:
        return el->settings.count;
    case NAMED_STREAM:
        return el->streams.count;
    case NAMED_CONSTANT:
        return el->consts.count;
    case NAMED_FREE_SIZE:
        return el->dim_places.count;
    case NAMED_BOUND_SIZE:
        return el->bound_dims.count;
    case NAMED_BODY:
        return el->derivative_names.count;
    case NAMED_CHECK:
        return el->checks.count;
    case NAMED_COUNT:
        break;
    }
    return 0;
}

static Name node_name(const Elaborator *el, Node node)
{
    return graph_node(el->graph, node)->attr.name;
}

/* By what the thing at this index is found; no name where it is not one of the kind. */
static NameKey key_of(const Elaborator *el, Named kind, size_t i)
{
    switch (kind) {
    case NAMED_PARAM:
        return (NameKey){.name = el->params.at[i].path};
    case NAMED_STATE:
        return (NameKey){.name = el->states.at[i].path};
    case NAMED_CELL:
        return (NameKey){.name = el->cells.at[i]->path};
    case NAMED_OUTPUT:
        return (NameKey){.name = el->results.at[i].role == RESULT_OUTPUT ? el->results.at[i].name : NULL};
    case NAMED_METRIC:
        return (NameKey){.name = el->results.at[i].role == RESULT_OUTPUT ? NULL : el->results.at[i].name};
    case NAMED_LOSS:
        return (NameKey){.name = el->losses.at[i].name};
    case NAMED_INPUT:
        return (NameKey){.name = node_name(el, el->inputs.at[i].node), .part = el->inputs.at[i].node.id};
    case NAMED_SETTING:
        return (NameKey){.name = node_name(el, el->settings.at[i].node)};
    case NAMED_STREAM:
        return (NameKey){.name = el->streams.at[i].name};
    case NAMED_CONSTANT:
        return (NameKey){.name = el->consts.at[i].item};
    case NAMED_FREE_SIZE:
        return (NameKey){.name = el->dim_places.at[i].name};
    case NAMED_BOUND_SIZE:
        return (NameKey){.name = el->bound_dims.at[i].name};
    case NAMED_BODY:
        return (NameKey){.name = derivative_names_body(el->derivative_names.at[i])};
    case NAMED_CHECK:
        return (NameKey){.name = el->checks.at[i].message, .part = check_part(&el->checks.at[i])};
    case NAMED_COUNT:
        break;
    }
    return (NameKey){0};
}

void named_forget(Elaborator *el)
{
    el->named = (NameMap){0};
    for (int kind = 0; kind < NAMED_COUNT; kind++) el->n_named[kind] = 0;
}

size_t named_find_part(Elaborator *el, Named kind, const void *name, uint32_t part)
{
    size_t count = count_of(el, kind), *known = &el->n_named[kind];
    if (*known > count) named_forget(el);
    for (; *known < count; ++*known) {
        NameKey own = key_of(el, kind, *known);
        own.kind = kind;
        if (own.name) name_map_put(el->arena, &el->named, own, *known);
    }
    return name_map_get(&el->named, (NameKey){.name = name, .kind = kind, .part = part});
}

size_t named_find(Elaborator *el, Named kind, const void *name)
{
    return named_find_part(el, kind, name, 0);
}
