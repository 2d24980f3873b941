/* Files whose headers lie: sizes, offsets and counts that their bytes do not hold up, streams that end early, expand
 * beyond what was said, or are not what they say. All are refused, with the file named. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "data/data.h"
#include "data/npy.h"

static char path[] = "/tmp/nn_lies_XXXXXX";

static void make_file(void)
{
    close(mkstemp(path));
}

static void remove_file(void)
{
    unlink(path);
}

TestSuite(lies, .init = make_file, .fini = remove_file, .timeout = 60);

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static size_t read_back(unsigned char *bytes, size_t most)
{
    FILE *file = fopen(path, "rb");
    size_t size = fread(bytes, 1, most, file);
    fclose(file);
    return size;
}

static void refuses(const char *kind, const char *what)
{
    nn_source *source = NULL;
    cr_assert_neq(nn_source_open(kind, path, NULL, 0, NULL, NULL, &source), 0, "%s: %s is accepted", kind, what);
    cr_assert(strstr(nn_message(), path), "%s: `%s` names no file", what, nn_message());
    cr_assert_null(source);
}

static void put(unsigned char *at, size_t bytes, uint64_t value)
{
    for (size_t i = 0; i < bytes; i++) at[i] = (unsigned char)(value >> (8 * i));
}

/* ---- npz: a zip's directory, and the header before each member */

enum { MEMBER = 0x04034b50, ENTRY = 0x02014b50, END = 0x06054b50 };

static size_t find(const unsigned char *bytes, size_t size, uint32_t signature)
{
    unsigned char wanted[4];
    put(wanted, 4, signature);
    for (size_t i = 0; i + 4 <= size; i++)
        if (!memcmp(bytes + i, wanted, 4)) return i;
    cr_assert_fail("no %08x", signature);
    return 0;
}

static size_t make_npz(unsigned char *bytes, size_t most)
{
    float values[6] = {1, 2, 3, 4, 5, 6};
    nn_array array = {.name = "x", .type = NN_TYPE_F32, .rank = 2, .dims = {3, 2}, .elements = 6, .values = values};
    nn_npz *npz;
    cr_assert_eq(nn_npz_new(path, &npz), 0, "%s", nn_message());
    cr_assert_eq(nn_npz_add(npz, &array), 0);
    cr_assert_eq(nn_npz_close(npz, 1), 0, "%s", nn_message());
    return read_back(bytes, most);
}

/* APPNOTE.TXT of PKWARE, 4.3.7, 4.3.12 and 4.3.16. */
static const struct {
    uint32_t record;
    size_t at, bytes;
    uint64_t value;
    const char *what;
} npz_lies[] = {
    {ENTRY, 10, 2, 12, "a method that is none of ours"},
    {ENTRY, 10, 2, 8, "stored bytes called deflated"},
    {ENTRY, 16, 4, 0x12345678, "another checksum"},
    {ENTRY, 20, 4, 0, "a packed size of nothing"},
    {ENTRY, 20, 4, 0x7fffffff, "a packed size beyond the file"},
    {ENTRY, 24, 4, 0, "a size of nothing"},
    {ENTRY, 24, 4, 0x7fffffff, "a size of 2 GiB"},
    {ENTRY, 24, 4, 0xfffffffe, "a size of 4 GiB"},
    {ENTRY, 28, 2, 0xffff, "a name beyond the file"},
    {ENTRY, 30, 2, 0xffff, "more fields than the file has bytes"},
    {ENTRY, 42, 4, 7, "a member that begins elsewhere"},
    {ENTRY, 42, 4, 0x7fffffff, "a member beyond the file"},
    {ENTRY, 42, 4, 0xfffffffe, "a member far beyond the file"},
    {MEMBER, 26, 2, 0xffff, "a member's name beyond the file"},
    {MEMBER, 28, 2, 0xffff, "a member's fields beyond the file"},
    {END, 10, 2, 2, "two members where there is one"},
    {END, 10, 2, 0xfffe, "very many members"},
    {END, 16, 4, 1, "a directory that begins elsewhere"},
    {END, 16, 4, 0x7fffffff, "a directory beyond the file"},
};

