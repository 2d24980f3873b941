#include <stdio.h>

#include "models.h"

Test(schedule, mlp_with_sgd)
{
    Model *model = model_mlp(UPDATE_SGD, 7, 5, 4);
    expect_model(model);
    expect_step_equals_training(model);
    model_free(model);
}

Test(schedule, mlp_with_adam)
{
    Model *model = model_mlp(UPDATE_ADAM, 7, 5, 4);
    expect_model(model);
    expect_step_equals_training(model);
    model_free(model);
}

Test(schedule, show, .disabled = false)
{
    Model *model = model_mlp(UPDATE_SGD, 784, 128, 4);
    Plan *plan = plan_model(model, false);
    Text text = {0};
    plan_print(plan, &text);
    puts(text_get(&text));
    text_free(&text);
    model_free(model);
}
