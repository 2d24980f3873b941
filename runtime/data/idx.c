/* MNIST's format: two zero bytes, the element type, the rank, each size as a big-endian 32-bit number, then the
 * elements, big-endian, row-major (Y. LeCun, "The MNIST database of handwritten digits"). */
#include <stdlib.h>
#include <string.h>

#include "data/source.h"

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
    size_t start; /* of the elements in the file */
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
    header->start = start;
    return NN_OK;
}

/* Elements of more than one byte in this machine's order. */
static void reorder(const Header *header, const unsigned char *from, int64_t count, char *to)
{
    int size = idx_types[header->which].size;
    nn_type type = idx_types[header->which].type;
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = big_endian(from + i * size, size);
        if (type == NN_TYPE_F64) {
            memcpy(to + 8 * i, &bits, 8);
        } else {
            /* Shift the sign up and back down; a float's four bytes stay as they are. */
            int unused = 32 - 8 * size;
            int32_t word = (int32_t)((uint32_t)bits << unused) >> unused;
            memcpy(to + 4 * i, &word, 4);
        }
    }
}

static int load_reordered(const nn_bytes *bytes, const char *path, const Header *header, void **values)
{
    enum { AT_ONCE = 1 << 14 };
    size_t size = idx_types[header->which].size, width = nn_type_size(idx_types[header->which].type);
    char *out = *values = malloc((size_t)header->elements * width + 1);
    int status = out ? NN_OK : nn_fail(NN_ERROR_MEMORY, "no memory for %s", path);
    for (int64_t i = 0; i < header->elements && !status; i += AT_ONCE) {
        unsigned char buffer[AT_ONCE * 8];
        int64_t now = header->elements - i < AT_ONCE ? header->elements - i : AT_ONCE;
        status = nn_bytes_get(bytes, header->start + (size_t)i * size, buffer, (size_t)now * size);
        if (!status) reorder(header, buffer, now, out + (size_t)i * width);
    }
    if (!status) return NN_OK;
    free(out);
    *values = NULL;
    return status;
}

int nn_idx_open(const nn_source_request *request, nn_source **out)
{
    Header header;
    nn_source *source = nn_source_new(1);
    if (!source) return NN_ERROR_MEMORY;
    int status = nn_bytes_open(request->path, &source->bytes);
    if (!status) status = read_header(request->path, &source->bytes, &header);
    void *owned = NULL;
    bool direct = !status && idx_types[header.which].type == NN_TYPE_U8;
    if (!status && !direct) status = load_reordered(&source->bytes, request->path, &header, &owned);
    if (!status) {
        source->rows = header.dims[0];
        if (!nn_source_set_column(source, 0, "value", idx_types[header.which].type, header.rank - 1, header.dims + 1,
                                  "the file's elements", owned, owned))
            status = NN_ERROR_MEMORY;
        source->columns[0].start = header.start;
    }
    if (status) {
        nn_source_free(source);
        return status;
    }
    *out = source;
    return NN_OK;
}
