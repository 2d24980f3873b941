/* The first diagnostic of a compilation. */
#ifndef NNC_TESTS_API_HEARD_H
#define NNC_TESTS_API_HEARD_H

#include <stdio.h>

#include "nnc/nnc.h"

typedef struct {
    char id[64]; /* "" while there is none */
    int line;
} Heard;

static inline void hear(void *data, const nnc_diagnostic *diagnostic)
{
    Heard *heard = data;
    if (*heard->id) return;
    snprintf(heard->id, sizeof heard->id, "%s", diagnostic->id);
    heard->line = diagnostic->place.line;
}

#endif
