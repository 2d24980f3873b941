/* .npz: a zip file whose members are NAME.npy (PKWARE's APPNOTE, with the 64-bit sizes of its section 4.5.3). Written
 * stored, read stored or deflated. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/safetensors.h"
#include "data/npy_internal.h"

enum {
    LOCAL = 0x04034b50,
    CENTRAL = 0x02014b50,
    END = 0x06054b50,
    END_64 = 0x06064b50,
    LOCATOR_64 = 0x07064b50,
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END_64_SIZE = 56,
    LOCATOR_64_SIZE = 20,
    EXTRA_64 = 28, /* tag, length, three 64-bit numbers */
    STORED = 0,
    DEFLATED = 8
};

static uint64_t load(const unsigned char *at, int size)
{
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--) value = value << 8 | at[i];
    return value;
}

/* ---- Reading ---- */

typedef struct {
    const char *path;
    const nn_bytes *bytes;
    size_t size;
    unsigned char *entry; /* of the directory, with its name and its extra field */
} Zip;

/* No entry of a directory is longer. */
enum { LONGEST = 65535, ENTRY = CENTRAL_SIZE + 2 * LONGEST };

typedef struct {
    uint64_t members, directory;
} Directory;

static int refuse(const Zip *zip, const char *what)
{
    return nn_fail(NN_ERROR_FORMAT, "%s is not a whole .npz file: %s", zip->path, what);
}

/* The record that 64-bit sizes need, if the locator in front of the last record leads to one. */
static int read_directory_64(const Zip *zip, const unsigned char *locator, Directory *directory)
{
    unsigned char record[END_64_SIZE];
    if (load(locator, 4) != LOCATOR_64) return NN_OK;
    uint64_t wide = load(locator + 8, 8);
    if (zip->size < END_64_SIZE || wide > zip->size - END_64_SIZE) return refuse(zip, "its directory is damaged");
    int status = nn_bytes_get(zip->bytes, wide, record, END_64_SIZE);
    if (status) return status;
    if (load(record, 4) != END_64) return refuse(zip, "its directory is damaged");
    if (directory->members == 0xffff) directory->members = load(record + 32, 8);
    if (directory->directory == 0xffffffff) directory->directory = load(record + 48, 8);
    return NN_OK;
}

/* Where the central directory begins. */
static int find_directory(const Zip *zip, Directory *directory)
{
    const unsigned char *tail;
    void *owned;
    if (zip->size < END_SIZE) return refuse(zip, "it is too short");
    size_t most = LOCATOR_64_SIZE + LONGEST + END_SIZE, length = zip->size < most ? zip->size : most;
    int status = nn_bytes_piece(zip->bytes, zip->size - length, length, &tail, &owned);
    if (status) return status;
    size_t end = length - END_SIZE, least = end > LONGEST ? end - LONGEST : 0;
    while (end > least && load(tail + end, 4) != END) end--;
    const unsigned char *record = tail + end;
    if (load(record, 4) != END) {
        status = refuse(zip, "it has no directory");
    } else {
        *directory = (Directory){load(record + 10, 2), load(record + 16, 4)};
        bool wide = directory->members == 0xffff || directory->directory == 0xffffffff;
        if (wide && end >= LOCATOR_64_SIZE) status = read_directory_64(zip, record - LOCATOR_64_SIZE, directory);
    }
    free(owned);
    return status;
}

typedef struct {
    const char *name; /* until the next member is read */
    size_t name_length;
    unsigned method;
    uint32_t check;
    uint64_t packed, size, local;
    size_t start; /* of its data */
} Member;

/* 64-bit numbers in place of those that are all ones, in this order. */
static bool read_wide(const unsigned char *extra, uint64_t length, Member *member)
{
    uint64_t *const fields[] = {&member->size, &member->packed, &member->local};
    while (length >= 4) {
        uint64_t tag = load(extra, 2), size = load(extra + 2, 2);
        if (size > length - 4) return false;
        const unsigned char *at = extra + 4;
        for (int i = 0; tag == 1 && i < 3; i++) {
            if (*fields[i] != 0xffffffff) continue;
            if (at + 8 > extra + 4 + size) return false;
            *fields[i] = load(at, 8);
            at += 8;
        }
        extra += 4 + size;
        length -= 4 + size;
    }
    return true;
}

