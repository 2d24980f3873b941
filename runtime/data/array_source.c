/* NumPy's files as data sources. */
#include <stdlib.h>
#include <string.h>

#include "data/npy_internal.h"

static int fail_rank(const char *where)
{
    return nn_fail(NN_ERROR_FORMAT, "%s is a single number; its first axis should count rows", where);
}

int nn_npy_open(const nn_source_request *request, nn_source **out)
{
    nn_npy_header header = {0};
    nn_source *source = nn_source_new(1);
    if (!source) return NN_ERROR_MEMORY;
    int status = nn_bytes_open(request->path, &source->bytes);
    if (!status) status = nn_npy_read_header(request->path, &source->bytes, &header);
    if (!status && !header.rank) status = fail_rank(request->path);
    void *owned = NULL;
    if (!status && !header.direct) {
        owned = malloc((size_t)header.elements * nn_type_size(header.type) + 1);
        status = owned ? nn_npy_load(request->path, &source->bytes, &header, owned)
                       : nn_fail(NN_ERROR_MEMORY, "no memory for %s", request->path);
        nn_bytes_close(&source->bytes);
    }
    if (!status) {
        source->rows = header.dims[0];
        if (!nn_source_set_column(source, 0, "value", header.type, header.rank - 1, header.dims + 1, "the file's array",
                                  owned, owned))
            status = NN_ERROR_MEMORY;
        source->columns[0].start = header.start;
    } else {
        free(owned);
    }
    if (status) {
        nn_source_free(source);
        return status;
    }
    *out = source;
    return NN_OK;
}

static int fill_from_arrays(const char *path, nn_source *source, nn_array *arrays, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        nn_array *array = &arrays[i];
        if (!array->rank) return fail_rank(array->name);
        if (i && array->dims[0] != source->rows)
            return nn_fail(NN_ERROR_FORMAT, "%s: %s has %lld rows and %s %lld", path, arrays[0].name,
                           (long long)source->rows, array->name, (long long)array->dims[0]);
        source->rows = array->dims[0];
        bool set = nn_source_set_column(source, i, array->name, array->type, array->rank - 1, array->dims + 1,
                                        "an array of the file", array->values, array->values);
        array->values = NULL; /* the source's now */
        if (!set) return NN_ERROR_MEMORY;
    }
    return NN_OK;
}

int nn_npz_open(const nn_source_request *request, nn_source **out)
{
    nn_array *arrays = NULL;
    size_t count = 0;
    int status = nn_npz_read(request->path, &arrays, &count);
    if (status) return status;
    nn_source *source = nn_source_new(count);
    status = source ? fill_from_arrays(request->path, source, arrays, count) : NN_ERROR_MEMORY;
    nn_arrays_free(arrays, count);
    if (status) {
        nn_source_free(source);
        return status;
    }
    *out = source;
    return NN_OK;
}
