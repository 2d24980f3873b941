/* Data sources: what good files give, and that damaged ones are refused with the place. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/internal.h"
#include "data/data.h"
#include "data/npy.h"

static char path[] = "/tmp/nn_data_XXXXXX";
static nn_source *source;

static void make_file(void)
{
    close(mkstemp(path));
}

static void remove_file(void)
{
    nn_source_free(source);
    unlink(path);
}

TestSuite(data, .init = make_file, .fini = remove_file);

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void open_kind(const char *kind)
{
    cr_assert_eq(nn_source_open(kind, path, NULL, 0, NULL, NULL, &source), 0, "%s", nn_message());
}

static void refuses(const char *kind, const char *part)
{
    cr_assert_neq(nn_source_open(kind, path, NULL, 0, NULL, NULL, &source), 0, "`%s` should be refused", part);
    cr_assert(strstr(nn_message(), part), "`%s` lacks `%s`", nn_message(), part);
    cr_assert_null(source);
}

/* ---- idx ---- */

static const unsigned char idx_images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2,  0,  0,
                                           0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static void check_images(void)
{
    uint8_t rows[12];
    const int64_t order[] = {1, 0};
    const nn_column *column = nn_source_column(source, 0);
    cr_assert(nn_source_rows(source) == 2 && nn_source_columns(source) == 1);
    cr_assert(column->type == NN_TYPE_U8 && column->rank == 2 && column->dims[0] == 2 && column->dims[1] == 3);
    cr_assert_eq(nn_source_read(source, 0, order, 2, rows), 0);
    cr_assert(rows[0] == 7 && rows[5] == 12 && rows[6] == 1 && rows[11] == 6);
    cr_assert_eq(nn_source_read_range(source, 0, 1, 1, rows), 0);
    cr_assert_eq(rows[0], 7);
    const int64_t outside[] = {2};
    cr_assert_eq(nn_source_read(source, 0, outside, 1, rows), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_source_read_range(source, 0, 1, 2, rows), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_source_read_range(source, 0, -1, 1, rows), NN_ERROR_ARGUMENT);
}

Test(data, idx_plain)
{
    write_file(idx_images, sizeof idx_images);
    open_kind("idx");
    check_images();
}

Test(data, idx_gzip)
{
    gzFile file = gzopen(path, "wb");
    gzwrite(file, idx_images, sizeof idx_images);
    gzclose(file);
    open_kind("idx");
    check_images();
}

Test(data, idx_of_wide_elements_is_turned_round)
{
    static const struct {
        unsigned char bytes[16];
        size_t size;
        double value;
    } files[] = {{{0, 0, 9, 1, 0, 0, 0, 1, 0xfe}, 9, -2},
                 {{0, 0, 11, 1, 0, 0, 0, 1, 0xff, 0xfe}, 10, -2},
                 {{0, 0, 12, 1, 0, 0, 0, 1, 0, 0, 1, 2}, 12, 258},
                 {{0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0}, 12, 1},
                 {{0, 0, 14, 1, 0, 0, 0, 1, 0xbf, 0xf8, 0, 0, 0, 0, 0, 0}, 16, -1.5}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char raw[8];
        double value;
        write_file(files[i].bytes, files[i].size);
        open_kind("idx");
        cr_assert_eq(nn_source_read_range(source, 0, 0, 1, raw), 0);
        nn_convert(NN_F64, &value, (uint8_t)nn_source_column(source, 0)->type, raw, 1);
        cr_assert_eq(value, files[i].value, "%zu: %g", i, value);
        nn_source_free(source);
        source = NULL;
    }
}

Test(data, idx_damaged)
{
    unsigned char bytes[sizeof idx_images + 1] = {0};
    memcpy(bytes, idx_images, sizeof idx_images);
    for (size_t length = 0; length < sizeof idx_images; length++) {
        write_file(bytes, length);
        refuses("idx", path);
    }
    write_file(bytes, sizeof bytes);
    refuses("idx", "13 bytes of data");
    bytes[2] = 7;
    write_file(bytes, sizeof idx_images);
    refuses("idx", "0x07");
    bytes[2] = 8;
    memset(bytes + 4, 0xff, 12);
    write_file(bytes, sizeof idx_images);
    refuses("idx", "too large");
    bytes[3] = 200;
    write_file(bytes, sizeof idx_images);
    refuses("idx", "200 axes");
    const unsigned char broken[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x63, 0x60, 0xff};
    write_file(broken, sizeof broken);
    refuses("idx", "damaged gzip");
    unlink(path);
    refuses("idx", "No such file");
}

/* ---- csv ---- */

static void write_text(const char *text)
{
    write_file(text, strlen(text));
}

