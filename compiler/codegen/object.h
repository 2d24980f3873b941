/* ELF objects in memory, and archives of them. */
#ifndef NNC_CODEGEN_OBJECT_H
#define NNC_CODEGEN_OBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "support/text.h"

/* Makes every hidden symbol that a 64-bit relocatable object defines local to it, in place: what objcopy calls
 * --localize-hidden. Then the run time's core inside one model's object cannot meet the core of another's. False when
 * the bytes are not such an object. */
bool object_hide(unsigned char *bytes, size_t size);

/* How many bytes of the object a program has in memory; 0 when it is not such an object. */
size_t object_loaded(const unsigned char *bytes, size_t size);

/* Writes an archive (`!<arch>`) with one member and the index of the symbols that it defines. False when the member is
 * not such an object. */
bool archive_print(const unsigned char *bytes, size_t size, const char *member, Text *to);

#endif
