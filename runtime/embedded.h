/* The run-time core as a relocatable object (ELF, position independent, needs libc alone), for the linker that makes a
 * library of a model. */
#ifndef NN_EMBEDDED_H
#define NN_EMBEDDED_H

#include <stdint.h>

extern const unsigned char nnc_core_object[];
extern const uint64_t nnc_core_object_size;

#endif
