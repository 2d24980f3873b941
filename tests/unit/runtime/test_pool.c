#include <criterion/criterion.h>

#include "threads.h"

#define PASSES(name)                                                                                                   \
    Test(pool, name, .timeout = 60)                                                                                    \
    {                                                                                                                  \
        const char *wrong = name();                                                                                    \
        cr_assert(!wrong, "%s", wrong);                                                                                \
    }

PASSES(each_task_runs_once)
PASSES(a_busy_pool_stops_nobody)
PASSES(threads_change_no_bit)
PASSES(sessions_share_parameters)
PASSES(reading_goes_ahead)

Test(pool, sizes)
{
    nn_pool *pool;
    cr_assert_eq(nn_pool_new(-1, &pool), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_pool_new(100000, &pool), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_pool_new(1, NULL), NN_ERROR_ARGUMENT);
    cr_assert_eq(nn_pool_new(0, &pool), 0);
    cr_assert_geq(nn_pool_threads(pool), 1);
    nn_pool_free(pool);
    cr_assert_eq(nn_pool_threads(NULL), 1);
}
