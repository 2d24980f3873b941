/* Opening a source by its kind. */
#include <string.h>

#include "data/source.h"

enum { PLACE_MADE, PLACE_FILE };

static const struct {
    const char *kind;
    int place;
    int (*open)(const nn_source_request *request, nn_source **source);
} kinds[] = {
#define SOURCE(kind, place, columns, arguments) {#kind, PLACE_##place, nn_##kind##_open},
#include "data/sources.def"
};

enum { KINDS = sizeof kinds / sizeof *kinds };

static int find_kind(const char *kind)
{
    for (size_t i = 0; i < KINDS; i++)
        if (!strcmp(kind, kinds[i].kind)) return (int)i;
    return -1;
}

int nn_source_open(const char *kind, const char *path, const nn_argument *args, size_t n_args, const nn_source *like,
                   const volatile sig_atomic_t *stop, nn_source **source)
{
    *source = NULL;
    int found = find_kind(kind), status = NN_OK;
    if (found < 0) return nn_fail(NN_ERROR_ARGUMENT, "there is no data source %s", kind);
    if (kinds[found].place == PLACE_FILE && !path)
        return nn_fail(NN_ERROR_ARGUMENT, "%s reads a file, but none is named", kind);
    for (size_t i = 0; i < n_args && !status; i++) status = nn_argument_check(kind, &args[i]);
    if (status) return status;
    nn_source_request request = {kind, path, args, n_args, like, stop};
    return kinds[found].open(&request, source);
}
