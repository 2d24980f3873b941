/* The picture of a watched training: under one time axis the loss, then the norms of the gradients and the deviations
 * of the activations as maps of depth over time. Colours lie in a style sheet, so that one file is right on light and
 * dark paper. */
#include <math.h>
#include <string.h>

#include "driver/watch_internal.h"

enum {
    WIDTH = 900,
    LEFT = 170, /* of the maps */
    RIGHT = 790,
    BAR = 806, /* of the colour scale */
    BAR_WIDTH = 12,
    LOSS_HEIGHT = 64,
    MAP_HEIGHT = 272,
    LEVELS = 24,       /* colours of a map */
    MOST_COLUMNS = 96, /* of a map: samples beyond it are left out, evenly */
    MOST_ROWS = 136,
    LONGEST_LABEL = 24
};

/* A map of values as colours: even in their logarithms, from lo to hi. */
typedef struct {
    const char *title;
    char class;
    size_t offset;       /* of the value in WatchStats */
    double fewest, most; /* decades, so that what differs little looks so */
    double lo, hi;       /* powers of ten */
    double top;
} Map;

typedef struct {
    const Watch *watch;
    Text *to;
    uint32_t rows, row_stride;
    size_t columns, column_stride;
    double height; /* of a map */
} Picture;

/* ---- Colours ---- */

/* Sequential, even in lightness: viridis (Smith and van der Walt 2015) and mako (Waskom 2021), at equal distances. */
static const unsigned char gradient_colours[][3] = {{68, 1, 84},    {71, 44, 122},  {59, 81, 139},
                                                    {44, 113, 142}, {33, 144, 141}, {39, 173, 129},
                                                    {92, 200, 99},  {170, 220, 50}, {253, 231, 37}};
static const unsigned char deviation_colours[][3] = {{24, 13, 26},   {46, 30, 60},    {62, 51, 101},
                                                     {60, 79, 139},  {52, 110, 157},  {53, 142, 166},
                                                     {63, 174, 173}, {127, 212, 177}, {222, 245, 229}};
enum { STOPS = sizeof gradient_colours / sizeof *gradient_colours };

static void print_colours(char class, const unsigned char (*stops)[3], Text *to)
{
    for (int level = 0; level < LEVELS; level++) {
        double at = (double)level / (LEVELS - 1) * (STOPS - 1);
        int low = (int)at < STOPS - 1 ? (int)at : STOPS - 2;
        int mixed[3];
        for (int c = 0; c < 3; c++)
            mixed[c] = (int)lround(stops[low][c] + (at - low) * (stops[low + 1][c] - stops[low][c]));
        text_format(to, ".%c%d{fill:#%02x%02x%02x}", class, level, (unsigned)mixed[0], (unsigned)mixed[1],
                    (unsigned)mixed[2]);
    }
    text_string(to, "\n");
}

static void print_style(Text *to)
{
    text_string(to,
                "<style>\n"
                "text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:12px}\n"
                ".paper{fill:#ffffff}.ink{fill:#1f2328}.soft{fill:#59636e}.warn{fill:#c02a37}\n"
                ".axis{stroke:#59636e;fill:none}.grid{stroke:#d1d9e0;fill:none}\n"
                ".loss{stroke:#0969da;stroke-width:1.75;fill:none;stroke-linejoin:round}\n"
                ".none{fill:#d1d9e0}.title{font-size:18px;font-weight:600}.head{font-weight:600}.small{font-size:9px}\n"
                "@media (prefers-color-scheme:dark){\n"
                ".paper{fill:#0d1117}.ink{fill:#e6edf3}.soft{fill:#9198a1}.warn{fill:#ff7b72}\n"
                ".axis{stroke:#9198a1}.grid{stroke:#3d444d}.loss{stroke:#58a6ff}.none{fill:#3d444d}\n"
                "}\n");
    print_colours('g', gradient_colours, to);
    print_colours('a', deviation_colours, to);
    text_string(to, "</style>\n");
}

/* ---- Scales ---- */

static double value_of(const Map *map, const WatchStats *stats)
{
    double value;
    memcpy(&value, (const char *)stats + map->offset, sizeof value);
    return value;
}

/* The step by which a scale of `span` is divided into few round parts. */
static double round_step(double span, int parts)
{
    double step = pow(10, floor(log10(span / parts)));
    static const double factors[] = {1, 2, 5, 10};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (span / (step * factors[i]) <= parts) return step * factors[i];
    return 10 * step;
}

static void find_scale(const Watch *watch, Map *map)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < watch->samples.count; i++)
        for (uint32_t l = 0; l < watch->n_layers; l++) {
            double value = value_of(map, &watch->samples.at[i].layers[l]);
            if (!(value > 0) || !isfinite(value)) continue;
            if (value < low) low = value;
            if (value > high) high = value;
        }
    if (!(high > 0)) low = high = 1;
    map->hi = ceil(log10(high));
    map->lo = fmax(fmin(floor(log10(low)), map->hi - map->fewest), map->hi - map->most);
}

