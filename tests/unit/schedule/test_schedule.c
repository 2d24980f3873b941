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

Test(schedule, it_can_be_stopped)
{
    static const volatile sig_atomic_t stop = 1;
    Model *model = model_mlp(UPDATE_SGD, 7, 5, 4);
    model->context->stop = &stop;
    cr_expect_null(schedule(model->context, &model->module, NULL));
    cr_expect_eq(diagnostics_errors(model->context->diagnostics), 1);
    model_free(model);
}

/* The kernels of the fused step, in order: a regression of fusion shows here. */
Test(schedule, kernels_of_the_sgd_step)
{
    Model *model = model_mlp(UPDATE_SGD, 784, 128, 64);
    Plan *plan = plan_model(model, false);
    cr_expect_str_eq(kernel_names(model, plan, "step"),
                     "contract_select "         /* relu(x W + b) */
                     "logits_contract_add "     /* h W + b */
                     "reduce_max_sub "          /* the softmax, and the gradient of the loss by the logits */
                     "loss_sum_neg "            /* the loss */
                     "logits_b_sum_sub "        /* gradient and update in one */
                     "argmax accuracy_sum_div " /* the metric, skipped when nobody asks */
                     "contract_select "         /* back to the hidden layer, through relu */
                     "hidden_W_contract_sub logits_b_sum_sub " /* likewise */
                     "hidden_W_contract_sub");                 /* after the last reader of the old logits.W */
    cr_expect_str_eq(
        kernel_names(model, plan, "inference"),
        "contract_select logits_contract_add probability_reduce_max_log loss_sum_neg argmax accuracy_sum_div");
    model_free(model);
}

Test(schedule, kernels_of_the_adam_step)
{
    Model *model = model_mlp(UPDATE_ADAM, 784, 128, 64);
    Plan *plan = plan_model(model, false);
    cr_expect_str_eq(kernel_names(model, plan, "step"),
                     "sub_sub " /* 1 - beta^step, once */
                     "contract_select logits_contract_add reduce_max_sub loss_sum_neg logits_b_sum_sub "
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

/* Forward and backward leave parameters and states alone; all gradients are stored. */
Test(schedule, phases_keep_apart)
{
    Model *model = model_mlp(UPDATE_ADAM, 7, 5, 4);
    Plan *plan = plan_model(model, false);
    const PlanProgram *training = program_of(plan, "training");
    uint32_t updates = 0;
    for (uint32_t i = 0; i < training->n_launches; i++) {
        const Launch *launch = &training->launches[i];
        const Kernel *kernel = plan->kernels[launch->kernel];
        for (uint32_t j = 0; j < kernel->n_buffers; j++) {
            const PlanBuffer *buffer = &training->buffers[launch->buffers[j]];
            bool kept = buffer->role == BUFFER_PARAM || buffer->role == BUFFER_STATE;
            if (!kept || !kernel->buffers[j].written) continue;
            cr_expect_eq(launch->phase, PHASE_UPDATE, "%s writes %s", kernel->name, buffer->name);
            updates++;
        }
    }
    cr_expect_eq(updates, 3 * 4, "weights and both moments of four parameters");
    model_free(model);
}

/* What nobody asks for costs nothing else: a metric's launches write only what metrics read. */
Test(schedule, metrics_are_apart)
{
    Model *model = model_mlp(UPDATE_SGD, 7, 5, 4);
    Plan *plan = plan_model(model, false);
    const PlanProgram *step = program_of(plan, "step");
    uint32_t metrics = 0;
    for (uint32_t i = 0; i < step->n_launches; i++) {
        metrics += step->launches[i].metric;
        for (uint32_t j = 0; j < i && !step->launches[i].metric; j++) {
            if (!step->launches[j].metric) continue;
            const Kernel *kernel = plan->kernels[step->launches[j].kernel];
            for (uint32_t b = 0; b < kernel->n_buffers; b++)
                for (uint32_t c = 0; c < plan->kernels[step->launches[i].kernel]->n_buffers; c++)
                    if (kernel->buffers[b].written)
                        cr_expect_neq(step->launches[j].buffers[b], step->launches[i].buffers[c]);
        }
    }
    cr_expect_eq(metrics, 2);
    model_free(model);
}

static void expect_rejected(Model *model, const Plan *plan, const char *complaint)
{
    const char *wrong = plan_verify(model->context, plan);
    cr_assert(wrong, "passed, wanted: %s", complaint);
    cr_expect(strstr(wrong, complaint), "%s", wrong);
}

Test(schedule, broken_plans_are_found)
{
    Model *model = model_mlp(UPDATE_SGD, 7, 5, 4);
    Plan *plan = plan_model(model, false);
    PlanProgram *training = &plan->programs[1];
    cr_assert_str_eq(training->name, "training");
    Launch *launches = training->launches, first = launches[0];
    Dim *sizes = ARENA_COPY(model->context->arena, Dim, first.sizes, plan->kernels[first.kernel]->n_sizes);
    uint32_t *buffers =
        ARENA_COPY(model->context->arena, uint32_t, first.buffers, plan->kernels[first.kernel]->n_buffers);

    sizes[0] = sizes[1];
    launches[0].sizes = sizes;
    expect_rejected(model, plan, "another number of elements");
    launches[0] = first;

    buffers[0] = training->n_buffers;
    launches[0].buffers = buffers;
    expect_rejected(model, plan, "lacks buffer 0");
    launches[0] = first;

    launches[0].kernel = plan->n_kernels;
    expect_rejected(model, plan, "has no kernel");
    launches[0] = first;

    launches[0].phase = PHASE_UPDATE;
    expect_rejected(model, plan, "earlier phase");
    launches[0] = first;

    Launch second = launches[1];
    for (uint32_t i = 0; i < training->n_buffers; i++) training->buffers[i].first = 0;
    for (uint32_t i = 0; i < training->n_buffers; i++) training->buffers[i].last = training->n_launches;
    cr_assert_null(plan_verify(model->context, plan));
    launches[0] = second;
    launches[1] = first;
    expect_rejected(model, plan, "before it is written");
    model_free(model);
}

/* The gradient of relu asks its result for the sign: what went into it is not kept. */
Test(schedule, relu_keeps_one_tensor)
{
    Model *model = model_mlp(UPDATE_SGD, 7, 5, 4);
    const PlanProgram *step = program_of(plan_model(model, false), "step");
    uint32_t hidden = 0;
    for (uint32_t i = 0; i < step->n_buffers; i++) {
        const PlanBuffer *buffer = &step->buffers[i];
        hidden += buffer->role == BUFFER_TEMPORARY && buffer->rank == 2 && dim_same(buffer->dims[1], size_of(model, 5));
    }
    cr_expect_eq(hidden, 2, "relu(x W + b) and the gradient of x W + b, not %u", hidden);
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
