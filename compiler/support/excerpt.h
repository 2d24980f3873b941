/* Excerpt: the line of a place as a diagnostic shows it, with carets under what is meant. */
#ifndef NNC_SUPPORT_EXCERPT_H
#define NNC_SUPPORT_EXCERPT_H

#include "support/source.h"
#include "support/text.h"

/* Code points of a line that are shown; of a longer one the part around the place is, with `…` where it is cut. */
enum { EXCERPT_WIDTH = 160 };

/* Writes two lines: the source's, and under it carets from the span's start to its end, or to the end of what the first
 * line shows of it. `place` is the span's start. */
void excerpt_print(const Place *place, Span at, Text *to);

#endif
