/* Images as other versions of the compiler make them. */
#include <criterion/criterion.h>

#include "core/internal.h"
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

/* What must hold of sizes: two that are equal, as the first compilers wrote it, and a condition in the user's words. */
Test(image, its_checks_are_asked_on_entry)
{
    enum { EVEN = 0, BATCH = 12, TRUTH = 16, MANY = 20, DIVIDED = 28 };
    static const int64_t codes[] = {
        NN_SIZE_SYMBOL,   0, NN_SIZE_CONSTANT, 2, NN_SIZE_FLOOR_DIV, 0,  NN_SIZE_CONSTANT, 2,
        NN_SIZE_MUL,      0, NN_SIZE_END,      0, NN_SIZE_SYMBOL,    0,  NN_SIZE_END,      0, /* BATCH */
        NN_SIZE_CONSTANT, 1, NN_SIZE_END,      0,                                             /* TRUTH */
        NN_SIZE_CONSTANT, 2, NN_SIZE_SYMBOL,   0, NN_SIZE_LT,        0,  NN_SIZE_END,      0, /* MANY */
        NN_SIZE_CONSTANT, 1, NN_SIZE_SYMBOL,   0, NN_SIZE_CONSTANT,  -6, NN_SIZE_ADD,      0,
        NN_SIZE_MOD,      0, NN_SIZE_SYMBOL,   0, NN_SIZE_LT,        0,  NN_SIZE_END,      0, /* DIVIDED */
    };
    static const nn_check checks[] = {
        {EVEN, BATCH, "rows come in pairs"}, {MANY, TRUTH, "too few rows"}, {DIVIDED, TRUTH, "never six"}};
    static const struct {
        int64_t batch;
        int status;
        const char *message;
    } calls[] = {{4, 0, NULL},
                 {3, NN_ERROR_ARGUMENT, "rows come in pairs (2 is not 3)"},
                 {2, NN_ERROR_ARGUMENT, "too few rows (batch is 2)"},
                 {6, NN_ERROR_RANGE, "never six (which does not fit in 64 bits or divides by 0)"}};
    nn_image image = fixture_image;
    nn_model model = {.image = &image};
    image.size_code = codes;
    image.checks = checks;
    image.n_checks = sizeof checks / sizeof *checks;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int64_t free_size = -1;
        cr_expect_eq(nn_check_symbols(&model, &free_size, NULL), 0, "asked before the size is known");
        cr_expect_eq(nn_check_symbols(&model, &calls[i].batch, NULL), calls[i].status, "batch %d", (int)calls[i].batch);
        if (calls[i].message) cr_expect_str_eq(nn_message(), calls[i].message);
    }
}