/* Where a member's data begin: behind its own header. */
static int find_data(const Zip *zip, Member *member)
{
    unsigned char local[LOCAL_SIZE];
    if (zip->size < LOCAL_SIZE || member->local > zip->size - LOCAL_SIZE) return refuse(zip, "a member lies outside");
    int status = nn_bytes_get(zip->bytes, member->local, local, LOCAL_SIZE);
    if (status) return status;
    uint64_t skip = LOCAL_SIZE + load(local + 26, 2) + load(local + 28, 2), left = zip->size - member->local;
    if (load(local, 4) != LOCAL || skip > left || member->packed > left - skip)
        return refuse(zip, "a member lies outside");
    if (member->method == STORED && member->packed != member->size) return refuse(zip, "a member's sizes differ");
    if (member->method != STORED && member->method != DEFLATED)
        return refuse(zip, "a member is packed in an unknown way");
    /* Deflate gains 1032 times at most, so no lie costs much memory. */
    if (member->size / 1032 > member->packed) return refuse(zip, "a member's size cannot be true");
    member->start = member->local + skip;
    return NN_OK;
}

/* Reads the directory's entry at *at and moves past it. */
static int read_member(const Zip *zip, uint64_t *at, Member *member)
{
    if (*at > zip->size || zip->size - *at < CENTRAL_SIZE) return refuse(zip, "its directory is cut off");
    unsigned char *entry = zip->entry;
    int status = nn_bytes_get(zip->bytes, *at, entry, CENTRAL_SIZE);
    if (status) return status;
    if (load(entry, 4) != CENTRAL) return refuse(zip, "its directory is damaged");
    uint64_t name = load(entry + 28, 2), extra = load(entry + 30, 2), comment = load(entry + 32, 2);
    if (zip->size - *at - CENTRAL_SIZE < name + extra + comment) return refuse(zip, "its directory is cut off");
    status = nn_bytes_get(zip->bytes, *at + CENTRAL_SIZE, entry + CENTRAL_SIZE, name + extra);
    if (status) return status;
    *member = (Member){.name = (const char *)entry + CENTRAL_SIZE,
                       .name_length = name,
                       .method = (unsigned)load(entry + 10, 2),
                       .check = (uint32_t)load(entry + 16, 4),
                       .packed = load(entry + 20, 4),
                       .size = load(entry + 24, 4),
                       .local = load(entry + 42, 4)};
    if (load(entry + 8, 2) & 1) return refuse(zip, "a member is encrypted");
    if (!read_wide(entry + CENTRAL_SIZE + name, extra, member)) return refuse(zip, "its directory is damaged");
    *at += CENTRAL_SIZE + name + extra + comment;
    return find_data(zip, member);
}

static uint32_t checksum(const void *bytes, size_t size)
{
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), bytes, size);
}

static int unpack(const Zip *zip, const Member *member, nn_array *array)
{
    const unsigned char *packed;
    void *read, *unpacked = NULL;
    int status = nn_bytes_piece(zip->bytes, member->start, member->packed, &packed, &read);
    if (status) return status;
    const void *bytes = packed;
    if (member->method == DEFLATED) {
        bytes = unpacked = malloc(member->size + 1);
        status = unpacked ? nn_bytes_inflate(zip->path, packed, member->packed, unpacked, member->size)
                          : nn_fail(NN_ERROR_MEMORY, "no memory for %s", zip->path);
    }
    if (!status && checksum(bytes, member->size) != member->check) status = refuse(zip, "a member's checksum differs");
    if (!status) status = nn_npy_parse(zip->path, bytes, member->size, array);
    free(read);
    free(unpacked);
    if (status) return status;
    size_t length = member->name_length;
    if (length > 4 && !memcmp(member->name + length - 4, ".npy", 4)) length -= 4;
    array->name = strndup(member->name, length);
    if (array->name) return NN_OK;
    nn_array_free(array);
    return nn_fail(NN_ERROR_MEMORY, "no memory for %s", zip->path);
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(nn_array *const *)a)->name, (*(nn_array *const *)b)->name);
}

