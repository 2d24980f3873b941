/* Whatever an interruption cuts, the session is as it was: lines are run again and again, each time stopped a little
 * later, until one comes to its end. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "driver/repl_session.h"

enum { FIRST_DELAY = 50 /* us */, MOST_TRIES = 60 };

static volatile sig_atomic_t stop;

static void ring(int signal)
{
    (void)signal;
    stop = 1;
}

static void run_for(Session *session, const char *line, long microseconds)
{
    struct itimerval timer = {.it_value = {microseconds / 1000000, microseconds % 1000000}}, none = {0};
    setitimer(ITIMER_REAL, &timer, NULL);
    session_line(session, line);
    setitimer(ITIMER_REAL, &none, NULL);
    stop = 0;
}

static void run(Session *session, const char *line)
{
    unsigned errors = session->errors;
    session_line(session, line);
    cr_assert_eq(session->errors, errors, "%s", line);
}

/* A session that can be interrupted and prints nothing. */
static Session *open_session(Options *options)
{
    char *argv[] = {"nnc", "repl", NULL};
    struct sigaction action = {.sa_handler = ring};
    int status, nowhere = open("/dev/null", O_WRONLY);
    cr_assert(options_parse(options, 2, argv, &status));
    Session *session = session_new(options);
    sigaction(SIGALRM, &action, NULL);
    fflush(stdout);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    session_stop_at(session, &stop);
    return session;
}

typedef struct {
    size_t entries, models, bindings, inputs, params, given;
    uint64_t step;
    float weights[16];
} State;

static State state_of(Session *session)
{
    State state = {.entries = session->journal.entries.count,
                   .models = session->models.count,
                   .inputs = session->el->inputs.count,
                   .params = session->el->params.count,
                   .given = session->given.count};
    for (const Binding *b = session->scope->first; b; b = b->next) state.bindings++;
    const Loaded *model = session->models.count ? vec_last(&session->models) : NULL;
    if (!model || !model->params) return state;
    state.step = nn_params_step(model->params);
    cr_assert_eq(nn_params_get(model->params, "first.dense.W", NN_TYPE_F32, state.weights, 16), 0, "%s", nn_message());
    return state;
}

/* Interrupts the line later and later. How often it was before it came to its end. */
static int interrupt(Session *session, const char *line)
{
    long delay = FIRST_DELAY;
    for (int i = 0; i < MOST_TRIES; i++) {
        unsigned errors = session->errors;
        State before = state_of(session);
        run_for(session, line, delay);
        if (session->errors == errors) return i;
        State after = state_of(session);
        cr_assert_eq(memcmp(&before, &after, sizeof before), 0, "%s left something after %ld us", line, delay);
        delay = delay * 3 / 2;
    }
    cr_assert(false, "%s comes to no end", line);
    return MOST_TRIES;
}

static const char model[] =
    "model m { input a: f32[batch, 4]; target t: f32[batch]; first = a |> dense(4); h = first; "
    "repeat i in [1, 2, 3, 4] { repeat 10 { h = h |> dense(4) |> tanh; h = h + sin(h * (i + 1)) } }; "
    "loss = mse(sum(h, axis = 1), t) }";

Test(repl_interrupt, statements_leave_nothing, .timeout = 300)
{
    Options options;
    Session *session = open_session(&options);
    run(session, "input x: f32");
    run(session, "param w: f32 = 0.5");
    run(session, "s = x * w");
    run(session, "fn turns(y) { repeat i in [1, 2, 3, 4] { repeat 5 { y = y + sin(y * i) } }; return y }");
    cr_expect_gt(interrupt(session, "s = turns(s)"), 0);
    run(session, "layer l(y: [...]) -> [...] { param p: f32 = 2; return turns(p * y) }");
    cr_expect_gt(interrupt(session, "q = l(s)"), 0);
    cr_expect_gt(interrupt(session, "g = grad(turns(s), w)"), 0);
    run(session, "x = 2");
    cr_expect_gt(interrupt(session, "s"), 0);
    cr_expect_gt(interrupt(session, "w = turns(w)"), 0);
    cr_expect_gt(interrupt(session, ":kernels grad(turns(s), w)"), 0);
    cr_expect_gt(interrupt(session, ":asm grad(turns(s), w)"), 0);
    session_renew(session);
    run(session, "s + q + g");
    session_free(session);
}

Test(repl_interrupt, models_keep_what_they_learned, .timeout = 300)
{
    Options options;
    Session *session = open_session(&options);
    run(session, "data train { a = [[1, 2, 3, 4], [4, 5, 6, 7]]; t = [1, 0] }");
    cr_expect_gt(interrupt(session, model), 0);
    run(session, "train m { optimizer = adam(lr = 0.01); batch = 2; epochs = 1 }");
    cr_expect_gt(interrupt(session, ":params"), 0);
    cr_expect_gt(interrupt(session, ":train 1"), 0);
    cr_expect_gt(interrupt(session, ":grad"), 0);
    cr_expect_gt(interrupt(session, ":grad first.dense.W"), 0);
    State before = state_of(session);
    cr_expect_eq(before.step, 1);
    cr_expect_gt(interrupt(session, model), 0); /* its successor */
    run(session, "fn swish(x) = x");            /* makes it stale */
    cr_expect_gt(interrupt(session, ":params"), 0);
    cr_expect_gt(interrupt(session, "first.dense.W = first.dense.W + 1"), 0);
    State after = state_of(session);
    cr_expect_eq(after.step, 1);
    for (int i = 0; i < 16; i++) cr_expect_eq(after.weights[i], before.weights[i] + 1);
    run(session, ":train 1");
    session_free(session);
}
