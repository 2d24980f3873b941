/* Code generation: a plan becomes machine code, in this process (Jit) or in files. Kernels become functions of explicit
 * vector IR; everything else about a model becomes the constant tables of nn_image.h. The arithmetic of a kernel is
 * fixed when its IR is written (fused multiply-adds, lane trees, order of sums), and no pass may change it: compiled in
 * the process or ahead of time for the same CPU, at any level, the same plan gives the same bits. The only folder that
 * includes llvm-c. */
#ifndef NNC_CODEGEN_CODEGEN_H
#define NNC_CODEGEN_CODEGEN_H

#include "kernel/plan.h"
#include "support/context.h"

struct nn_image;

/* What a file is made of, in bytes as they are loaded. */
typedef struct {
    const char *cpu[3]; /* of each variant; NULL behind the last */
    size_t code[3];     /* of each variant: the model's own code and tables */
    size_t weights;
    size_t file; /* the whole file; what is none of the others is the run time with its micro kernels */
} CodegenSizes;

typedef struct {
    /* "native", "x86-64-v2", "x86-64-v3" or "x86-64-v4". NULL: in the process, and in text, native; in files that are
     * linked all of the three, of which the best is chosen when the model is opened. */
    const char *cpu;
    int level;   /* 1: little compile time (the JIT); 2: ahead of time; 0 counts as 1 */
    int threads; /* compile with so many threads at most; 0: as many as the process has cores, at most 4 */
    const char *const *programs; /* only these programs of the plan, ended by NULL; NULL: all of them (the Jit) */
    const void *weights; /* a safetensors file that the code carries: parameters start from it; NULL: none (files) */
    size_t weights_size;
    CodegenSizes *sizes; /* filled by codegen_write for a library, object or archive; NULL: nobody asks */
} CodegenOptions;

/* Where processor time went, in seconds of all threads together. */
typedef struct {
    double build;  /* kernels to LLVM IR */
    double select; /* LLVM IR to machine code */
    double load;   /* machine code into the process */
} CodegenTimes;

/* Machine code in this process. */
typedef struct Jit Jit;

/* Compiles what the options ask for. NULL after a diagnostic. The plan and its context must outlive the Jit. */
Jit *jit_compile(Context *context, const Plan *plan, const CodegenOptions *options);
/* The same in two halves: jit_start returns at once while threads compile, jit_wait waits for them (false after a
 * diagnostic; the Jit is still to be freed). In between the context may be used for anything, but the plan's kernels
 * must not change, and the Jit is good for nothing but jit_wait and jit_free. */
Jit *jit_start(Context *context, const Plan *plan, const CodegenOptions *options);
bool jit_wait(Jit *jit);
/* The model as the run time wants it; valid until jit_free. It lists the programs that are compiled: jit_require adds
 * to it in place, so models that were made from it before have the new ones too. */
const struct nn_image *jit_image(const Jit *jit);
/* Makes sure that a program of the plan (all of them: NULL) is compiled. False after a diagnostic. */
bool jit_require(Jit *jit, const char *program);
CodegenTimes jit_times(const Jit *jit);
void jit_free(Jit *jit);

typedef enum {
    CODEGEN_OBJECT,   /* .o: a relocatable object with the run time's core inside (in memory: the model's part alone) */
    CODEGEN_ARCHIVE,  /* .a: that object in an archive */
    CODEGEN_LIBRARY,  /* .so: with the run time's core inside, depends on libc alone */
    CODEGEN_LLVM,     /* .ll */
    CODEGEN_ASSEMBLY, /* .s */
    CODEGEN_HEADER    /* .h: the model's own C interface */
} CodegenOutput;

/* Writes a file (aside, then renamed). False after a diagnostic. */
bool codegen_write(Context *context, const Plan *plan, const CodegenOptions *options, CodegenOutput output,
                   const char *path);
/* The same as text or bytes at the end of `to`; not for libraries and archives. */
bool codegen_print(Context *context, const Plan *plan, const CodegenOptions *options, CodegenOutput output, Text *to);

/* The model's C header: self-contained C99 and C++. */
void header_print(const Module *module, Text *to);

#endif