static double number(size_t column, int64_t row)
{
    char raw[8];
    double value = NAN;
    cr_assert_eq(nn_source_read_range(source, column, row, 1, raw), 0, "%s", nn_message());
    nn_convert(NN_F64, &value, (uint8_t)nn_source_column(source, column)->type, raw, 1);
    return value;
}

Test(data, csv_types_and_categories)
{
    write_text("\xef\xbb\xbfname,count,size,big,\"odd \"\"name\"\"\"\r\n"
               "pear,1,1.5,3000000000,\"a, b\"\r\n\r\n"
               "apple, 2 ,-2e1,1,\"two\nlines\"\r\n"
               "pear,-3,3,2,x");
    open_kind("csv");
    cr_assert_eq(nn_source_rows(source), 3);
    cr_assert_eq(nn_source_columns(source), 5);
    const nn_column *name = nn_source_column(source, 0);
    cr_assert(name->type == NN_TYPE_I32 && name->range == 2);
    cr_assert_str_eq(nn_source_category(source, 0, 0), "apple");
    cr_assert_str_eq(nn_source_category(source, 0, 1), "pear");
    cr_assert_null(nn_source_category(source, 0, 2));
    cr_assert(number(0, 0) == 1 && number(0, 1) == 0 && number(0, 2) == 1);
    cr_assert(nn_source_column(source, 1)->type == NN_TYPE_I64 && number(1, 1) == 2 && number(1, 2) == -3);
    cr_assert(nn_source_column(source, 2)->type == NN_TYPE_F64 && number(2, 1) == -20);
    cr_assert(nn_source_column(source, 3)->type == NN_TYPE_I64 && number(3, 0) == 3e9);
    cr_assert_str_eq(nn_source_column(source, 4)->name, "odd \"name\"");
    cr_assert_str_eq(nn_source_category(source, 4, 0), "a, b");
    cr_assert_str_eq(nn_source_category(source, 4, 1), "two\nlines");
}

Test(data, csv_arguments)
{
    const nn_argument args[] = {{"header", NULL, 0, false}, {"delimiter", ";", 0, false}, {"text", "c1", 0, false}};
    write_text("1;10\n2;9\n");
    cr_assert_eq(nn_source_open("csv", path, args, 3, NULL, NULL, &source), 0, "%s", nn_message());
    cr_assert_eq(nn_source_rows(source), 2);
    cr_assert_str_eq(nn_source_column(source, 1)->name, "c1");
    cr_assert_eq(nn_source_column(source, 1)->range, 2);
    cr_assert_str_eq(nn_source_category(source, 1, 0), "10");
    const nn_argument wrong[] = {{"separator", ";", 0, false}}, longer[] = {{"delimiter", "::", 0, false}};
    nn_source *none;
    cr_assert_neq(nn_source_open("csv", path, wrong, 1, NULL, NULL, &none), 0);
    cr_assert(strstr(nn_message(), "no argument separator"));
    cr_assert_neq(nn_source_open("csv", path, longer, 1, NULL, NULL, &none), 0);
    cr_assert(strstr(nn_message(), "one character"));
}

/* An argument of another kind than the table of sources says is refused, and not passed over. */
Test(data, arguments_of_the_wrong_kind)
{
    static const struct {
        const char *kind;
        nn_argument argument;
        const char *says; /* NULL: it is right */
    } rows[] = {
        {"csv", {.name = "header", .text = "no"}, "header of csv is true or false, not the text \"no\""},
        {"csv", {.name = "header", .number = 2}, "header of csv is true or false, not a number"},
        {"csv", {.name = "header", .number = 1}, NULL},
        {"csv", {.name = "header", .number = 1, .flag = true}, NULL},
        {"csv", {.name = "delimiter", .number = 3}, "delimiter of csv is a text, not a number"},
        {"csv", {.name = "text", .flag = true}, "text of csv is a text, not true or false"},
        {"csv", {.name = "text", .text = ""}, NULL},
        {"moons", {.name = "noise", .text = "much"}, "noise of moons is a number, not the text \"much\""},
        {"moons", {.name = "seed", .number = 1, .flag = true}, "seed of moons is a number, not true or false"},
        {"moons", {.name = "classes", .number = 2}, "moons has no argument classes"},
        {"npz", {.name = "header", .number = 1}, "npz has no argument header"},
    };
    write_text("a,b\n1,2\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        nn_source *found;
        int status = nn_source_open(rows[i].kind, path, &rows[i].argument, 1, NULL, NULL, &found);
        cr_expect_eq(!status, !rows[i].says, "%s of %s: %s", rows[i].argument.name, rows[i].kind, nn_message());
        if (rows[i].says) cr_expect(strstr(nn_message(), rows[i].says), "%s", nn_message());
        if (!status) nn_source_free(found);
    }
}

