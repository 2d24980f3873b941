/* Predicting inside a C program, with fashion.so, its weights and the C library alone: reads images and labels in the
 * plain IDX format and prints how many it names rightly.
 *
 *     nnc train fashion.nn -o fashion.safetensors && nnc fashion.nn -o fashion.so
 *     cc -std=c99 classify.c ./fashion.so -o classify
 *     ./classify fashion.safetensors t10k-images-idx3-ubyte t10k-labels-idx1-ubyte
 */
#include <stdio.h>
#include <stdlib.h>

#include "fashion.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE, CLASSES = 10, BATCH = 500 };

static const char *const clothes[CLASSES] = {"T-shirt", "trouser", "pullover", "dress", "coat",
                                             "sandal",  "shirt",   "sneaker",  "bag",   "boot"};

static void check(int status)
{
    if (status == 0) return;
    fprintf(stderr, "fashion: %s\n", fashion_message());
    exit(1);
}

/* Opens an IDX file and reads past its header of `words` big-endian numbers; returns the number of items. */
static long open_idx(const char *path, int words, FILE **file)
{
    unsigned char header[16];
    *file = fopen(path, "rb");
    if (!*file || fread(header, 4, (size_t)words, *file) != (size_t)words || header[2] != 8) {
        fprintf(stderr, "%s: not an IDX file of bytes\n", path);
        exit(1);
    }
    return (long)header[4] << 24 | (long)header[5] << 16 | (long)header[6] << 8 | header[7];
}

int main(int argc, char **argv)
{
    static unsigned char pixels[BATCH * PIXELS], labels[BATCH];
    static float image[BATCH * PIXELS], probability[BATCH * CLASSES];
    if (argc != 4) {
        fprintf(stderr, "usage: classify WEIGHTS IMAGES LABELS\n");
        return 2;
    }
    FILE *images, *answers;
    long count = open_idx(argv[2], 4, &images);
    if (open_idx(argv[3], 2, &answers) != count) {
        fprintf(stderr, "as many labels as images, please\n");
        return 1;
    }

    fashion_params *params;
    fashion_session *session;
    check(fashion_params_new(1, &params));
    check(fashion_params_load(params, argv[1]));
    check(fashion_session_new(params, &session));

    long right = 0, done = 0;
    int first = -1;
    while (done < count) {
        size_t rows = fread(pixels, PIXELS, BATCH, images);
        if (rows == 0 || fread(labels, 1, rows, answers) != rows) break;
        for (size_t i = 0; i < rows * PIXELS; i++) image[i] = (float)pixels[i] / 255;
        check(fashion_forward(session, (int64_t)rows, image, NULL, 0));
        check(fashion_get(session, "probability", probability, rows * CLASSES));
        for (size_t i = 0; i < rows; i++) {
            int best = 0;
            for (int c = 1; c < CLASSES; c++)
                if (probability[i * CLASSES + (size_t)c] > probability[i * CLASSES + (size_t)best]) best = c;
            right += best == labels[i];
            if (first < 0) first = best;
        }
        done += (long)rows;
    }
    if (done) printf("the first picture shows: %s\n", clothes[first]);
    printf("%ld of %ld right (%.2f %%)\n", right, done, 100.0 * (double)right / (double)(done ? done : 1));

    fclose(images);
    fclose(answers);
    fashion_session_free(session);
    fashion_params_free(params);
    return done == count ? 0 : 1;
}
