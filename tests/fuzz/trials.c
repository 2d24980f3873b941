#include "trials.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SECONDS = 120, LIMITED = 0 }; /* its shadow is larger than any limit */
#else
enum { SECONDS = 60, LIMITED = 1 };
#endif

/* Tries the texts from `first` on; *now is the one at work. */
static void attempt_all(const Trials *trials, uint64_t first, uint64_t end, volatile uint64_t *now)
{
    const struct rlimit four_gigabytes = {4UL << 30, 4UL << 30};
    if (LIMITED) setrlimit(RLIMIT_AS, &four_gigabytes);
    for (*now = first; *now < end; (*now)++) {
        Text text = {0};
        trials->make(trials->data, *now, &text);
        alarm(SECONDS);
        trials->attempt(trials->data, *now, &text);
        alarm(0);
        text_free(&text);
    }
}

static void report(const Trials *trials, uint64_t number, int status)
{
    Text text = {0};
    trials->make(trials->data, number, &text);
    const char *what = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "an exit";
    fprintf(stderr, "---- number %llu of %s: %s\n%s----\n", (unsigned long long)number, trials->name, what,
            text_get(&text));
    text_free(&text);
}

size_t trials_run(const Trials *trials, uint64_t first, uint64_t end)
{
    size_t failed = 0;
    volatile uint64_t *now = mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    LAW(now != MAP_FAILED, "no memory");
    while (first < end) {
        int status;
        pid_t child = fork();
        LAW(child >= 0, "no process");
        if (!child) {
            attempt_all(trials, first, end, now);
            exit(0); /* so that the leak sanitizer looks */
        }
        LAW(waitpid(child, &status, 0) == child, "no process");
        if (WIFEXITED(status) && !WEXITSTATUS(status)) break;
        failed++;
        report(trials, *now, status);
        first = *now + 1;
    }
    munmap((void *)now, sizeof *now);
    return failed;
}
