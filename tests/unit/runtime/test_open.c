/* Opening libraries by path, and who keeps whom alive. */
#include <criterion/criterion.h>

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
