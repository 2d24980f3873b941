/* Weight files: what is saved is loaded, and what lies is refused and changes nothing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"

static nn_params *params;
static char path[] = "/tmp/nn_weights_XXXXXX";

static void make_params(void)
{
    close(mkstemp(path));
    cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, 7, &params), 0, "%s", nn_message());
}

static void free_params(void)
{
    nn_params_free(params);
    unlink(path);
}

TestSuite(weights, .init = make_params, .fini = free_params);

static void train(nn_params *of, int steps)
{
    nn_session *session;
    const int64_t batch[] = {ROWS};
    const void *const inputs[] = {rows_x, rows_t, rows_k};
    cr_assert_eq(nn_session_new(of, NULL, &session), 0);
    for (int i = 0; i < steps; i++) cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, NULL), 0);
    nn_session_free(session);
}

static void get_w(nn_params *of, float *w)
{
    cr_assert_eq(nn_params_get(of, "w", NN_TYPE_F32, w, 3), 0);
}

Test(weights, go_round)
{
    nn_params *other;
    float w[3], back[3];
    train(params, 5);
    nn_params_set_seed(params, UINT64_MAX);
    cr_assert_eq(nn_params_set_metadata(params, "note", "a \"quoted\" \\ line\nand \u00e9"), 0);
    cr_assert_eq(nn_params_save(params, path), 0, "%s", nn_message());
    cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, 1, &other), 0);
    cr_assert_eq(nn_params_load(other, path, NN_LOAD_ALL), 0, "%s", nn_message());
    cr_assert_eq(nn_params_step(other), 5);
    cr_assert_eq(nn_params_seed(other), UINT64_MAX);
    cr_assert_str_eq(nn_params_metadata(other, "note"), "a \"quoted\" \\ line\nand \u00e9");
    /* With the optimizer's state, going on is the same as never having stopped. */
    train(params, 5);
    train(other, 5);
    get_w(params, w);
    get_w(other, back);
    cr_assert(!memcmp(w, back, sizeof w));
    nn_params_free(other);
}

Test(weights, alone_leave_step_and_optimizer)
{
    nn_params *other;
    float m[3], w[3], back[3];
    train(params, 5);
    cr_assert_eq(nn_params_save(params, path), 0);
    cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, 1, &other), 0);
    cr_assert_eq(nn_params_load(other, path, NN_LOAD_WEIGHTS), 0);
    cr_assert_eq(nn_params_step(other), 0);
    cr_assert_eq(nn_params_get(other, "optimizer/w/m", NN_TYPE_F32, m, 3), 0);
    cr_assert_eq(m[0], 0.0f);
    get_w(params, w);
    get_w(other, back);
    cr_assert(!memcmp(w, back, sizeof w));
    nn_params_free(other);
}

Test(weights, cannot_be_saved_where_nothing_is)
{
    cr_assert_eq(nn_params_save(params, "/tmp/no/such/folder/w.safetensors"), NN_ERROR_FILE);
    cr_assert_eq(nn_params_load(params, "/tmp/no/such/file", 0), NN_ERROR_FILE);
    cr_assert(strstr(nn_message(), "/tmp/no/such/file"), "%s", nn_message());
    cr_assert_eq(nn_params_load(params, "/tmp", 0), NN_ERROR_FILE);
}

#define W "\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}"
#define COUNT "\"count\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}"