/* The table of sources in docs/language.md is that of sources.def: every source, its arguments and their defaults. */
Test(data, every_source_is_documented)
{
    static const char *const usages[] = {
#define FLAG(name, value) ", " #name " = " #value
#define NUMBER(name, value) ", " #name " = " #value
#define TEXT(name, value) ", " #name " = " #value
#define NONE
#define PATH_FILE "\"file\""
#define PATH_MADE
#define SOURCE(kind, place, columns, arguments) #kind "(" PATH_##place arguments ")",
#include "data/sources.def"
    };
    enum { LONGEST = 1 << 20 };
    char *page = calloc(1, LONGEST);
    FILE *file = fopen(TESTS_FOLDER "/../docs/language.md", "r");
    cr_assert(page && file && fread(page, 1, LONGEST - 1, file) > 0 && feof(file) && !fclose(file));
    for (size_t i = 0; i < sizeof usages / sizeof *usages; i++) {
        char row[256];
        const char *open = strchr(usages[i], '('), *rest = open + 1 + 2 * !strncmp(open + 1, ", ", 2);
        snprintf(row, sizeof row, "\n| `%.*s(%s` |", (int)(open - usages[i]), usages[i], rest);
        cr_expect(strstr(page, row), "docs/language.md lacks the row%s", row);
    }
    free(page);
}

/* What is read of a table is what stands there. */
Test(data, csv_numbers_are_exact)
{
    int64_t whole;
    double real;
    write_text("id,wide,mixed,tenth\n9007199254740993,9223372036854775807,1,0.1\n"
               "-9223372036854775808,9223372036854775808,2.5,1e300\n16777217,1,-3,0\n");
    open_kind("csv");
    cr_assert_eq(nn_source_column(source, 0)->type, NN_TYPE_I64);
    cr_assert_eq(nn_source_read_range(source, 0, 0, 1, &whole), 0);
    cr_assert_eq(whole, 9007199254740993);
    cr_assert_eq(nn_source_read_range(source, 0, 1, 1, &whole), 0);
    cr_assert_eq(whole, INT64_MIN);
    cr_assert_eq(nn_source_column(source, 1)->type, NN_TYPE_F64); /* one of them has 64 bits and no sign */
    cr_assert(number(1, 0) == 0x1p63 && number(1, 1) == 0x1p63 && number(1, 2) == 1);
    cr_assert(number(2, 0) == 1 && number(2, 1) == 2.5 && number(2, 2) == -3);
    cr_assert_eq(nn_source_read_range(source, 3, 0, 1, &real), 0);
    cr_assert(real == 0.1 && number(3, 1) == 1e300);
}

Test(data, csv_keeps_the_first_text_of_categories)
{
    const nn_argument args[] = {{"text", "b, c", 0, false}}, unknown[] = {{"text", "b,d", 0, false}};
    write_text("a,b,c,n\n\"1,5\",7,1,1\n\n12%,x,2,2\n");
    cr_assert_eq(nn_source_open("csv", path, args, 1, NULL, NULL, &source), 0, "%s", nn_message());
    cr_assert_str_eq(nn_source_column(source, 0)->text, "1,5");
    cr_assert_eq(nn_source_column(source, 0)->text_line, 2);
    cr_assert_str_eq(nn_source_column(source, 1)->text, "x");
    cr_assert_eq(nn_source_column(source, 1)->text_line, 4);
    cr_assert(nn_source_column(source, 2)->range == 2 && !nn_source_column(source, 2)->text);
    cr_assert(!nn_source_column(source, 3)->range && !nn_source_column(source, 3)->text);
    nn_source *none;
    cr_assert_neq(nn_source_open("csv", path, unknown, 1, NULL, NULL, &none), 0);
    cr_assert(strstr(nn_message(), "`text` names the column `d`"), "%s", nn_message());
}

Test(data, csv_can_be_stopped)
{
    static const volatile sig_atomic_t stop = 1;
    write_text("a,b\n1,2\n");
    cr_assert_neq(nn_source_open("csv", path, NULL, 0, NULL, &stop, &source), 0);
    cr_assert_str_eq(nn_message(), "interrupted");
    cr_assert_null(source);
}

