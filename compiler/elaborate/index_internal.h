/* What subscripts and index notation share. */
#ifndef NNC_ELABORATE_INDEX_INTERNAL_H
#define NNC_ELABORATE_INDEX_INTERNAL_H

#include "elaborate/elaborator.h"

/* The index runs over an axis of this size: its extent is set, or must be the same. */
bool meet_extent(Elaborator *el, Label *label, Dim extent, Span at);
bool meet_axes(Elaborator *el, Axes *axes, const Dim *dims, uint32_t count, Span at);

/* place.c. False after a diagnostic: a real number is not accepted as a subscript, even if it is whole. */
bool is_subscript(Elaborator *el, Value value, Span at);
/* The place of a gather that sizes and settings decide: it is on an axis of `size` from the moment when they are known.
 * Of any other place nothing is asked: the gather itself finds what is outside. */
void check_place(Elaborator *el, Node place, Dim size, const char *written, Span at);
/* Both are on an axis of `size`, where that is free from the moment when it is known; false after a
 * diagnostic. A negative constant counts from the end. */
bool place_of(Elaborator *el, Value value, Dim size, Span at, Dim *place);
/* 0 <= from <= to <= size of a slice `low:high`. */
bool range_of(Elaborator *el, Scope *scope, const Syntax *range, Dim size, Dim *from, Dim *to);

#endif
