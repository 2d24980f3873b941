/* Making a shared library or one relocatable object out of objects in memory, with a linker of the system. */
#ifndef NNC_CODEGEN_LINK_H
#define NNC_CODEGEN_LINK_H

#include <stddef.h>

#include "support/context.h"

typedef struct {
    const void *bytes;
    size_t size;
} ObjectBytes;

/* Links, in a folder of its own: a library that depends on libc alone, or (shared == false) an object, at the end of
 * `to`. Takes the first of ld.lld, ld.lld-19, ld, cc on the path. False after a diagnostic. */
bool link_objects(Context *context, const ObjectBytes *objects, size_t count, bool shared, Text *to);

#endif
