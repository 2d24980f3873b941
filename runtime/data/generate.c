#include "data/generate.h"

#include <math.h>
#include <stdlib.h>

#include "data/source.h"
#include "nn_random.h"
#include "nn_shown.h"

enum { MOST_SAMPLES = 100000000, MOST_CLASSES = 1000000, MOST_DIMS = 65536 };

static const double pi = 3.14159265358979323846;

typedef struct {
    const char *kind;
    int64_t samples, classes, dims;
    double noise;
    uint64_t seed;
} Generator;

static double uniform(const Generator *generator, int64_t stream, int64_t index)
{
    return nn_random_uniform(generator->seed, nn_random_stream(generator->kind, stream), 0, (uint64_t)index);
}

static double normal(const Generator *generator, int64_t index)
{
    return sqrt(-2 * log(uniform(generator, 1, 2 * index))) * cos(2 * pi * uniform(generator, 1, 2 * index + 1));
}

/* Where row i stands on its curve, in (0, 1): drawn, so that any part of the rows covers the whole curve. */
static double progress(const Generator *generator, int64_t i)
{
    return uniform(generator, 2, i);
}

typedef void Formula(const Generator *generator, int64_t i, float *point);

static void blob(const Generator *generator, int64_t i, float *point)
{
    int64_t c = i % generator->classes, n = generator->dims;
    for (int64_t j = 0; j < n; j++)
        point[j] = (float)(10 * uniform(generator, 0, c * n + j) - 5 + generator->noise * normal(generator, i * n + j));
}

static void spiral(const Generator *generator, int64_t i, float *point)
{
    double t = progress(generator, i), c = (double)(i % generator->classes);
    double angle = 2 * pi * c / (double)generator->classes + 4.5 * t + generator->noise * normal(generator, i);
    point[0] = (float)(t * cos(angle));
    point[1] = (float)(t * sin(angle));
}

static void moon(const Generator *generator, int64_t i, float *point)
{
    double t = pi * progress(generator, i);
    bool upper = i % 2 == 0;
    point[0] = (float)((upper ? cos(t) : 1 - cos(t)) + generator->noise * normal(generator, 2 * i));
    point[1] = (float)((upper ? sin(t) : 0.5 - sin(t)) + generator->noise * normal(generator, 2 * i + 1));
}

static int generate(const Generator *generator, Formula *formula, nn_source **out)
{
    nn_source *source = nn_source_new(2);
    if (!source) return NN_ERROR_MEMORY;
    size_t samples = (size_t)generator->samples;
    float *points = malloc((samples * (size_t)generator->dims + 1) * sizeof *points);
    int32_t *labels = malloc((samples + 1) * sizeof *labels);
    bool done = points && labels;
    for (int64_t i = 0; done && i < generator->samples; i++) {
        formula(generator, i, points + i * generator->dims);
        labels[i] = (int32_t)(i % generator->classes);
    }
    source->rows = generator->samples;
    if (!nn_source_set_column(source, 0, "point", NN_TYPE_F32, 1, &generator->dims, "where it lies", points, points))
        done = false;
    if (!nn_source_set_column(source, 1, "label", NN_TYPE_I32, 0, NULL, "its class", labels, labels)) done = false;
    source->columns[1].column.range = generator->classes;
    if (!done) {
        nn_source_free(source);
        return nn_fail(NN_ERROR_MEMORY, "no memory for %lld samples", (long long)generator->samples);
    }
    *out = source;
    return NN_OK;
}

/* Reads what all kinds have; two classes on the plane, where nothing else is said. */
static int read_arguments(const nn_source_request *request, Generator *generator)
{
    int64_t seed = 0;
    *generator = (Generator){.kind = request->kind, .classes = 2, .dims = 2};
    int status = nn_request_count(request, "samples", 1, MOST_SAMPLES, &generator->samples);
    if (!status) status = nn_request_count(request, "seed", 0, (int64_t)1 << 53, &seed);
    generator->seed = (uint64_t)seed;
    generator->noise = nn_request_number(request, "noise");
    if (!status && !(generator->noise >= 0 && generator->noise < HUGE_VAL))
        return nn_fail(NN_ERROR_ARGUMENT, "noise of %s is %g, but it is at least 0", request->kind,
                       nn_shown_number(generator->noise));
    return status;
}

int nn_blobs_open(const nn_source_request *request, nn_source **source)
{
    Generator generator;
    int status = read_arguments(request, &generator);
    if (!status) status = nn_request_count(request, "classes", 1, MOST_CLASSES, &generator.classes);
    if (!status) status = nn_request_count(request, "dims", 1, MOST_DIMS, &generator.dims);
    return status ? status : generate(&generator, blob, source);
}

int nn_spirals_open(const nn_source_request *request, nn_source **source)
{
    Generator generator;
    int status = read_arguments(request, &generator);
    if (!status) status = nn_request_count(request, "classes", 1, MOST_CLASSES, &generator.classes);
    return status ? status : generate(&generator, spiral, source);
}

int nn_moons_open(const nn_source_request *request, nn_source **source)
{
    Generator generator;
    int status = read_arguments(request, &generator);
    return status ? status : generate(&generator, moon, source);
}