Test(data, csv_shares_categories)
{
    nn_source *test;
    int32_t code;
    write_text("kind\nb\na\nc\n");
    open_kind("csv");
    write_text("kind\nc\n");
    cr_assert_eq(nn_source_open("csv", path, NULL, 0, source, NULL, &test), 0, "%s", nn_message());
    cr_assert_eq(nn_source_column(test, 0)->range, 3);
    cr_assert_eq(nn_source_read_range(test, 0, 0, 1, &code), 0);
    cr_assert_eq(code, 2);
    nn_source_free(test);
    write_text("kind\na\nd\n");
    cr_assert_eq(nn_source_open("csv", path, NULL, 0, source, NULL, &test), 0);
    cr_assert_neq(nn_source_read_range(test, 0, 0, 1, &code), 0);
    cr_assert(strstr(nn_message(), ":3: column kind: `d` is none of the categories"), "%s", nn_message());
    nn_source_free(test);
}

Test(data, csv_problems_are_named_when_the_column_is_read)
{
    static const struct {
        const char *text, *says;
    } files[] = {{"a,b\n1,2\n?,3\n", ":3: column a: the value is missing (`?`)"},
                 {"a,b\n1,2\n,3\n", ":3: column a: the value is missing"},
                 {"a,b\n1,2\nx,3\n", ":3: column a: `x` is no number"},
                 {"a,b\nx,2\n1,3\n", ":3: column a: `1` is a number"},
                 {"a,b\n0x10,2\n1,3\n", ":3: column a: `1` is a number"},
                 {"a,b\n\"1\n\",2\n2,3\n", ":4: column a: `2` is a number"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char raw[8];
        write_text(files[i].text);
        open_kind("csv");
        cr_assert(number(1, 1) == 3);
        cr_assert_neq(nn_source_read_range(source, 0, 0, 1, raw), 0);
        cr_assert(strstr(nn_message(), files[i].says), "`%s` lacks `%s`", nn_message(), files[i].says);
        nn_source_free(source);
        source = NULL;
    }
}

Test(data, csv_damaged)
{
    static const struct {
        const char *text, *says;
    } files[] = {{"", "is empty"},
                 {"a,b\n1,2\n3\n", ":3: 1 fields, but there are 2"},
                 {"a,b\n1,2,3\n", ":2: 3 fields, but there are 2"},
                 {"a,a\n1,2\n", "two columns are called `a`"},
                 {"a,b\n1,\"2\n", ":2: a quoted field does not end"},
                 {"a,b\n\"1\"2,3\n", ":2: something follows"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_text(files[i].text);
        refuses("csv", files[i].says);
    }
}

Test(data, csv_with_many_categories)
{
    FILE *file = fopen(path, "w");
    fputs("word\n", file);
    for (int i = 0; i < 5000; i++) fprintf(file, "w%04d\n", i * 7 % 5000);
    fclose(file);
    open_kind("csv");
    cr_assert_eq(nn_source_column(source, 0)->range, 5000);
    for (int i = 0; i < 5000; i++) cr_assert_eq(number(0, i), i * 7 % 5000);
}

/* ---- npy, npz ---- */

Test(data, npy_goes_round)
{
    float values[6] = {1, 2, 3, 4, 5, 6};
    nn_array array = {.type = NN_TYPE_F32, .rank = 2, .dims = {2, 3}, .elements = 6, .values = values}, back;
    cr_assert_eq(nn_npy_write(path, &array), 0, "%s", nn_message());
    cr_assert_eq(nn_npy_read(path, &back), 0, "%s", nn_message());
    cr_assert(back.rank == 2 && back.dims[1] == 3 && !memcmp(back.values, values, sizeof values));
    nn_array_free(&back);
    open_kind("npy");
    cr_assert(nn_source_rows(source) == 2 && nn_source_column(source, 0)->dims[0] == 3);
    float row[3];
    cr_assert_eq(nn_source_read_range(source, 0, 1, 1, row), 0);
    cr_assert_eq(row[2], 6.0f);
}

/* An .npy with this dictionary and so many bytes of data: 0, 1, 2, … */
static size_t make_npy(const char *dictionary, size_t data, unsigned char *bytes)
{
    size_t length = strlen(dictionary);
    memcpy(bytes, "\x93NUMPY\x01", 8);
    bytes[8] = (unsigned char)length;
    bytes[9] = (unsigned char)(length >> 8);
    memcpy(bytes + 10, dictionary, length);
    for (size_t i = 0; i < data; i++) bytes[10 + length + i] = (unsigned char)i;
    return 10 + length + data;
}

Test(data, npy_fortran_order_and_odd_integers)
{
    unsigned char bytes[512];
    nn_array array;
    size_t size = make_npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", 6, bytes);
    cr_assert_eq(nn_npy_parse("test", bytes, size, &array), 0, "%s", nn_message());
    const uint8_t expected[] = {0, 2, 4, 1, 3, 5};
    cr_assert(!memcmp(array.values, expected, 6));
    nn_array_free(&array);
    size = make_npy("{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }", 4, bytes);
    cr_assert_eq(nn_npy_parse("test", bytes, size, &array), 0, "%s", nn_message());
    cr_assert(array.type == NN_TYPE_I64 && ((int64_t *)array.values)[1] == 0x0302);
    nn_array_free(&array);
    size = make_npy("{'descr': '|i1', 'fortran_order': False, 'shape': (), }", 1, bytes);
    bytes[size - 1] = 0xff;
    cr_assert_eq(nn_npy_parse("test", bytes, size, &array), 0, "%s", nn_message());
    cr_assert(array.rank == 0 && *(int64_t *)array.values == -1);
    nn_array_free(&array);
    size = make_npy("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", 8, bytes);
    bytes[size - 1] = 0xff;
    cr_assert_eq(nn_npy_parse("test", bytes, size, &array), NN_ERROR_RANGE);
}

Test(data, npy_big_endian)
{
    unsigned char bytes[512];
    nn_array array;
    size_t size = make_npy("{'descr': '>i4', 'fortran_order': True, 'shape': (1, 2), }", 8, bytes);
    cr_assert_eq(nn_npy_parse("test", bytes, size, &array), 0, "%s", nn_message());
    cr_assert_eq(array.type, NN_TYPE_I32);
    cr_assert(((int32_t *)array.values)[0] == 0x00010203 && ((int32_t *)array.values)[1] == 0x04050607);
    nn_array_free(&array);
    size = make_npy("{'descr': '>i2', 'fortran_order': False, 'shape': (1,), }", 2, bytes);
    bytes[size - 2] = 0xff;
    bytes[size - 1] = 0xfe;
    cr_assert_eq(nn_npy_parse("test", bytes, size, &array), 0, "%s", nn_message());
    cr_assert(array.type == NN_TYPE_I64 && *(int64_t *)array.values == -2);
    nn_array_free(&array);
    size = make_npy("{'descr': '>f8', 'fortran_order': False, 'shape': (), }", 8, bytes);
    static const unsigned char half[] = {0x3f, 0xe0, 0, 0, 0, 0, 0, 0};
    memcpy(bytes + size - 8, half, 8);
    cr_assert_eq(nn_npy_parse("test", bytes, size, &array), 0, "%s", nn_message());
    cr_assert_eq(*(double *)array.values, 0.5);
    nn_array_free(&array);
}

Test(data, npy_damaged)
{
    static const struct {
        const char *dictionary;
        size_t data;
        const char *says;
    } files[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 11, "11 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 13, "13 bytes"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", 24, "not supported"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", 24, "not supported"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), }", 0, "too large"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 0, "too large"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2305843009213693952,), }", 0, "too large"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1,1,1,3), }", 12, "too many axes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }", 12, "size is missing"},
        {"{'descr': '<f4', 'shape': (3,), }", 12, "lacks a key"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,", 12, "size is missing"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'descr': '<i4', }", 12, "stands there twice"},
        {"{'shape': (2,), 'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 12, "stands there twice"},
        {"{'descr': '<f4", 12, "element type"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,), }", 12, "element type"},
        {"", 0, "no header"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        unsigned char bytes[512];
        nn_array array;
        size_t size = make_npy(files[i].dictionary, files[i].data, bytes);
        cr_assert_neq(nn_npy_parse("test", bytes, size, &array), 0, "%s", files[i].dictionary);
        cr_assert(strstr(nn_message(), files[i].says), "%s: `%s` lacks `%s`", files[i].dictionary, nn_message(),
                  files[i].says);
    }
}

