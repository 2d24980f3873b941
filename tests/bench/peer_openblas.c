/* What a careful person writes by hand: the training steps of models/w1 … w3 in plain C over OpenBLAS, optimiser fused
 * where that is easy.  Prints the median microseconds of a step.
 *   cc -O3 -march=native -ffast-math peer_openblas.c -o peer_openblas -lopenblas -lm     OPENBLAS_NUM_THREADS=1
 * ./peer_openblas w1 */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_LAYERS = 104 };

typedef struct {
    int layers, batch, adam, step;
    float (*activate)(float), (*slope)(float);
    int width[MAX_LAYERS + 1];
    float *W[MAX_LAYERS], *dW[MAX_LAYERS], *m[MAX_LAYERS], *v[MAX_LAYERS];
    float *h[MAX_LAYERS + 1], *g[MAX_LAYERS + 1];
    int *label;
} Net;

static float *array(size_t count)
{
    float *at = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!at) abort();
    memset(at, 0, count * sizeof(float));
    return at;
}

static float relu(float x)
{
    return x > 0 ? x : 0;
}
static float relu_slope(float y)
{
    return y > 0;
}
static float tanh_slope(float y)
{
    return 1 - y * y;
}

static void forward(Net *n)
{
    for (int l = 0; l < n->layers; l++) {
        int in = n->width[l], out = n->width[l + 1];
        for (int r = 0; r < n->batch; r++)
            memcpy(n->h[l + 1] + (size_t)r * out, n->W[l] + (size_t)in * out, (size_t)out * 4);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n->batch, out, in, 1, n->h[l], in, n->W[l], out, 1,
                    n->h[l + 1], out);
        if (l < n->layers - 1)
            for (size_t i = 0; i < (size_t)n->batch * out; i++) n->h[l + 1][i] = n->activate(n->h[l + 1][i]);
    }
}

static void softmax_gradient(Net *n)
{
    int out = n->width[n->layers];
    for (int r = 0; r < n->batch; r++) {
        float *z = n->h[n->layers] + (size_t)r * out, *g = n->g[n->layers] + (size_t)r * out, top = z[0], sum = 0;
        for (int j = 1; j < out; j++) top = fmaxf(top, z[j]);
        for (int j = 0; j < out; j++) sum += g[j] = expf(z[j] - top);
        for (int j = 0; j < out; j++) g[j] /= sum * n->batch;
        g[n->label[r]] -= 1.0f / n->batch;
    }
}

static void update(Net *n, int l, size_t count)
{
    float a = 1e-3f / (1 - powf(0.9f, n->step)), b = 1 / (1 - powf(0.999f, n->step));
    float *restrict W = n->W[l], *restrict d = n->dW[l], *restrict m = n->m[l], *restrict v = n->v[l];
    for (size_t i = 0; i < count; i++) {
        m[i] = 0.9f * m[i] + 0.1f * d[i];
        v[i] = 0.999f * v[i] + 0.001f * d[i] * d[i];
        W[i] -= a * m[i] / (sqrtf(v[i] * b) + 1e-8f);
    }
}

static void step(Net *n)
{
    n->step++;
    forward(n);
    softmax_gradient(n);
    for (int l = n->layers - 1; l >= 0; l--) {
        int in = n->width[l], out = n->width[l + 1];
        float *g = n->g[l + 1], *d = n->adam ? n->dW[l] : n->W[l], scale = n->adam ? 1 : -0.01f;
        if (l) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n->batch, in, out, 1, g, out, n->W[l], out, 0, n->g[l],
                        in);
            for (size_t i = 0; i < (size_t)n->batch * in; i++) n->g[l][i] *= n->slope(n->h[l][i]);
        }
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in, out, n->batch, scale, n->h[l], in, g, out, !n->adam, d,
                    out);
        float *bias = d + (size_t)in * out;
        if (n->adam) memset(bias, 0, (size_t)out * 4);
        for (int r = 0; r < n->batch; r++)
            for (int j = 0; j < out; j++) bias[j] += scale * g[(size_t)r * out + j];
        if (n->adam) update(n, l, (size_t)(in + 1) * out);
    }
}

static Net *make(const char *name)
{
    Net *n = calloc(1, sizeof *n);
    int w1[] = {784, 128, 10}, w2[] = {784, 512, 512, 10};
    if (!strcmp(name, "w1")) {
        n->layers = 2, n->batch = 64;
        memcpy(n->width, w1, sizeof w1);
    } else if (!strcmp(name, "w2")) {
        n->layers = 3, n->batch = 128, n->adam = 1;
        memcpy(n->width, w2, sizeof w2);
    } else {
        n->layers = 101, n->batch = 32;
        for (int i = 0; i <= 100; i++) n->width[i] = 64;
        n->width[101] = 10;
    }
    n->activate = n->layers > 100 ? tanhf : relu;
    n->slope = n->layers > 100 ? tanh_slope : relu_slope;
    n->label = malloc((size_t)n->batch * sizeof(int));
    for (int i = 0; i < n->batch; i++) n->label[i] = rand() % 10;
    for (int l = 0; l <= n->layers; l++)
        n->h[l] = array((size_t)n->batch * n->width[l]), n->g[l] = array((size_t)n->batch * n->width[l]);
    for (int l = 0; l < n->layers; l++) {
        size_t count = (size_t)(n->width[l] + 1) * n->width[l + 1];
        n->W[l] = array(count), n->dW[l] = array(count), n->m[l] = array(count), n->v[l] = array(count);
        for (size_t i = 0; i < (size_t)n->width[l] * n->width[l + 1]; i++)
            n->W[l][i] = ((float)rand() / RAND_MAX - 0.5f) * 2 / sqrtf((float)n->width[l]);
    }
    for (int i = 0; i < n->batch * n->width[0]; i++) n->h[0][i] = (float)rand() / RAND_MAX;
    return n;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static double times[100000];
    Net *n = make(argc > 1 ? argv[1] : "w1");
    int count = 0;
    for (int i = 0; i < 5; i++) step(n);
    for (double end = now() + 1.0; count < 100000 && (now() < end || count < 20); count++) {
        double start = now();
        step(n);
        times[count] = now() - start;
    }
    qsort(times, (size_t)count, sizeof *times, by_value);
    printf("%.2f\n", times[count / 2] * 1e6);
    return 0;
}
