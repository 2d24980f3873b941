/* Tensors of a model by name. A name may be that of several, of different roles. */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

/* FNV-1a. */
static uint32_t hash(const char *name)
{
    uint32_t value = 2166136261u;
    for (; *name; name++) value = (value ^ (unsigned char)*name) * 16777619u;
    return value;
}

bool nn_names_make(nn_names *names, const nn_image *image)
{
    uint32_t size = 16;
    while (size < image->n_tensors) size *= 2;
    names->image = image;
    names->mask = size - 1;
    names->first = malloc(size * sizeof *names->first);
    names->next = malloc((image->n_tensors + 1) * sizeof *names->next);
    if (!names->first || !names->next) return false;
    memset(names->first, -1, size * sizeof *names->first);
    /* The last goes in first, so that a chain is in the order of the tensors. */
    for (uint32_t i = image->n_tensors; i-- > 0;) {
        int64_t *chain = &names->first[hash(image->tensors[i].name) & names->mask];
        names->next[i] = *chain;
        *chain = i;
    }
    return true;
}

void nn_names_free(nn_names *names)
{
    free(names->first);
    free(names->next);
}

static int64_t skip(const nn_names *names, int64_t tensor, const char *name)
{
    while (tensor >= 0 && strcmp(names->image->tensors[tensor].name, name)) tensor = names->next[tensor];
    return tensor;
}

int64_t nn_names_find(const nn_names *names, const char *name)
{
    return skip(names, names->first[hash(name) & names->mask], name);
}

int64_t nn_names_next(const nn_names *names, int64_t tensor)
{
    return skip(names, names->next[tensor], names->image->tensors[tensor].name);
}

int64_t nn_params_find(const nn_params *params, const char *name)
{
    const nn_names *names = &params->model->names;
    int64_t found = nn_names_find(names, name);
    while (found >= 0 && !params->values[found].at) found = nn_names_next(names, found);
    return found;
}