Test(data, npy_cut_off)
{
    unsigned char bytes[512];
    nn_array array;
    size_t size = make_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", 12, bytes);
    for (size_t length = 0; length < size; length++) {
        /* Memory of just this size, so that the sanitizer sees a read past it. */
        unsigned char *part = malloc(length + 1);
        memcpy(part, bytes, length);
        cr_assert_neq(nn_npy_parse("test", part, length, &array), 0);
        free(part);
    }
    cr_assert_eq(nn_npy_parse("test", bytes, size, &array), 0);
    nn_array_free(&array);
}

static void write_npz(void)
{
    float images[4] = {1, 2, 3, 4};
    int32_t labels[2] = {5, 6};
    uint16_t brain[2] = {0x3f80, 0x4000};
    nn_npz *npz;
    cr_assert_eq(nn_npz_new(path, &npz), 0, "%s", nn_message());
    nn_array a = {.name = "image", .type = NN_TYPE_F32, .rank = 2, .dims = {2, 2}, .elements = 4, .values = images};
    nn_array b = {.name = "label", .type = NN_TYPE_I32, .rank = 1, .dims = {2}, .elements = 2, .values = labels};
    nn_array c = {.name = "weight", .type = NN_TYPE_BF16, .rank = 1, .dims = {2}, .elements = 2, .values = brain};
    cr_assert_eq(nn_npz_add(npz, &a), 0);
    cr_assert_eq(nn_npz_add(npz, &b), 0);
    cr_assert_eq(nn_npz_add(npz, &c), 0);
    cr_assert_eq(nn_npz_close(npz, 1), 0, "%s", nn_message());
}

