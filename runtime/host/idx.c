/* MNIST's format: two zero bytes, the element type, the rank, each size as a big-endian 32-bit number, then the
 * elements, big-endian, row-major (Y. LeCun, "The MNIST database of handwritten digits"). */
#include <stdlib.h>
#include <string.h>

#include "host/source.h"

static const struct {
    unsigned char code;
    uint8_t size;
    bool is_signed;
    nn_type type; /* as a column */
} idx_types[] = {{0x08, 1, false, NN_TYPE_U8}, {0x09, 1, true, NN_TYPE_I32}, {0x0b, 2, true, NN_TYPE_I32},
                 {0x0c, 4, true, NN_TYPE_I32}, {0x0d, 4, true, NN_TYPE_F32}, {0x0e, 8, true, NN_TYPE_F64}};

enum { IDX_TYPES = sizeof idx_types / sizeof *idx_types };

typedef struct {
    int which; /* of idx_types */
    int rank;
    int64_t dims[NN_MAX_RANK];
    int64_t elements;
    const unsigned char *data;
} Header;

static uint64_t big_endian(const unsigned char *at, int size)
{
    uint64_t value = 0;
    for (int i = 0; i < size; i++) value = value << 8 | at[i];
    return value;
}

static int read_header(const char *path, const nn_bytes *bytes, Header *header)
{
    const unsigned char *at = bytes->at;
    if (bytes->size < 4 || at[0] || at[1]) return nn_fail(NN_ERROR_FORMAT, "%s is not an idx file", path);
    header->which = 0;
    while (header->which < IDX_TYPES && idx_types[header->which].code != at[2]) header->which++;
    if (header->which == IDX_TYPES)
        return nn_fail(NN_ERROR_FORMAT, "%s: 0x%02x is no element type of idx files", path, at[2]);
    header->rank = at[3];
    if (header->rank < 1 || header->rank > NN_MAX_RANK)
        return nn_fail(NN_ERROR_FORMAT, "%s has %d axes, 1 to %d are possible", path, header->rank, NN_MAX_RANK);
    size_t start = 4 + 4 * (size_t)header->rank;
    if (bytes->size < start) return nn_fail(NN_ERROR_FORMAT, "%s is cut off in its header", path);
    header->elements = 1;
    for (int i = 0; i < header->rank; i++) {
        header->dims[i] = (int64_t)big_endian(at + 4 + 4 * i, 4);
        if (!nn_multiply(header->elements, header->dims[i], &header->elements))
            return nn_fail(NN_ERROR_FORMAT, "%s: its sizes are too large", path);
    }
    int64_t size;
    if (!nn_multiply(header->elements, idx_types[header->which].size, &size) || (uint64_t)size != bytes->size - start)
        return nn_fail(NN_ERROR_FORMAT, "%s has %zu bytes of data, its header says %lld elements of %d", path,
                       bytes->size - start, (long long)header->elements, idx_types[header->which].size);
    header->data = at + start;
    return NN_OK;
}

/* Elements of more than one byte in this machine's order. */
static void *reorder(const Header *header)
{
    int size = idx_types[header->which].size;
    nn_type type = idx_types[header->which].type;
    char *out = malloc((size_t)header->elements * nn_type_size(type) + 1);
    for (int64_t i = 0; out && i < header->elements; i++) {
        uint64_t bits = big_endian(header->data + i * size, size);
        if (type == NN_TYPE_F64) {
            memcpy(out + 8 * i, &bits, 8);
        } else {
            /* Shift the sign up and back down; a float's four bytes stay as they are. */
            int unused = 32 - 8 * size;
            int32_t word = (int32_t)((uint32_t)bits << unused) >> unused;
            memcpy(out + 4 * i, &word, 4);
        }
    }
    return out;
}

int nn_idx_open(const nn_source_request *request, nn_source **out)
{
    static const char *const names[] = {NULL};
    Header header;
    int status = nn_request_check(request, names);
    if (status) return status;
    nn_source *source = nn_source_new(1);
    if (!source) return NN_ERROR_MEMORY;
    status = nn_bytes_open(request->path, &source->bytes);
    if (!status) status = read_header(request->path, &source->bytes, &header);
    if (!status) {
        nn_type type = idx_types[header.which].type;
        void *owned = type == NN_TYPE_U8 ? NULL : reorder(&header);
        source->rows = header.dims[0];
        if (type != NN_TYPE_U8 && !owned)
            status = nn_fail(NN_ERROR_MEMORY, "no memory for %s", request->path);
        else if (!nn_source_set_column(source, 0, "value", type, header.rank - 1, header.dims + 1,
                                       "the file's elements", owned ? owned : (const void *)header.data, owned))
            status = NN_ERROR_MEMORY;
    }
    if (status) {
        nn_source_free(source);
        return status;
    }
    *out = source;
    return NN_OK;
}
