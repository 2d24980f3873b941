/* Opening libraries by path, and who keeps whom alive. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixture.h"

Test(open, a_library_by_path)
{
    nn_model *model;
    nn_params *params;
    nn_session *session;
    const int64_t batch[] = {ROWS};
    const void *const inputs[] = {rows_x, rows_t, rows_k};
    cr_assert_eq(nn_model_open(FIXTURE_LIBRARY, NULL, &model), 0, "%s", nn_message());
    cr_assert_str_eq(nn_model_name(model), "line");
    cr_assert_eq(nn_params_new(model, NULL, 0, 7, &params), 0);
    nn_model_free(model);
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    nn_params_free(params);
    /* The library is still loaded: the session keeps the parameters and they the model. */
    cr_assert_eq(nn_session_step(session, batch, 1, inputs, 3, NULL), 0, "%s", nn_message());
    cr_assert_eq(nn_params_step(nn_session_params(session)), 1);
    nn_session_free(session);
}

Test(open, two_models_at_once)
{
    nn_model *a, *b;
    cr_assert_eq(nn_model_open(FIXTURE_LIBRARY, NULL, &a), 0);
    cr_assert_eq(nn_model_open(FIXTURE_LIBRARY, NULL, &b), 0);
    nn_model_free(a);
    cr_assert_str_eq(nn_model_name(b), "line");
    nn_model_free(b);
}

/* The loader itself would map what is not there and end with the first touch of it. */
Test(open, a_library_that_is_cut_off)
{
    char path[] = "/tmp/nn_open_XXXXXX";
    FILE *from = fopen(FIXTURE_LIBRARY, "rb"), *to;
    cr_assert(from);
    fseek(from, 0, SEEK_END);
    size_t size = (size_t)ftell(from);
    char *bytes = malloc(size);
    rewind(from);
    cr_assert_eq(fread(bytes, 1, size, from), size);
    fclose(from);
    close(mkstemp(path));
    const size_t lengths[] = {0, 1, 63, 64, 65, 200, 1000, 4096, size / 4, size / 2, size - 4097, size - 1, size};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        nn_model *model;
        to = fopen(path, "wb");
        fwrite(bytes, 1, lengths[i], to);
        fclose(to);
        int status = nn_model_open(path, NULL, &model);
        cr_assert_eq(!status, lengths[i] == size, "%zu of %zu bytes: %s", lengths[i], size, nn_message());
        cr_assert(!status || strstr(nn_message(), path), "%s", nn_message());
        cr_assert(status != NN_ERROR_FORMAT || strstr(nn_message(), "is cut off"), "%s", nn_message());
        if (!status) nn_model_free(model);
    }
    unlink(path);
    free(bytes);
}

Test(open, what_is_no_model)
{
    nn_model *model;
    cr_assert_eq(nn_model_open("no-such-model.so", NULL, &model), NN_ERROR_FILE);
    cr_assert(strstr(nn_message(), "no-such-model.so"), "%s", nn_message());
    cr_assert_eq(nn_model_open("libc.so.6", NULL, &model), NN_ERROR_FILE,
                 "a bare name is a file of the working folder");
    cr_assert_eq(nn_model_open(OTHER_LIBRARY, NULL, &model), NN_ERROR_FORMAT);
    cr_assert(strstr(nn_message(), "not one of a model"), "%s", nn_message());
    cr_assert_null(model);
    cr_assert_eq(nn_model_open(NULL, NULL, &model), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_model_open(FIXTURE_LIBRARY, NULL, NULL), NN_ERROR_ARGUMENT);
}