Test(lies, npz)
{
    static unsigned char bytes[4096], changed[4096];
    size_t size = make_npz(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof npz_lies / sizeof *npz_lies; i++) {
        memcpy(changed, bytes, size);
        put(changed + find(bytes, size, npz_lies[i].record) + npz_lies[i].at, npz_lies[i].bytes, npz_lies[i].value);
        write_file(changed, size);
        refuses("npz", npz_lies[i].what);
    }
}

Test(lies, npz_every_truncation)
{
    static unsigned char bytes[4096];
    size_t size = make_npz(bytes, sizeof bytes);
    for (size_t length = 0; length < size; length++) {
        write_file(bytes, length);
        refuses("npz", "a part of a file");
    }
}

/* ---- gzip */

static size_t make_gzip(const void *plain, size_t size, unsigned char *bytes, size_t most)
{
    gzFile file = gzopen(path, "wb");
    cr_assert_eq(gzwrite(file, plain, (unsigned)size), (int)size);
    gzclose(file);
    return read_back(bytes, most);
}

static void refuses_parts(const char *kind, const void *plain, size_t plain_size)
{
    static unsigned char bytes[4096];
    size_t size = make_gzip(plain, plain_size, bytes, sizeof bytes);
    for (size_t length = 3; length < size; length++) {
        write_file(bytes, length);
        refuses(kind, "a part of a gzip file");
    }
    bytes[size - 1] ^= 1; /* the length modulo 2^32 */
    write_file(bytes, size);
    refuses(kind, "another length");
    bytes[size - 1] ^= 1;
    bytes[size - 5] ^= 1;
    write_file(bytes, size);
    refuses(kind, "another checksum");
}

static const unsigned char images[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};

Test(lies, gzip)
{
    static const char table[] = "a,b\n1,2\n3,4\n";
    refuses_parts("idx", images, sizeof images);
    refuses_parts("csv", table, strlen(table));
}

/* A small file that unpacks to very much: what the header says is what counts. */
Test(lies, gzip_of_more_than_was_said)
{
    enum { MUCH = 1 << 24 };
    static unsigned char bytes[1 << 16];
    unsigned char *plain = calloc(1, MUCH);
    memcpy(plain, images, sizeof images);
    size_t size = make_gzip(plain, MUCH, bytes, sizeof bytes);
    write_file(bytes, size);
    refuses("idx", "16 MiB where 6 bytes are said");
    free(plain);
}

/* ---- idx */

Test(lies, idx)
{
    static const struct {
        size_t at;
        unsigned char value;
        const char *what;
    } changes[] = {{0, 1, "a first byte that is not 0"},
                   {1, 1, "a second byte that is not 0"},
                   {2, 0x0a, "an unknown type"},
                   {2, 0x0e, "f64 where bytes are"},
                   {3, 0, "no axes"},
                   {3, 1, "an axis less"},
                   {3, 3, "an axis more"},
                   {4, 0x80, "very many rows"},
                   {7, 3, "a row more"},
                   {7, 1, "a row less"},
                   {8, 0xff, "very wide rows"},
                   {11, 4, "a column more"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        unsigned char bytes[sizeof images];
        memcpy(bytes, images, sizeof bytes);
        bytes[changes[i].at] = changes[i].value;
        write_file(bytes, sizeof bytes);
        refuses("idx", changes[i].what);
    }
}

/* ---- csv */

/* A text of bytes that may be 0. */
Test(lies, csv)
{
    static const struct {
        const char *text;
        size_t size;
        const char *what;
    } texts[] = {{"a,b\n1,\"2", 8, "a quote without its end"},
                 {"a,b\n\"1\n2\n3", 10, "a quote that swallows the rest"},
                 {"\n\n\n", 3, "empty lines alone"},
                 {"a,b\n1,2\0,3\n", 11, "a byte that is 0"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_file(texts[i].text, texts[i].size);
        refuses("csv", texts[i].what);
    }
}