Test(data, npz_goes_round)
{
    write_npz();
    open_kind("npz");
    cr_assert(nn_source_rows(source) == 2 && nn_source_columns(source) == 3);
    cr_assert_str_eq(nn_source_column(source, 1)->name, "label");
    cr_assert_eq(number(1, 1), 6);
    cr_assert(nn_source_column(source, 2)->type == NN_TYPE_F32 && number(2, 1) == 2);
}

Test(data, npz_with_two_arrays_of_one_name)
{
    static char *const names[][3] = {{"x", "x", "y"}, {"x", "y", "x"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        nn_npz *npz;
        int64_t values[2] = {1, 2};
        cr_assert_eq(nn_npz_new(path, &npz), 0, "%s", nn_message());
        for (int k = 0; k < 3; k++) {
            nn_array array = {names[i][k], NN_TYPE_I64, 1, {2}, 2, values};
            cr_assert_eq(nn_npz_add(npz, &array), 0);
        }
        cr_assert_eq(nn_npz_close(npz, 1), 0, "%s", nn_message());
        refuses("npz", "two arrays are called `x`");
    }
}

Test(data, npz_damaged)
{
    static unsigned char bytes[4096];
    write_npz();
    FILE *file = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t length = 0; length < size; length += 7) {
        write_file(bytes, length);
        refuses("npz", path);
    }
    /* Whatever one changed byte does, it never crashes; in the data the checksum finds it. */
    for (size_t i = 0; i < size; i += 5) {
        nn_array *arrays;
        size_t count;
        bytes[i] ^= 0x41;
        write_file(bytes, size);
        if (!nn_npz_read(path, &arrays, &count)) nn_arrays_free(arrays, count);
        bytes[i] ^= 0x41;
    }
    bytes[30 + 9 + 20 + 128] ^= 1;
    write_file(bytes, size);
    refuses("npz", "checksum");
}

/* ---- What does not lie in memory ---- */

enum { LARGE = 70 << 20 }; /* bytes: more than is read at once */

Test(data, large_arrays_are_read_by_position)
{
    unsigned char header[512];
    size_t start = make_npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1048576, 17), }", 0, header);
    enum { ROWS = 1048576, WIDTH = 17 };
    write_file(header, start);
    cr_assert_eq(truncate(path, (off_t)(start + (size_t)ROWS * WIDTH * 4)), 0);
    FILE *file = fopen(path, "r+b");
    int32_t values[3 * WIDTH];
    for (int64_t row = ROWS - 3; row < ROWS; row++)
        for (int i = 0; i < WIDTH; i++) {
            int32_t value = (int32_t)(row * WIDTH + i);
            fseek(file, (long)(start + 4 * (size_t)value), SEEK_SET);
            fwrite(&value, sizeof value, 1, file);
        }
    fclose(file);
    open_kind("npy");
    cr_assert_eq(nn_source_read_range(source, 0, ROWS - 3, 3, values), 0, "%s", nn_message());
    for (int i = 0; i < 3 * WIDTH; i++) cr_assert_eq(values[i], (ROWS - 3) * WIDTH + i);
    const int64_t rows[] = {ROWS - 2, ROWS - 1, 0}, outside[] = {ROWS - 1, ROWS}, last[] = {INT64_MAX, INT64_MIN};
    cr_assert_eq(nn_source_read(source, 0, rows, 3, values), 0, "%s", nn_message());
    cr_assert(values[0] == (ROWS - 2) * WIDTH && values[WIDTH] == (ROWS - 1) * WIDTH && values[2 * WIDTH] == 0);
    cr_assert_eq(nn_source_read(source, 0, outside, 2, values), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_source_read(source, 0, last, 2, values), NN_ERROR_ARGUMENT);
    /* Somebody cuts it off: what is left can be read, the rest is an error and no fault of memory. */
    cr_assert_eq(truncate(path, 1 << 20), 0);
    cr_assert_eq(nn_source_read_range(source, 0, 0, 3, values), 0, "%s", nn_message());
    cr_assert_eq(nn_source_read_range(source, 0, ROWS - 3, 3, values), NN_ERROR_FILE);
    cr_assert(strstr(nn_message(), "became shorter while it was read"), "%s", nn_message());
    cr_assert_eq(nn_source_read(source, 0, rows, 3, values), NN_ERROR_FILE);
}

