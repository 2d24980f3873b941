/* What subscripts and index notation share. */
#ifndef NNC_ELABORATE_INDEX_INTERNAL_H
#define NNC_ELABORATE_INDEX_INTERNAL_H

#include "elaborate/elaborator.h"

/* The index runs over an axis of this size: its extent is set, or must be the same. */
bool meet_extent(Elaborator *el, Label *label, Dim extent, Span at);
bool meet_axes(Elaborator *el, Axes *axes, const Dim *dims, uint32_t count, Span at);

#endif
