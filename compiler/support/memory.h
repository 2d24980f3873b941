/* What the compiler allocates, in place of malloc and free, which no other file of it calls (tests/allocations.cmake).
 *
 * The library works in attempts: each runs in a heap, which knows every block that is allocated in it. When memory runs
 * out, the attempt fails where it stands, by a longjmp to its beginning: nobody between checks a result or undoes
 * anything, and the blocks are freed with the heap. What is no block of the heap and must not stay (a file, a thread,
 * what is LLVM's) is registered by memory_on_failure. No frame of C++ may lie between: no callback that LLVM is given
 * may allocate here. Outside of attempts, as in the command line, the program ends with a message.
 *
 * A thread works in one attempt at a time, and a new thread in none: it needs a heap of its own. A block is freed in
 * the heap that it was allocated in, or with it. */
#ifndef NNC_SUPPORT_MEMORY_H
#define NNC_SUPPORT_MEMORY_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

/* ---- Blocks: none of these returns NULL ---- */

void *memory_alloc(size_t size);
/* Zeroed. */
void *memory_calloc(size_t count, size_t size);
/* NULL is allowed. */
void *memory_realloc(void *block, size_t size);
void memory_free(void *block);

/* Fails the attempt as if the next allocation had failed. */
_Noreturn void memory_exhausted(void);

/* In an attempt: if it fails, undo(data) is called, the latest registered first, before the jump: data may lie on the
 * stack. Registering may fail, and then undoes at once. Outside of attempts nothing. */
void memory_on_failure(void (*undo)(void *data), void *data);
/* Takes the latest registration of the data back. */
void memory_settle(const void *data);

/* ---- Heaps ---- */

typedef struct Heap Heap;

/* NULL when there is no memory for it. */
Heap *heap_new(void);
/* Frees the heap with all blocks in it. NULL is allowed. */
void heap_free(Heap *heap);
/* Does the work as an attempt in the heap. False when memory ran out, in this attempt or an earlier one: what lies in
 * the heap is half done then, and can only be freed. */
bool heap_attempt(Heap *heap, void (*work)(void *data), void *data);
/* Makes the rest of a function's body an attempt in the heap; when it fails, does what is named instead:
 *
 *     HEAP_SCOPE(heap, return NNC_NONE);
 */
#define HEAP_SCOPE(heap, otherwise)                                                                                    \
    __attribute__((cleanup(heap_leave))) Heap *heap_scope = heap_enter(heap);                                          \
    if (!heap_scope || setjmp(*heap_start(heap_scope))) otherwise
/* NULL when an attempt in the heap has failed, and within one. */
Heap *heap_enter(Heap *heap);
jmp_buf *heap_start(Heap *heap);
void heap_leave(Heap *const *heap);

/* ---- What belongs to the caller of the library rather than to an attempt ---- */

/* A zeroed block in no heap; NULL when there is no memory for it. */
void *memory_outside(size_t size);
/* NULL is allowed. */
void memory_outside_free(void *block);

#endif
