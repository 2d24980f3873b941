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
    int64_t first = -floor_div(-low, factor), last = floor_div(high, factor);
    if (first < 0) first = 0;
    if (last > s->count - 1) last = s->count - 1;
    s->step = w->div / greatest_divisor(w->div, factor);
    int64_t end = first + s->step;
    while (first < end && (w->f_inner * first + begin) % w->div) first++;
    s->count = w->limit > 0 && first < end && first <= last ? (last - first) / s->step + 1 : 0;
    s->first = first;
}

static void add_window(const nn_window *w, const int64_t *batch, nn_stretch *s)
{
    int64_t begin = begin_of(w, batch);
    clip(w, begin, s);
    int64_t at = (w->f_inner * s->first + begin) / w->div * w->stride;
    int64_t step = w->f_inner * s->step / w->div * w->stride;
    s->a = s->first * s->a_step + (w->operand ? 0 : at);
    s->b = s->first * s->b_step + (w->operand ? at : 0);
    s->a_step = s->a_step * s->step + (w->operand ? 0 : step);
    s->b_step = s->b_step * s->step + (w->operand ? step : 0);
}

bool nn_stretches(const nn_contraction *c, const int64_t *batch, nn_stretch *stretches, int64_t *a, int64_t *b)
{
    bool seen = true;
    for (int32_t i = 0; i < c->n_list; i++)
        stretches[i] =
            (nn_stretch){.step = 1, .count = c->list_extent[i], .a_step = c->list_a[i], .b_step = c->list_b[i]};
    stretches[c->n_list] = (nn_stretch){.step = 1, .count = c->k, .a_step = c->a_k, .b_step = c->b_k};
    for (int32_t i = 0; i < c->n_windows; i++) {
        const nn_window *w = &c->windows[i];
        if (w->inner >= 0) {
            add_window(w, batch, &stretches[w->inner == NN_INNER_AXIS ? c->n_list : w->inner]);
            continue;
        }
        int64_t begin = begin_of(w, batch), t = begin / w->div;
        seen = seen && begin % w->div == 0 && t >= 0 && t < w->limit;
        *(w->operand ? b : a) += t * w->stride;
    }
    for (int32_t i = 0; i <= c->n_list; i++) seen = seen && stretches[i].count > 0;
    return seen;
}
