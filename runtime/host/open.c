/* Opening compiled libraries by path. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

static void close_library(void *library)
{
    dlclose(library);
}

int nn_model_open(const char *path, const nn_options *options, nn_model **model)
{
    if (!path || !model) return nn_fail(NN_ERROR_ARGUMENT, "the path or the place for the model is NULL");
    *model = NULL;
    /* dlopen looks up a name without a slash in the system's folders. */
    size_t size = strlen(path) + 3;
    char *place = malloc(size);
    if (!place) return nn_fail(NN_ERROR_MEMORY, "no memory to open %s", path);
    snprintf(place, size, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *library = dlopen(place, RTLD_NOW | RTLD_LOCAL);
    free(place);
    if (!library) return nn_fail(NN_ERROR_FILE, "%s", dlerror());
    void *symbol = dlsym(library, NN_IMAGE_ENTRY);
    nn_image_entry *entry;
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from an object's address to a function's */
    int status = symbol ? nn_model_from_image(entry(), options, model)
                        : nn_fail(NN_ERROR_FORMAT, "%s is a library, but not one of a model (it has no %s)", path,
                                  NN_IMAGE_ENTRY);
    if (status) {
        dlclose(library);
        return status;
    }
    (*model)->library = library;
    (*model)->close_library = close_library;
    return NN_OK;
}
