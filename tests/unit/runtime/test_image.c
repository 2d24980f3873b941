/* Images as other versions of the compiler make them. */
#include <criterion/criterion.h>

#include "fixture.h"

/* The first images ended before their weights: what lies behind them is not looked at. */
Test(image, one_without_weights_is_read)
{
    nn_image old = fixture_image;
    nn_params *params;
    old.image_size = NN_IMAGE_SMALLEST;
    old.weights = "not weights";
    old.weights_size = 11;
    cr_assert_eq(nn_params_from_image(&old, NULL, 0, 1, &params), 0, "%s", nn_message());
    nn_params_free(params);
    old.image_size = sizeof old;
    cr_assert_eq(nn_params_from_image(&old, NULL, 0, 1, &params), NN_ERROR_FORMAT);
    cr_assert_null(params);
    old.image_size = NN_IMAGE_SMALLEST - 1;
    cr_assert_eq(nn_params_from_image(&old, NULL, 0, 1, &params), NN_ERROR_VERSION);
}

static void count(void *data)
{
    ++*(int *)data;
}

/* Whoever made the image is told once, when nothing is left over the model. */
Test(image, its_owner_is_told)
{
    int released = 0;
    nn_model *model;
    nn_params *params;
    nn_session *session;
    cr_assert_eq(nn_model_from_image(&fixture_image, NULL, &model), 0);
    cr_assert_eq(nn_model_on_release(model, count, &released), 0);
    cr_assert_eq(nn_model_on_release(model, count, &released), NN_ERROR_STATE);
    cr_assert_eq(nn_params_new(model, NULL, 0, 1, &params), 0);
    cr_assert_eq(nn_session_new(params, NULL, &session), 0);
    nn_model_free(model);
    nn_params_free(params);
    cr_assert_eq(released, 0);
    nn_session_free(session);
    cr_assert_eq(released, 1);
}
