/* How the program's malloc works: a compilation allocates and frees tens of megabytes again and again, and most of what
 * that would cost is the faults of fresh pages. */
#ifndef NNC_DRIVER_HEAP_H
#define NNC_DRIVER_HEAP_H

/* Lets malloc keep what is freed, and gives it an address range of large pages to begin with. Called before the first
 * thread. Where that much address space cannot be had, nothing changes. */
void heap_prepare(void);

#endif