/* Elements that are converted, and those in Fortran order, come from the file piece by piece. */
Test(data, large_arrays_are_converted)
{
    static const struct {
        const char *dictionary;
        int64_t last; /* the row whose first element is the file's last word */
    } files[] = {{"{'descr': '>i2', 'fortran_order': False, 'shape': (18350080, 2), }", 18350079},
                 {"{'descr': '>i2', 'fortran_order': True, 'shape': (18350080, 2), }", 18350079}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        unsigned char header[512];
        int64_t row[2];
        size_t start = make_npy(files[i].dictionary, 0, header);
        write_file(header, start);
        cr_assert_eq(truncate(path, (off_t)(start + LARGE)), 0);
        FILE *file = fopen(path, "r+b");
        fseek(file, (long)(start + LARGE - 2), SEEK_SET);
        fwrite("\x01\x02", 1, 2, file);
        fclose(file);
        open_kind("npy");
        cr_assert_eq(nn_source_read_range(source, 0, files[i].last, 1, row), 0, "%s", nn_message());
        cr_assert(row[0] == 0 && row[1] == 0x0102, "%lld", (long long)row[1]);
        nn_source_free(source);
        source = NULL;
    }
}

Test(data, large_idx_and_npz)
{
    enum { ROWS = 1 << 20 };
    static const unsigned char header[] = {0, 0, 11, 2, 0, 16, 0, 0, 0, 0, 0, 35};
    int32_t words[35];
    write_file(header, sizeof header);
    cr_assert_eq(truncate(path, sizeof header + (off_t)ROWS * 70), 0);
    FILE *file = fopen(path, "r+b");
    fseek(file, -70, SEEK_END);
    fwrite("\xff\xfe", 1, 2, file);
    fclose(file);
    open_kind("idx");
    cr_assert_eq(nn_source_read_range(source, 0, ROWS - 1, 1, words), 0, "%s", nn_message());
    cr_assert(words[0] == -2 && words[1] == 0);
    nn_source_free(source);
    nn_npz *npz;
    uint8_t *bytes = calloc(1, LARGE);
    bytes[LARGE - 1] = 7;
    int64_t labels[2] = {3, 4};
    nn_array large = {
        .name = "x", .type = NN_TYPE_U8, .rank = 2, .dims = {2, LARGE / 2}, .elements = LARGE, .values = bytes};
    nn_array small = {.name = "y", .type = NN_TYPE_I64, .rank = 1, .dims = {2}, .elements = 2, .values = labels};
    cr_assert_eq(nn_npz_new(path, &npz), 0, "%s", nn_message());
    cr_assert_eq(nn_npz_add(npz, &large), 0);
    cr_assert_eq(nn_npz_add(npz, &small), 0);
    cr_assert_eq(nn_npz_close(npz, 1), 0, "%s", nn_message());
    open_kind("npz");
    cr_assert_eq(nn_source_read_range(source, 0, 1, 1, bytes), 0, "%s", nn_message());
    cr_assert_eq(bytes[LARGE / 2 - 1], 7);
    cr_assert_eq(number(1, 1), 4);
    free(bytes);
}

/* Lines, quotes and line ends on the border of two pieces. */
Test(data, large_csv)
{
    static char text[2000];
    memset(text, 'x', sizeof text);
    FILE *file = fopen(path, "wb");
    fputs("n,text,m\r\n", file);
    int64_t rows = 0;
    for (; ftell(file) < LARGE; rows++)
        fprintf(file, "%lld,\"%.*s\"\"\n\",%lld\r\n", (long long)rows, (int)(900 + rows % 97), text, (long long)-rows);
    fclose(file);
    open_kind("csv");
    cr_assert_eq(nn_source_rows(source), rows);
    cr_assert_eq(nn_source_column(source, 1)->range, 97);
    cr_assert_eq(strlen(nn_source_category(source, 1, 0)), 902);
    for (int64_t row = 0; row < rows; row++) {
        int64_t n, m;
        nn_source_read_range(source, 0, row, 1, &n);
        nn_source_read_range(source, 2, row, 1, &m);
        cr_assert(n == row && m == -row, "row %lld", (long long)row);
    }
}