/* `x.npy` and `x` are one name. */
static int check_names(const Zip *zip, nn_array *arrays, size_t count)
{
    int status = NN_OK;
    nn_array **sorted = malloc((count + 1) * sizeof *sorted);
    if (!sorted) return nn_fail(NN_ERROR_MEMORY, "no memory for %s", zip->path);
    for (size_t i = 0; i < count; i++) sorted[i] = &arrays[i];
    if (count) qsort(sorted, count, sizeof *sorted, by_name);
    for (size_t i = 1; i < count && !status; i++)
        if (!by_name(&sorted[i - 1], &sorted[i]))
            status = nn_fail(NN_ERROR_FORMAT, "%s: two arrays are called `%.200s`", zip->path, sorted[i]->name);
    free(sorted);
    return status;
}

static int read_members(const Zip *zip, nn_array **arrays, size_t *count)
{
    Directory directory = {0};
    int status = find_directory(zip, &directory);
    if (status) return status;
    if (directory.members > zip->size / CENTRAL_SIZE) return refuse(zip, "its directory is damaged");
    *arrays = calloc(directory.members + 1, sizeof **arrays);
    if (!*arrays) return nn_fail(NN_ERROR_MEMORY, "no memory for %s", zip->path);
    uint64_t at = directory.directory;
    for (uint64_t i = 0; i < directory.members && !status; i++) {
        Member member;
        status = read_member(zip, &at, &member);
        if (!status) status = unpack(zip, &member, &(*arrays)[i]);
        if (!status) ++*count;
    }
    return status ? status : check_names(zip, *arrays, *count);
}

int nn_npz_read(const char *path, nn_array **arrays, size_t *count)
{
    nn_bytes bytes;
    *arrays = NULL;
    *count = 0;
    int status = nn_bytes_open(path, &bytes);
    if (status) return status;
    Zip zip = {path, &bytes, bytes.size, malloc(ENTRY)};
    status = zip.entry ? read_members(&zip, arrays, count) : nn_fail(NN_ERROR_MEMORY, "no memory for %s", path);
    free(zip.entry);
    nn_bytes_close(&bytes);
    if (status) {
        nn_arrays_free(*arrays, *count);
        *arrays = NULL;
        *count = 0;
    }
    return status;
}

void nn_arrays_free(nn_array *arrays, size_t count)
{
    for (size_t i = 0; i < count; i++) nn_array_free(&arrays[i]);
    free(arrays);
}

/* ---- Writing ---- */

typedef struct {
    char *name; /* with .npy */
    uint64_t size, local;
    uint32_t check;
} Written;

struct nn_npz {
    nn_new_file file;
    uint64_t at;
    Written *written;
    size_t count;
};

int nn_npz_new(const char *path, nn_npz **out)
{
    *out = NULL;
    nn_npz *npz = calloc(1, sizeof *npz);
    if (!npz) return nn_fail(NN_ERROR_MEMORY, "no memory to write %s", path);
    int status = nn_new_file_open(path, &npz->file);
    if (status) {
        free(npz);
        return status;
    }
    *out = npz;
    return NN_OK;
}

static void put(nn_npz *npz, const void *bytes, size_t size)
{
    nn_new_file_write(&npz->file, bytes, size);
    npz->at += size;
}

/* Pairs of value and bytes, ended by a size of 0, as little-endian numbers. */
typedef struct {
    uint64_t value;
    int size;
} Field;

static void put_fields(nn_npz *npz, const Field *fields)
{
    unsigned char bytes[64];
    size_t at = 0;
    for (; fields->size; fields++)
        for (int i = 0; i < fields->size; i++) bytes[at++] = (unsigned char)(fields->value >> (8 * i));
    put(npz, bytes, at);
}

