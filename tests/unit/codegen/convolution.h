/* A convolution and its two gradients as one product each, described as the compiler does. */
#ifndef TESTS_UNIT_CODEGEN_CONVOLUTION_H
#define TESTS_UNIT_CODEGEN_CONVOLUTION_H

#include "core/contract.h"

typedef enum { FORWARD, INPUT_GRADIENT, FILTER_GRADIENT } Pass;

/* A convolution: images [images, height, width, channels], filters [taps, taps, channels, filters], channels last; or,
 * with channels_first, [images, channels, height, width] and [filters, channels, taps, taps]. */
typedef struct {
    Pass pass;
    int64_t images, height, width, channels, filters, taps, stride, dilation, padding;
    bool channels_first;
} Convolution;

typedef struct {
    nn_contraction contraction; /* a, b and c are buffers 0, 1 and 2 */
    int64_t n_a, n_b, n_c;      /* elements */
} Product;

/* Strides of the images' axes: image, row, column, channel. */
typedef struct {
    int64_t image, y, x, channel, elements;
} Picture;

static inline Picture picture_strides(const Convolution *v, int64_t height, int64_t width, int64_t channels)
{
    int64_t all = v->images * height * width * channels;
    if (v->channels_first) return (Picture){channels * height * width, width, 1, height * width, all};
    return (Picture){height * width * channels, width * channels, channels, 1, all};
}

static inline int64_t convolution_extent(const Convolution *v, int64_t extent)
{
    int64_t reach = extent + 2 * v->padding - v->dilation * (v->taps - 1) - 1;
    return reach < 0 ? 0 : reach / v->stride + 1;
}

static inline nn_window window_make(int operand, int outer, int inner, int64_t f_outer, int64_t f_inner, int64_t offset,
                                    int64_t div, int64_t limit, int64_t stride)
{
    return (nn_window){(int8_t)operand, (int8_t)outer, (int8_t)inner, f_outer, f_inner, offset, div, limit, stride};
}

/* The description of a pass, as the compiler makes it. */
static inline Product convolution_product(const Convolution *v)
{
    int64_t height = convolution_extent(v, v->height), width = convolution_extent(v, v->width), taps = v->taps;
    int64_t s = v->stride, d = v->dilation, p = v->padding;
    Picture x = picture_strides(v, v->height, v->width, v->channels), y = picture_strides(v, height, width, v->filters);
    /* strides of the filters */
    int64_t ku = v->channels_first ? taps : taps * v->channels * v->filters,
            kv = v->channels_first ? 1 : v->channels * v->filters;
    int64_t kc = v->channels_first ? taps * taps : v->filters, kf = v->channels_first ? v->channels * taps * taps : 1;
    int64_t n_k = taps * taps * v->channels * v->filters;
    Product r = {0};
    nn_contraction *t = &r.contraction;
    *t = (nn_contraction){.n_batch = 2, .n_list = 2, .n_windows = 2, .b = 1, .c = 2};
    if (v->pass == FORWARD) {
        t->m = v->images, t->n = v->filters, t->k = v->channels;
        t->a_m = x.image, t->a_k = x.channel, t->b_k = kc, t->b_n = kf;
        t->batch_extent[0] = height, t->batch_extent[1] = width;
        t->list_extent[0] = t->list_extent[1] = taps;
        t->list_b[0] = ku, t->list_b[1] = kv;
        t->windows[0] = window_make(0, 0, 0, s, d, -p, 1, v->height, x.y);
        t->windows[1] = window_make(0, 1, 1, s, d, -p, 1, v->width, x.x);
        t->c_m = v->filters, t->batch_c[0] = width * v->images * v->filters, t->batch_c[1] = v->images * v->filters;
        r.n_a = x.elements, r.n_b = n_k, r.n_c = y.elements;
    } else if (v->pass == INPUT_GRADIENT) {
        t->m = v->images, t->n = v->channels, t->k = v->filters;
        t->a_m = y.image, t->a_k = y.channel, t->b_k = kf, t->b_n = kc;
        t->batch_extent[0] = v->height, t->batch_extent[1] = v->width;
        t->list_extent[0] = t->list_extent[1] = taps;
        t->list_b[0] = ku, t->list_b[1] = kv;
        t->windows[0] = window_make(0, 0, 0, 1, -d, p, s, height, y.y);
        t->windows[1] = window_make(0, 1, 1, 1, -d, p, s, width, y.x);
        t->c_m = v->channels, t->batch_c[0] = v->width * v->images * v->channels,
        t->batch_c[1] = v->images * v->channels;
        r.n_a = y.elements, r.n_b = n_k, r.n_c = x.elements;
    } else {
        t->m = v->channels, t->n = v->filters, t->k = width;
        t->a_m = x.channel, t->b_k = y.x, t->b_n = y.channel;
        t->batch_extent[0] = t->batch_extent[1] = taps;
        t->list_extent[0] = v->images, t->list_extent[1] = height;
        t->list_a[0] = x.image, t->list_b[0] = y.image, t->list_b[1] = y.y;
        t->windows[0] = window_make(0, 0, 1, d, s, -p, 1, v->height, x.y);
        t->windows[1] = window_make(0, 1, NN_INNER_AXIS, d, s, -p, 1, v->width, x.x);
        t->c_m = v->filters, t->batch_c[0] = taps * v->channels * v->filters, t->batch_c[1] = v->channels * v->filters;
        r.n_a = x.elements, r.n_b = y.elements, r.n_c = n_k;
    }
    return r;
}

#endif
