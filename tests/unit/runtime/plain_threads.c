/* The pool's tests without a test framework, so that they run under the thread sanitizer:
 * cmake -DNNC_SANITIZE=thread, then ctest -R threads. */
#include <stdio.h>

#include "threads.h"

int main(void)
{
    static const struct {
        const char *name;
        const char *(*run)(void);
    } tests[] = {{"each task runs once", each_task_runs_once},
                 {"a busy pool stops nobody", a_busy_pool_stops_nobody},
                 {"threads change no bit", threads_change_no_bit},
                 {"sessions share parameters", sessions_share_parameters},
                 {"reading goes ahead", reading_goes_ahead}};
    int failed = 0;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        const char *wrong = tests[i].run();
        printf("%s: %s\n", tests[i].name, wrong ? wrong : "ok");
        failed |= wrong != NULL;
    }
    return failed;
}