/* The colour of a value; -1 when there is none. */
static int level_of(const Map *map, double value)
{
    if (isnan(value)) return -1;
    double at = value > 0 ? log10(value) : map->lo;
    double level = (at - map->lo) / (map->hi - map->lo) * LEVELS;
    return level < 0 ? 0 : level >= LEVELS ? LEVELS - 1 : (int)level;
}

/* ---- Time ---- */

static const WatchSample *sample_at(const Picture *p, size_t column)
{
    return &p->watch->samples.at[column * p->column_stride];
}

/* Steps that a column stands for. */
static double column_steps(const Picture *p)
{
    return (double)(p->watch->every * p->watch->stride * p->column_stride);
}

static double x_of(const Picture *p, double step)
{
    double first = (double)sample_at(p, 0)->step;
    return LEFT + (step - first) / (column_steps(p) * (double)p->columns) * (RIGHT - LEFT);
}

static void print_time_axis(const Picture *p, double y)
{
    double first = (double)sample_at(p, 0)->step, last = first + column_steps(p) * (double)p->columns;
    double by = fmax(round_step(last - first, 8), 1);
    for (double step = ceil(first / by) * by; step < last; step += by) {
        double x = x_of(p, step);
        text_format(p->to, "<path class=\"axis\" d=\"M%.1f %.1fv5\"/>", x, y);
        text_format(p->to, "<text class=\"soft\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%.0f</text>\n", x, y + 18,
                    step);
    }
    text_format(p->to, "<text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"middle\">step</text>\n",
                (LEFT + RIGHT) / 2, y + 36);
}

/* ---- The loss ---- */

static void print_loss(const Picture *p, double top)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < p->columns; i++) {
        double loss = sample_at(p, i)->loss;
        if (!isfinite(loss)) continue;
        low = fmin(low, loss);
        high = fmax(high, loss);
    }
    text_format(p->to, "<text class=\"ink head\" x=\"%d\" y=\"%.1f\">loss</text>\n", LEFT, top - 8);
    if (!(low <= high)) return;
    /* From zero, so that a loss that does not move looks so. */
    low = fmin(low, 0);
    double by = high > low ? round_step(high - low, 3) : 1;
    for (double tick = ceil(low / by) * by; tick <= high; tick += by) {
        double y = top + LOSS_HEIGHT * (1 - (tick - low) / (high - low + (high == low)));
        text_format(p->to, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y, RIGHT);
        text_format(p->to, "<text class=\"soft\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT - 8, y + 4,
                    fabs(tick) < by / 2 ? 0 : tick);
    }
    text_string(p->to, "<path class=\"loss\" d=\"");
    bool drawing = false;
    for (size_t i = 0; i < p->columns; i++) {
        const WatchSample *sample = sample_at(p, i);
        bool there = isfinite(sample->loss);
        if (there)
            text_format(p->to, "%c%.1f %.1f", drawing ? 'L' : 'M', x_of(p, (double)sample->step),
                        top + LOSS_HEIGHT * (1 - (sample->loss - low) / (high - low + (high == low))));
        drawing = there;
    }
    text_string(p->to, "\"/>\n");
}

/* ---- Maps ---- */

static double y_of(const Picture *p, const Map *map, uint32_t row)
{
    return map->top + p->height * row / p->rows;
}

/* Neighbours in time of one colour are one rectangle, all rectangles of one colour one path. */
static void print_level(const Picture *p, const Map *map, int level)
{
    bool any = false;
    for (uint32_t row = 0; row < p->rows; row++) {
        double y = y_of(p, map, row), height = y_of(p, map, row + 1) - y;
        for (size_t i = 0, end; i < p->columns; i = end) {
            end = i + 1;
            const WatchStats *stats = &sample_at(p, i)->layers[row * p->row_stride];
            if (level_of(map, value_of(map, stats)) != level) continue;
            while (end < p->columns &&
                   level_of(map, value_of(map, &sample_at(p, end)->layers[row * p->row_stride])) == level)
                end++;
            double x = LEFT + (double)((RIGHT - LEFT) * i) / (double)p->columns;
            double width = (double)((RIGHT - LEFT) * (end - i)) / (double)p->columns;
            if (!any && level < 0) text_string(p->to, "<path class=\"none\" d=\"");
            if (!any && level >= 0) text_format(p->to, "<path class=\"%c%d\" d=\"", map->class, level);
            any = true;
            text_format(p->to, "M%.1f %.1fh%.1fv%.1fh-%.1fz", x, y, width, height, width);
        }
    }
    if (any) text_string(p->to, "\"/>\n");
}

static void print_tick(const Picture *p, int power, double y)
{
    text_format(p->to, "<path class=\"axis\" d=\"M%d %.1fh4\"/>", BAR + BAR_WIDTH, y);
    text_format(p->to,
                "<text class=\"soft\" x=\"%d\" y=\"%.1f\">10<tspan class=\"small\" dy=\"-5\">%s%d</tspan></text>\n",
                BAR + BAR_WIDTH + 8, y + 4, power < 0 ? "−" : "", abs(power));
}

