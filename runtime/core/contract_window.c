/* Contractions: which values of a list axis, and of k, windows leave to be seen. */
#include "contract_internal.h"

static int64_t floor_div(int64_t x, int64_t y)
{
    return x / y - (x % y != 0 && (x < 0) != (y < 0));
}

static int64_t greatest_divisor(int64_t x, int64_t y)
{
    while (y) {
        int64_t rest = x % y;
        x = y, y = rest;
    }
    return x;
}

static int64_t begin_of(const nn_window *w, const int64_t *batch)
{
    return w->offset + (w->outer >= 0 ? w->f_outer * batch[w->outer] : 0);
}

/* The values i of the inner axis for which f_inner * i + begin lies in 0 … (limit - 1) * div and is a multiple of div:
 * every step-th from the first on, since f_inner * step is the least common multiple of f_inner and div. */
static void clip(const nn_window *w, int64_t begin, nn_stretch *s)
{
    int64_t factor = w->f_inner < 0 ? -w->f_inner : w->f_inner, most = (w->limit - 1) * w->div;
    int64_t low = w->f_inner < 0 ? begin - most : -begin, high = w->f_inner < 0 ? begin : most - begin;
    int64_t first = factor == 1 ? low : -floor_div(-low, factor), last = factor == 1 ? high : floor_div(high, factor);
    if (first < 0) first = 0;
    if (last > s->count - 1) last = s->count - 1;
    s->step = w->div == 1 ? 1 : w->div / greatest_divisor(w->div, factor);
    int64_t end = first + s->step;
    while (w->div != 1 && first < end && (w->f_inner * first + begin) % w->div) first++;
    int64_t beyond = w->limit > 0 && first < end && first <= last ? last - first + s->step : 0;
    s->count = s->step == 1 ? beyond : beyond / s->step;
    s->first = first;
}

static int64_t divided(int64_t x, int64_t y)
{
    return y == 1 ? x : x / y;
}

void nn_stretch_all(const nn_contraction *c, int32_t axis, nn_stretch *s)
{
    bool inner = axis == NN_INNER_AXIS;
    s->first = 0, s->step = 1, s->a = s->b = 0;
    s->count = inner ? c->k : c->list_extent[axis];
    s->a_step = inner ? c->a_k : c->list_a[axis];
    s->b_step = inner ? c->b_k : c->list_b[axis];
}

bool nn_see(const nn_contraction *c, const nn_window *w, const int64_t *batch, nn_stretch *s)
{
    int64_t begin = begin_of(w, batch), first = s->first, count = s->count;
    if (w->inner < 0) {
        int64_t t = divided(begin, w->div);
        s->count = t * w->div == begin && t >= 0 && t < w->limit;
        s->a = w->operand ? 0 : t * w->stride;
        s->b = w->operand ? t * w->stride : 0;
        return s->count == count;
    }
    nn_stretch_all(c, w->inner, s);
    clip(w, begin, s);
    int64_t at = divided(w->f_inner * s->first + begin, w->div) * w->stride;
    int64_t step = divided(w->f_inner * s->step, w->div) * w->stride;
    s->a = s->first * s->a_step + (w->operand ? 0 : at);
    s->b = s->first * s->b_step + (w->operand ? at : 0);
    s->a_step = s->a_step * s->step + (w->operand ? 0 : step);
    s->b_step = s->b_step * s->step + (w->operand ? step : 0);
    return s->first == first && s->count == count;
}
