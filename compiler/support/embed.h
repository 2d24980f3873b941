/* Texts that are part of the program. The build's nnc_embed turns files into a table of these, ended by a NULL name. */
#ifndef NNC_SUPPORT_EMBED_H
#define NNC_SUPPORT_EMBED_H

#include <stddef.h>

typedef struct {
    const char *name; /* the file's name without its folder */
    const char *text; /* NUL-terminated */
    size_t size;
} EmbeddedText;

#endif
