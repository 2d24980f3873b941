#include "support/stack.h"

#include <errno.h>
#include <signal.h>

/* A fault of the thread itself cannot wait: blocked, it would end the process without the host's handler. */
static void block_signals(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    sigset_t all;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

bool stack_thread(pthread_t *thread, void *(*run)(void *data), void *data)
{
    pthread_attr_t attributes;
    sigset_t before;
    int error = pthread_attr_init(&attributes);
    if (!error) {
        error = pthread_attr_setstacksize(&attributes, STACK_SIZE);
        block_signals(&before); /* a thread inherits what is blocked */
        if (!error) error = pthread_create(thread, &attributes, run, data);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        pthread_attr_destroy(&attributes);
    }
    errno = error;
    return !error;
}

typedef struct {
    void (*work)(void *data);
    void *data;
} Work;

static void *run_work(void *data)
{
    const Work *work = data;
    work->work(work->data);
    return NULL;
}

bool stack_run(void (*work)(void *data), void *data)
{
    Work what = {work, data};
    pthread_t thread;
    int cancellation;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation); /* the thread uses what lies on this stack */
    bool started = stack_thread(&thread, run_work, &what);
    int error = errno;
    if (started) pthread_join(thread, NULL);
    pthread_setcancelstate(cancellation, NULL);
    errno = error;
    return started;
}
