/* Stack: threads whose stack is known. What the compiler may recurse to (context.h) is measured against this size, so
 * that it does not depend on the thread that calls it. */
#ifndef NNC_SUPPORT_STACK_H
#define NNC_SUPPORT_STACK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Bytes of such a thread's stack. They are reserved, and taken only as far as a recursion goes. */
enum { STACK_SIZE = 64 * 1024 * 1024 };

/* Starts a thread with such a stack, like pthread_create. It receives no signals but those of its own faults. False
 * when the system refuses it, with the reason in errno. */
bool stack_thread(pthread_t *thread, void *(*run)(void *data), void *data);

/* Runs the work on such a thread and waits for it; the calling thread is not cancelled meanwhile. False, with the
 * reason in errno, when there is no such thread: the work did not run then. */
bool stack_run(void (*work)(void *data), void *data);

#endif
