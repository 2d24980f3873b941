/* The table at the end of an epoch: a line for each layer, with neighbours that are alike folded. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "driver/watch_internal.h"
#include "nn_shown.h"

/* Neighbours of which so many are alike are folded. */
enum { FOLDED = 5 };

/* The gradient to compare with: the deepest layer's that has any. */
static double reference(const Watch *watch, const WatchStats *layers)
{
    for (uint32_t i = watch->n_layers; i-- > 0;)
        if (layers[i].gradient > 0 && isfinite(layers[i].gradient)) return layers[i].gradient;
    return 0;
}

WatchMark watch_mark(const Watch *watch, const WatchStats *layers, uint32_t layer)
{
    const WatchStats *stats = &layers[layer];
    double last = reference(watch, layers);
    if (!isfinite(stats->gradient) || stats->gradient > EXPLODED * last) return WATCH_EXPLODES;
    /* Dead units have no gradient either; that they are dead says more. */
    if (stats->dead > 0.5) return WATCH_DEAD;
    if (stats->saturated > 0.5) return WATCH_SATURATED;
    return stats->gradient < VANISHED * last ? WATCH_VANISHES : WATCH_CALM;
}

const char *watch_mark_text(WatchMark mark)
{
    static const char *const texts[] = {"", "vanishes", "explodes", "mostly dead", "mostly saturated"};
    return texts[mark];
}

/* Both paths with every `[number]` taken for equal. */
static bool same_layer(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++) {
        if (*a != '[') continue;
        while (isdigit((unsigned char)a[1])) a++;
        while (isdigit((unsigned char)b[1])) b++;
    }
    return *a == *b;
}

static void print_share(double share, Text *to)
{
    if (isnan(share))
        text_format(to, " %9s", "-");
    else
        text_format(to, " %7.0f %%", 100 * share);
}

static void print_place(const Watch *watch, const WatchLayer *layer, Text *to)
{
    Place place;
    if (source_place(watch->pipeline->context->sources, layer->place.start, &place))
        text_format(to, "  %s:%d", place.source->name, place.line);
}

static void print_row(const Watch *watch, const WatchStats *layers, uint32_t index, int width, Text *to)
{
    const WatchLayer *layer = &watch->layers[index];
    const WatchStats *stats = &layers[index];
    WatchMark mark = watch_mark(watch, layers, index);
    text_format(to, "  %-*s  %8.1e", width, layer->path, nn_shown_number(stats->gradient));
    if (isnan(stats->mean))
        text_format(to, "  %18s", "-");
    else
        text_format(to, "  %8.3g ± %-7.2g", nn_shown_number(stats->mean), nn_shown_number(stats->deviation));
    print_share(stats->dead, to);
    print_share(stats->saturated, to);
    text_format(to, "  %8.1e", nn_shown_number(stats->update));
    if (mark != WATCH_CALM) {
        text_format(to, "  %-8s", watch_mark_text(mark));
        print_place(watch, layer, to);
    }
    text_string(to, "\n");
}

static uint32_t end_of_run(const Watch *watch, const WatchStats *layers, uint32_t first)
{
    uint32_t i = first + 1;
    WatchMark mark = watch_mark(watch, layers, first);
    while (i < watch->n_layers && same_layer(watch->layers[first].path, watch->layers[i].path) &&
           watch_mark(watch, layers, i) == mark)
        i++;
    return i;
}

void watch_print_table(const Watch *watch, const WatchSample *sample, Text *to)
{
    int width = 12;
    for (uint32_t i = 0; i < watch->n_layers; i++) {
        int length = (int)strlen(watch->layers[i].path);
        if (length > width) width = length;
    }
    text_format(to, "  %-*s  %8s  %18s %9s %9s  %8s\n", width, "layer", "gradient", "activation", "dead", "saturated",
                "update");
    for (uint32_t i = 0; i < watch->n_layers;) {
        uint32_t end = end_of_run(watch, sample->layers, i);
        bool folded = end - i >= FOLDED;
        for (uint32_t k = i; k < end; k++) {
            if (!folded || k == i || k == end - 1)
                print_row(watch, sample->layers, k, width, to);
            else if (k == i + 1)
                text_format(to, "  … %u more like these\n", end - i - 2);
        }
        i = end;
    }
}
