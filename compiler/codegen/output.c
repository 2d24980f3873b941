/* Compiling ahead of time: the files that are made of a plan. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "codegen/micro.h"
#include "codegen/object.h"
#include "codegen/variants.h"
#include "embedded.h"

/* One module with all of a plan, for one variant; NULL after a diagnostic. */
static Unit *plan_unit(Context *context, const Plan *plan, const CodegenOptions *options)
{
    CpuVariant cpu = unit_cpu(context, options ? options->cpu : NULL);
    if (cpu == CPU_COUNT) return NULL;
    units_prepare();
    char *error;
    Unit *unit = unit_new(cpu, options && options->level ? options->level : 2, plan->module->name, &error);
    if (!unit) {
        unit_refused(context, error);
        return NULL;
    }
    ImageTables *tables = image_build(context, plan, cpu);
    LLVMValueRef weights = weights_emit(unit, options, true);
    LLVMValueRef image = variant_emit(unit, plan, tables, weights, weights ? options->weights_size : 0);
    entry_emit(unit, plan->module, &image, 1);
    if (!context_stopped(context)) return unit;
    unit_free(unit);
    return NULL;
}

/* Machine code or assembly of the plan at the end of `to`. */
static bool print_unit(Context *context, Unit *unit, CodegenOutput output, Text *to)
{
    char *error = NULL;
    if (output == CODEGEN_LLVM) {
        char *text = LLVMPrintModuleToString(unit->vector.module);
        text_string(to, text);
        LLVMDisposeMessage(text);
        return true;
    }
    LLVMMemoryBufferRef buffer =
        unit_output(unit, output == CODEGEN_ASSEMBLY ? LLVMAssemblyFile : LLVMObjectFile, &error);
    if (!buffer) return unit_refused(context, error);
    text_put(to, LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
    LLVMDisposeMemoryBuffer(buffer);
    return true;
}

bool codegen_print(Context *context, const Plan *plan, const CodegenOptions *options, CodegenOutput output, Text *to)
{
    if (output == CODEGEN_HEADER) {
        header_print(plan->module, to);
        return true;
    }
    Unit *unit = plan_unit(context, plan, options);
    if (!unit) return false;
    bool good = print_unit(context, unit, output, to);
    unit_free(unit);
    return good;
}

static void add_sizes(const Variants *variants, const CodegenOptions *options, CodegenSizes *sizes)
{
    *sizes = (CodegenSizes){.weights = options->weights ? options->weights_size : 0};
    for (int i = 0; i < variants->count; i++) {
        LLVMMemoryBufferRef object = variants->objects[i];
        sizes->cpu[i] = cpu_name(variants->cpus[i]);
        sizes->code[i] = object_loaded((const unsigned char *)LLVMGetBufferStart(object), LLVMGetBufferSize(object));
    }
}

/* The plan's own objects together with the micro kernels and the run time's core. */
static bool link_plan(Context *context, const Plan *plan, const CodegenOptions *options, bool shared, const char *path)
{
    Variants variants;
    ObjectBytes objects[2 * MAX_VARIANTS + 2];
    size_t n = 0;
    if (!variants_choose(context, options, &variants)) return false;
    bool good = variants_compile(context, plan, options, &variants);
    if (good) {
        for (int i = 0; i <= variants.count; i++)
            objects[n++] =
                (ObjectBytes){LLVMGetBufferStart(variants.objects[i]), LLVMGetBufferSize(variants.objects[i])};
        for (int i = 0; i < variants.count; i++) {
            MicroObject micro = micro_object(variants.cpus[i]);
            objects[n++] = (ObjectBytes){micro.bytes, micro.size};
        }
        objects[n++] = (ObjectBytes){nnc_core_object, (size_t)nnc_core_object_size};
        good = link_objects(context, objects, n, shared, path);
    }
    if (good && options && options->sizes) add_sizes(&variants, options, options->sizes);
    variants_free(&variants);
    return good;
}

static bool write_text(Context *context, const Text *text, const char *path)
{
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(text_get(text), 1, text->count, file) == text->count;
    if (file) good = !fclose(file) && good;
    if (!good) diag_new(context->diagnostics, DIAG_unwritable_file, NO_SPAN, "%s: %s", path, strerror(errno));
    return good;
}

static bool report_object(Context *context, const char *path)
{
    diag_new(context->diagnostics, DIAG_link_failed, NO_SPAN, "%s: the linker made no object that can be read", path);
    return false;
}

/* Turns what the linker left at the path into the final object or archive: the core's symbols become its own. */
static bool finish_object(Context *context, const Plan *plan, bool archive, const char *path)
{
    size_t size;
    unsigned char *bytes = (unsigned char *)read_file(path, &size);
    Text text = {0};
    bool good = bytes && object_hide(bytes, size);
    const char *member = arena_format(context->arena, "%s.o", plan->module->name);
    if (good && archive)
        good = archive_print(bytes, size, member, &text);
    else if (good)
        text_put(&text, (const char *)bytes, size);
    good = good ? write_text(context, &text, path) : report_object(context, path);
    text_free(&text);
    free(bytes);
    return good;
}

/* A new file takes the place of an old one, but never that of a folder or a device; and where it goes must be writable.
 */
static bool can_write(Context *context, const char *path, const char *aside)
{
    struct stat old;
    const char *why = NULL;
    if (!stat(path, &old) && !S_ISREG(old.st_mode)) why = "it is not a file";
    FILE *file = why ? NULL : fopen(aside, "wb");
    if (!file && !why) why = strerror(errno);
    if (file) fclose(file);
    if (why) diag_new(context->diagnostics, DIAG_unwritable_file, NO_SPAN, "cannot write `%s`: %s", path, why);
    return !why;
}

bool codegen_write(Context *context, const Plan *plan, const CodegenOptions *options, CodegenOutput output,
                   const char *path)
{
    const char *aside = arena_format(context->arena, "%s.%ld.new", path, (long)getpid());
    if (!can_write(context, path, aside)) return false;
    struct stat written;
    bool good;
    if (output == CODEGEN_LIBRARY) {
        good = link_plan(context, plan, options, true, aside);
    } else if (output == CODEGEN_OBJECT || output == CODEGEN_ARCHIVE) {
        good = link_plan(context, plan, options, false, aside) &&
               finish_object(context, plan, output == CODEGEN_ARCHIVE, aside);
    } else {
        Text text = {0};
        good = codegen_print(context, plan, options, output, &text) && write_text(context, &text, aside);
        text_free(&text);
    }
    if (good && options && options->sizes && !stat(aside, &written)) options->sizes->file = (size_t)written.st_size;
    if (good && rename(aside, path)) {
        diag_new(context->diagnostics, DIAG_unwritable_file, NO_SPAN, "%s: %s", path, strerror(errno));
        good = false;
    }
    if (!good) unlink(aside);
    return good;
}