/* Packed bytes come in pieces, too, and what they give may be much more or no less. */
Test(data, gzip_of_any_size)
{
    static const size_t sizes[] = {1, 65535, 65536, 65537, 300000, 3000000};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        size_t size = sizes[i / 2];
        uint64_t state = 1;
        unsigned char *bytes = calloc(1, size), *row = malloc(size);
        unsigned char header[] = {
            0, 0, 8, 2, 0, 0, 0, 1, 0, (unsigned char)(size >> 16), (unsigned char)(size >> 8), (unsigned char)size};
        for (size_t k = 0; i % 2 && k < size; k++)
            bytes[k] = (unsigned char)((state = state * 6364136223846793005u + 1442695040888963407u) >> 56);
        gzFile file = gzopen(path, "wb");
        gzwrite(file, header, sizeof header);
        gzclose(file);
        file = gzopen(path, "ab"); /* a second member */
        gzwrite(file, bytes, (unsigned)size);
        gzclose(file);
        open_kind("idx");
        cr_assert_eq(nn_source_read_range(source, 0, 0, 1, row), 0, "%s", nn_message());
        cr_assert(!memcmp(row, bytes, size), "%zu bytes", size);
        nn_source_free(source);
        source = NULL;
        free(bytes);
        free(row);
    }
}

/* ---- Generated and literal ---- */

Test(data, generated_sets_follow_their_arguments)
{
    static const char *const kinds[] = {"blobs", "spirals", "moons"};
    for (int i = 0; i < 3; i++) {
        const nn_argument args[] = {{"samples", NULL, 101, false}, {"noise", NULL, 0, false}, {"seed", NULL, 3, false}};
        nn_source *again, *other;
        float a[2], b[2], c[2];
        const nn_argument noisy[] = {
            {"samples", NULL, 101, false}, {"noise", NULL, 1, false}, {"seed", NULL, 4, false}};
        cr_assert_eq(nn_source_open(kinds[i], NULL, args, 3, NULL, NULL, &source), 0, "%s", nn_message());
        cr_assert_eq(nn_source_open(kinds[i], NULL, args, 3, NULL, NULL, &again), 0);
        cr_assert_eq(nn_source_open(kinds[i], NULL, noisy, 3, NULL, NULL, &other), 0);
        cr_assert_eq(nn_source_rows(source), 101);
        cr_assert_str_eq(nn_source_column(source, 1)->name, "label");
        for (int64_t row = 0; row < 101; row++) {
            cr_assert_eq(number(1, row), row % nn_source_column(source, 1)->range);
            nn_source_read_range(source, 0, row, 1, a);
            nn_source_read_range(again, 0, row, 1, b);
            nn_source_read_range(other, 0, row, 1, c);
            cr_assert(!memcmp(a, b, sizeof a));
            cr_assert(memcmp(a, c, sizeof a));
            if (i == 2) /* moons without noise lie on half circles */
                cr_assert_float_eq(row % 2 ? hypot(a[0] - 1, a[1] - 0.5) : hypot(a[0], a[1]), 1, 1e-6);
            if (i == 1) { /* on spirals without noise the radius gives the angle */
                double t = hypot(a[0], a[1]), angle = 3.14159265358979 * (double)(row % 2) + 4.5 * t;
                cr_assert(t > 0 && t < 1);
                cr_assert_float_eq(a[0], t * cos(angle), 1e-5);
                cr_assert_float_eq(a[1], t * sin(angle), 1e-5);
            }
        }
        nn_source_free(again);
        nn_source_free(other);
        nn_source_free(source);
        source = NULL;
    }
    const nn_argument half[] = {{"samples", NULL, 1.5, false}}, unknown[] = {{"sample", NULL, 1, false}};
    cr_assert_neq(nn_source_open("moons", NULL, half, 1, NULL, NULL, &source), 0);
    cr_assert(strstr(nn_message(), "samples of moons is 1.5"));
    cr_assert_neq(nn_source_open("moons", NULL, unknown, 1, NULL, NULL, &source), 0);
    cr_assert_neq(nn_source_open("rings", NULL, NULL, 0, NULL, NULL, &source), 0);
    cr_assert(strstr(nn_message(), "no data source rings"));
    cr_assert_neq(nn_source_open("idx", NULL, NULL, 0, NULL, NULL, &source), 0);
}

Test(data, literals_stay_where_they_are)
{
    const float rows[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    const int64_t dims[] = {2};
    cr_assert_eq(nn_source_literal(NN_TYPE_F32, 4, 1, dims, rows, &source), 0);
    float row[2];
    cr_assert_eq(nn_source_read_range(source, 0, 2, 1, row), 0);
    cr_assert(row[0] == 1 && row[1] == 0);
    cr_assert_eq(nn_source_row_size(source, 0), 8);
}