/* Headers over 16 bytes of data, and a part of the message that each must give. */
static const struct {
    const char *header;
    const char *says; /* NULL: good */
} headers[] = {
    {"{" W "," COUNT "}", NULL},
    {" { " W " , " COUNT " }  ", NULL},
    {"{\"__metadata__\":{}," W "," COUNT "}", NULL},
    {"{\"__metadata__\":{\"step\":\"12\"}," COUNT "," W "}", NULL},
    {"{\"\\u0077\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}," COUNT "}", NULL},
    {"{\"w\":{\"dtype\":\"F16\",\"shape\":[3],\"data_offsets\":[0,6]},\"count\":{\"dtype\":\"F16\",\"shape\":[],"
     "\"data_offsets\":[6,8]}}",
     "16 bytes of data"},
    {"", "`{` is missing"},
    {"[]", "`{` is missing"},
    {"{" W "," COUNT, "`}` is missing"},
    {"{" W "," COUNT "}{", "something follows"},
    {"{" W "}", "describes 12"},
    {"{" W "," W "}", "lie"},
    {"{}", "describes 0"},
    {"{" W ",\"extra\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[12,16]}}", "count is missing"},
    {"{" W "," COUNT ",\"extra\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[16,16]}}",
     "no parameter or state extra"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1,3],\"data_offsets\":[0,12]}," COUNT "}",
     "w has the shape [1, 3], the model needs [3]"},
    {"{\"w\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[0,12]}," COUNT "}",
     "w has the type I32, the model needs F32"},
    {"{\"w\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]},\"count\":{\"dtype\":\"F64\",\"shape\":[],"
     "\"data_offsets\":[8,16]}}",
     "w has the shape [1]"},
    {"{\"w\":{\"dtype\":\"X9\",\"shape\":[3],\"data_offsets\":[0,12]}," COUNT "}", "X9 is not supported"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,12]}," COUNT "}", "its shape needs 16"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,1000]}," COUNT "}", "its shape needs 12"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[250],\"data_offsets\":[0,1000]}," COUNT "}",
     "is cut off: w needs 1000 bytes"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[12,0]}," COUNT "}", "no range"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0]}," COUNT "}", "no range"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[-1,11]}," COUNT "}", "a number is missing"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[3]}," COUNT "}", "lacks"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[3],\"shape\":[3],\"data_offsets\":[0,12]}," COUNT "}", "repeated key"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,12]}," COUNT "}", "too large"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,12]}," COUNT "}", "too large"},
    {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,3],\"data_offsets\":[0,12]}," COUNT "}", "too long"},
    {"{\"w", "does not end"},
    {"{\"w\\", "does not end"},
    {"{\"w\\q\":1}", "unknown escape"},
    {"{\"w\\u00\":1}", "escape"},
    {"{\"w\\ud800\":1}", "half a character"},
    {"{\"w\\u0000\":1}", "no character"},
    {"{\"w\x01\":1}", "control character"},
    {"{\"__metadata__\":{\"step\":\"x\"}," W "," COUNT "}", "no number"},
    {"{\"__metadata__\":{\"step\":\"99999999999999999999999\"}," W "," COUNT "}", "no number"},
    {"{\"__metadata__\":{\"a\":\"b\"},\"__metadata__\":{\"a\":\"b\"}," W "," COUNT "}", "twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{\"a\":\"b\"}," W "," COUNT "}", "twice"},
    {"{\"__metadata__\":{\"a\":\"b\",\"c\":\"d\",\"a\":\"e\"}," W "," COUNT "}",
     "a key of the metadata stands there twice"},
    {"{\"__metadata__\":{\"a\":1}," W "," COUNT "}", "`\"` is missing"},
};

static size_t compose(const char *header, unsigned char *bytes)
{
    size_t length = strlen(header);
    const float data[4] = {10, 20, 30, 40};
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, data, sizeof data);
    return 8 + length + sizeof data;
}

Test(weights, headers)
{
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        unsigned char bytes[1024];
        float before[3], after[3];
        size_t size = compose(headers[i].header, bytes);
        get_w(params, before);
        int status = nn_params_load_memory(params, bytes, size, NN_LOAD_ALL);
        get_w(params, after);
        if (!headers[i].says) {
            cr_assert_eq(status, 0, "%s: %s", headers[i].header, nn_message());
            cr_assert_eq(after[2], 30.0f);
            nn_params_free(params);
            cr_assert_eq(nn_params_from_image(&fixture_image, NULL, 0, 7, &params), 0);
        } else {
            cr_assert_eq(status, NN_ERROR_FORMAT, "%s", headers[i].header);
            cr_assert(strstr(nn_message(), headers[i].says), "%s: `%s` lacks `%s`", headers[i].header, nn_message(),
                      headers[i].says);
            cr_assert(!memcmp(before, after, sizeof before), "%s changed something", headers[i].header);
        }
    }
}

Test(weights, every_truncation_is_refused)
{
    unsigned char bytes[1024];
    size_t size = compose(headers[0].header, bytes);
    for (size_t length = 0; length < size; length++) {
        /* Memory of just this size, so that the sanitizer sees a read past it. */
        unsigned char *part = malloc(length + 1);
        memcpy(part, bytes, length);
        cr_assert_eq(nn_params_load_memory(params, part, length, 0), NN_ERROR_FORMAT, "%zu bytes", length);
        free(part);
    }
    cr_assert_eq(nn_params_load_memory(params, bytes, size + 1, 0), NN_ERROR_FORMAT);
    memset(bytes, 0xff, 8);
    cr_assert_eq(nn_params_load_memory(params, bytes, size, 0), NN_ERROR_FORMAT);
}

Test(weights, every_changed_byte_is_refused_or_harmless)
{
    unsigned char bytes[1024];
    size_t size = compose(headers[0].header, bytes);
    for (size_t i = 0; i < size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (unsigned char)(1 << bit);
            nn_params_load_memory(params, bytes, size, 0);
            bytes[i] ^= (unsigned char)(1 << bit);
        }
    }
}
