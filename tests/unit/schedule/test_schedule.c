#include <time.h>

#include "models.h"

/* An unoptimised or sanitised build may take longer. */
#ifdef __OPTIMIZE__
enum { SLOW = 1 };
#else
enum { SLOW = 10 };
#endif

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

/* The kernels of the fused step, in order: a regression of fusion shows here. */
Test(schedule, kernels_of_the_sgd_step)
{
    Model *model = model_mlp(UPDATE_SGD, 784, 128, 64);
    Plan *plan = plan_model(model, false);
    cr_expect_str_eq(kernel_names(model, plan, "step"),
                     "hidden_contract_max "        /* relu(x W + b), and x W + b for the gradient */
                     "logits_contract_add "        /* h W + b */
                     "reduce_max_sub "             /* the softmax, and the gradient of the loss by the logits */
                     "loss_sum_neg "               /* the loss */
                     "logits_b_sum_sub "           /* gradient and update in one */
                     "argmax accuracy_sum_div "    /* the metric, skipped when nobody asks */
                     "contract_select "            /* back to the hidden layer, through relu */
                     "hidden_W_contract_sub logits_b_sum_sub " /* likewise */
                     "hidden_W_contract_sub");     /* after the last reader of the old logits.W */
    cr_expect_str_eq(kernel_names(model, plan, "inference"),
                     "contract_max logits_contract_add probability_reduce_max_log loss_sum_neg argmax accuracy_sum_div");
    model_free(model);
}

Test(schedule, kernels_of_the_adam_step)
{
    Model *model = model_mlp(UPDATE_ADAM, 784, 128, 64);
    Plan *plan = plan_model(model, false);
    cr_expect_str_eq(kernel_names(model, plan, "step"),
                     "sub_sub " /* 1 - beta^step, once */
                     "hidden_contract_max logits_contract_add reduce_max_sub loss_sum_neg logits_b_sum_sub "
                     "argmax accuracy_sum_div contract_select "
                     "hidden_W_contract_sub logits_b_sum_sub hidden_W_contract_sub");
    model_free(model);
}

Test(schedule, contractions_are_tiled)
{
    Model *model = model_mlp(UPDATE_ADAM, 784, 128, 64);
    Plan *plan = plan_model(model, false);
    for (uint32_t i = 0; i < plan->n_kernels; i++) {
        KernelContraction form;
        cr_expect_eq(kernel_contraction(plan->kernels[i], &form), strstr(plan->kernels[i]->name, "contract") != NULL);
    }
    model_free(model);
}

/* `count` equal layers: as many launches, but no more kernels than a few. */
static Model *model_deep(uint32_t count)
{
    Model *model = model_new();
    Dim batch = size_free(model, "batch", 2);
    Node x = declare(model, OP_INPUT, "x", MATRIX(batch, size_of(model, 4)));
    Node h = x;
    for (uint32_t i = 0; i < count; i++)
        h = build_unary(model->graph, OP_TANH, dense(model, h, arena_format(model->context->arena, "h[%u]", i), 4, 4));
    Node loss = build_reduce_all(model->graph, OP_SUM, build_binary(model->graph, OP_MUL, h, h));
    Function *training = add_function(model, "training");
    add_result(model, training, RESULT_LOSS, "loss", loss, NODE_NONE);
    add_training(model, training, loss, UPDATE_SGD);
    finish_model(model);
    return model;
}

Test(schedule, equal_layers_share_kernels)
{
    Model *model = model_deep(100);
    Plan *plan = plan_model(model, false);
    cr_expect_lt(plan->n_kernels, 16, "%u kernels", plan->n_kernels);
    cr_expect_eq(program_of(plan, "step")->n_launches, 4 * 100);
    model_free(model);
}

Test(schedule, a_thousand_layers_in_half_a_second, .timeout = 60)
{
    Model *model = model_deep(1000);
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    Plan *plan = schedule(model->context, &model->module, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double seconds = (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    cr_expect_lt(plan->n_kernels, 16);
    cr_expect_lt(seconds, 0.5 * SLOW, "%g s", seconds);
    cr_log_info("%g s", seconds);
    model_free(model);
}
