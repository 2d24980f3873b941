/* The machine's speed limit, measured: what share of it a kernel reaches is the only figure that means something. */
#ifndef NNC_DRIVER_PEAK_H
#define NNC_DRIVER_PEAK_H

/* Fused multiply-adds in registers at the widest vectors of this CPU, in GFLOP/s (2 per multiply-add, f32) summed over
 * `threads`: the best of several runs of a few milliseconds. */
double peak_gflops(int threads);

#endif
