/* Generated data: small sets that need no file. Two columns: `point` f32[2] (blobs: f32[dims]) and `label` i32, in
 * range classes. Row i is of class c = i % classes and stands at t = u(2, i) on its curve.
 *
 *     u(s, i) = nn_random_uniform(seed, nn_random_stream(KIND, s), 0, i)          (nn_random.h)
 *     z(i)    = sqrt(-2 ln u(1, 2i)) * cos(2 pi u(1, 2i + 1))                     (Box and Muller 1958)
 *
 * blobs     samples = 1000, classes = 3, dims = 2, noise = 1, seed = 0
 *           point[j] = 10 * u(0, c * dims + j) - 5 + noise * z(i * dims + j)
 * spirals   samples = 1000, classes = 2, noise = 0.1, seed = 0
 *           angle = 2 pi c / classes + 4.5 t + noise * z(i);  point = t * (cos angle, sin angle)
 * moons     samples = 1000, noise = 0.1, seed = 0; two classes
 *           c = 0: (cos pi t, sin pi t);  c = 1: (1 - cos pi t, 1/2 - sin pi t);  plus noise * (z(2i), z(2i + 1))
 *
 * All in f64, rounded to f32 at the end. */
#ifndef NN_HOST_GENERATE_H
#define NN_HOST_GENERATE_H

#include "data/data.h"

#endif