static void print_bar(const Picture *p, const Map *map)
{
    double size = p->height / LEVELS, span = map->hi - map->lo;
    for (int level = 0; level < LEVELS; level++)
        text_format(p->to, "<path class=\"%c%d\" d=\"M%d %.2fh%dv%.2fh-%dz\"/>", map->class, level, BAR,
                    map->top + p->height - size * (level + 1), BAR_WIDTH, size, BAR_WIDTH);
    double by = fmax(round_step(span, (int)fmax(p->height / 24, 1)), 1);
    for (double at = ceil(map->lo / by) * by; at <= map->hi; at += by)
        print_tick(p, (int)at, map->top + p->height * (1 - (at - map->lo) / span));
}

static void print_label(const Picture *p, uint32_t layer, double y)
{
    Name path = p->watch->layers[layer].path;
    const WatchStats *last = vec_last(&p->watch->samples).layers;
    WatchMark mark = watch_mark(p->watch, last, layer);
    int length = (int)strlen(path);
    text_format(p->to, "<text class=\"%s\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
                mark == WATCH_CALM ? "soft" : "warn", LEFT - 8, y);
    if (length > LONGEST_LABEL)
        text_format(p->to, "…%s", path + length - LONGEST_LABEL + 1);
    else
        text_string(p->to, path);
    text_string(p->to, "</text>\n");
}

static void print_map(const Picture *p, const Map *map)
{
    text_format(p->to, "<text class=\"ink head\" x=\"%d\" y=\"%.1f\">%s</text>\n", LEFT, map->top - 8, map->title);
    text_string(p->to, "<g shape-rendering=\"crispEdges\">\n");
    for (int level = -1; level < LEVELS; level++) print_level(p, map, level);
    print_bar(p, map);
    text_string(p->to, "</g>\n");
    uint32_t skip = 1;
    while (p->height / p->rows * skip < 12) skip++;
    for (uint32_t row = 0; row < p->rows; row++) {
        /* The last layer has its name; one too near to it has none. */
        bool last = row == p->rows - 1;
        if (last || (row % skip == 0 && p->rows - 1 - row >= skip))
            print_label(p, row * p->row_stride, (y_of(p, map, row) + y_of(p, map, row + 1)) / 2 + 4);
    }
}

/* ---- The whole ---- */

static void print_heading(const Picture *p, double bottom)
{
    const Watch *watch = p->watch;
    text_format(p->to, "<text class=\"ink title\" x=\"24\" y=\"34\">%s: gradients and activations</text>\n",
                watch->pipeline->program->module->name);
    text_format(p->to,
                "<text class=\"soft\" x=\"24\" y=\"54\">%u layers with parameters, from the input (top) to the loss "
                "(bottom)</text>\n",
                watch->n_layers);
    text_format(
        p->to,
        "<text class=\"soft\" x=\"%d\" y=\"%.0f\"><tspan class=\"warn\">Red names</tspan>: in the end the gradient "
        "has vanished (below 10⁻⁴ of the last layer’s) or exploded (above 10⁴ of it),</text>\n"
        "<text class=\"soft\" x=\"%d\" y=\"%.0f\">or most units are dead or saturated.</text>\n",
        LEFT, bottom - 18, LEFT, bottom);
}

void watch_print_picture(const Watch *watch, Text *to)
{
    Map gradient = {.title = "norm of the gradient",
                    .class = 'g',
                    .offset = offsetof(WatchStats, gradient),
                    .fewest = 6,
                    .most = 20};
    Map deviation = {.title = "deviation of the activation",
                     .class = 'a',
                     .offset = offsetof(WatchStats, deviation),
                     .fewest = 2,
                     .most = 4};
    Picture p = {.watch = watch, .to = to};
    p.row_stride = (watch->n_layers + MOST_ROWS - 1) / MOST_ROWS;
    p.rows = watch->n_layers ? (watch->n_layers - 1) / p.row_stride + 1 : 0;
    p.column_stride = (watch->samples.count + MOST_COLUMNS - 1) / MOST_COLUMNS;
    p.columns = watch->samples.count ? (watch->samples.count - 1) / p.column_stride + 1 : 0;
    p.height = fmin(MAP_HEIGHT, 28.0 * p.rows);
    gradient.top = 96 + LOSS_HEIGHT + 44;
    deviation.top = gradient.top + p.height + 44;
    double height = deviation.top + p.height + 98;
    text_format(to,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" "
                "role=\"img\" aria-label=\"gradients and activations of %s over depth and time\">\n",
                WIDTH, height, WIDTH, height, watch->pipeline->program->module->name);
    print_style(to);
    text_format(to, "<rect class=\"paper\" width=\"%d\" height=\"%.0f\"/>\n", WIDTH, height);
    print_heading(&p, height - 16);
    if (p.rows && p.columns) {
        find_scale(watch, &gradient);
        find_scale(watch, &deviation);
        print_loss(&p, 96);
        print_map(&p, &gradient);
        print_map(&p, &deviation);
        print_time_axis(&p, deviation.top + p.height);
    }
    text_string(to, "</svg>\n");
}
