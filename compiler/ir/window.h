/* Windows: one axis read at evenly spaced places, which is all that convolution and pooling need of movement. */
#ifndef NNC_IR_WINDOW_H
#define NNC_IR_WINDOW_H

#include "ir/graph.h"

/* An axis of `size` elements as two axes, of `count` positions and of `taps` each: y[i, u] = x[stride * i + dilation *
 * u - padding], 0 outside of x. The padding may be negative. */
typedef struct {
    uint32_t axis;
    int32_t stride, dilation; /* at least 1 */
    Dim padding, size, count, taps;
} Window;

/* What a WINDOW or an UNWINDOW does. */
Window window_of(const Graph *graph, Node node);
/* The index that the last tap of the last position reads; the first reads -padding. */
Dim window_last_index(const Graph *graph, const Window *window);
/* True if surely nothing is read before the first element of the axis or after its last. */
bool window_is_inside(const Graph *graph, const Window *window);

/* The windows of x, whose axis gives the size, in normal form: windows over several axes by ascending axis; one
 * position or one tap as a slice or padding; neighbouring whole windows as a reshape; over a padding as more padding;
 * reversed and repeated axes outside. */
Node build_window(Graph *graph, Node x, Window window);
/* The transpose: of g, whose axes give count and taps, an axis of `size` sums. */
Node build_unwindow(Graph *graph, Node g, Window window);

#endif