/* All sizes go into the extra field, so that none is too large. */
static void put_local(nn_npz *npz, const Written *entry)
{
    size_t length = strlen(entry->name);
    put_fields(npz, (Field[]){{LOCAL, 4},
                              {45, 2},
                              {0, 2},
                              {STORED, 2},
                              {0, 2},
                              {33, 2},
                              {entry->check, 4},
                              {0xffffffff, 4},
                              {0xffffffff, 4},
                              {length, 2},
                              {20, 2},
                              {0, 0}});
    put(npz, entry->name, length);
    put_fields(npz, (Field[]){{1, 2}, {16, 2}, {entry->size, 8}, {entry->size, 8}, {0, 0}});
}

static void put_central(nn_npz *npz, const Written *entry)
{
    size_t length = strlen(entry->name);
    put_fields(npz, (Field[]){{CENTRAL, 4},
                              {45, 2},
                              {45, 2},
                              {0, 2},
                              {STORED, 2},
                              {0, 2},
                              {33, 2},
                              {entry->check, 4},
                              {0xffffffff, 4},
                              {0xffffffff, 4},
                              {length, 2},
                              {EXTRA_64, 2},
                              {0, 2},
                              {0, 2},
                              {0, 2},
                              {0, 4},
                              {0xffffffff, 4},
                              {0, 0}});
    put(npz, entry->name, length);
    put_fields(npz, (Field[]){{1, 2}, {24, 2}, {entry->size, 8}, {entry->size, 8}, {entry->local, 8}, {0, 0}});
}

int nn_npz_add(nn_npz *npz, const nn_array *array)
{
    char header[NPY_HEADER];
    size_t header_size = nn_npy_write_header(array, header), size;
    void *widened;
    int status = nn_npy_values(array, &widened, &size);
    if (status) return status;
    const void *values = widened ? widened : array->values;
    Written *written = realloc(npz->written, (npz->count + 1) * sizeof *written);
    if (written) npz->written = written;
    size_t length = strlen(array->name);
    char *name = written && length < 65000 ? malloc(length + 5) : NULL;
    if (!name) {
        free(widened);
        return nn_fail(NN_ERROR_MEMORY, "no memory to write %s", array->name);
    }
    memcpy(name, array->name, length);
    memcpy(name + length, ".npy", 5);
    Written *entry = &npz->written[npz->count++];
    uint32_t check = checksum(header, header_size);
    check = (uint32_t)crc32_z(check, values, size);
    *entry = (Written){name, header_size + size, npz->at, check};
    put_local(npz, entry);
    put(npz, header, header_size);
    put(npz, values, size);
    free(widened);
    return npz->file.status;
}

static void put_directory(nn_npz *npz)
{
    uint64_t start = npz->at;
    for (size_t i = 0; i < npz->count; i++) put_central(npz, &npz->written[i]);
    uint64_t end = npz->at, size = end - start;
    put_fields(npz, (Field[]){{END_64, 4},
                              {END_64_SIZE - 12, 8},
                              {45, 2},
                              {45, 2},
                              {0, 4},
                              {0, 4},
                              {npz->count, 8},
                              {npz->count, 8},
                              {size, 8},
                              {start, 8},
                              {0, 0}});
    put_fields(npz, (Field[]){{LOCATOR_64, 4}, {0, 4}, {end, 8}, {1, 4}, {0, 0}});
    put_fields(
        npz, (Field[]){
                 {END, 4}, {0, 2}, {0, 2}, {0xffff, 2}, {0xffff, 2}, {0xffffffff, 4}, {0xffffffff, 4}, {0, 2}, {0, 0}});
}

int nn_npz_close(nn_npz *npz, int keep)
{
    if (!npz) return NN_OK;
    if (keep) put_directory(npz);
    int status = nn_new_file_close(&npz->file, keep);
    for (size_t i = 0; i < npz->count; i++) free(npz->written[i].name);
    free(npz->written);
    free(npz);
    return status;
}
