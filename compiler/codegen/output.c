/* Compiling ahead of time: the files that are made of a plan. */

#include "codegen/codegen.h"
#include "codegen/link.h"
#include "codegen/micro.h"
#include "codegen/object.h"
#include "codegen/variants.h"
#include "core/new_file.h"
#include "embedded.h"
#include "nn.h"
#include "support/memory.h"

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

static void dispose_text(void *text)
{
    LLVMDisposeMessage(text);
}

static void dispose_buffer(void *buffer)
{
    LLVMDisposeMemoryBuffer(buffer);
}

/* Machine code or assembly of the plan at the end of `to`. */
static bool print_unit(Context *context, Unit *unit, CodegenOutput output, Text *to)
{
    char *error = NULL;
    if (output == CODEGEN_LLVM) {
        char *text = LLVMPrintModuleToString(unit->vector.module);
        memory_on_failure(dispose_text, text);
        text_string(to, text);
        memory_settle(text);
        LLVMDisposeMessage(text);
        return true;
    }
    LLVMMemoryBufferRef buffer =
        unit_output(unit, output == CODEGEN_ASSEMBLY ? LLVMAssemblyFile : LLVMObjectFile, &error);
    if (!buffer) return unit_refused(context, error);
    memory_on_failure(dispose_buffer, buffer);
    text_put(to, LLVMGetBufferStart(buffer), LLVMGetBufferSize(buffer));
    memory_settle(buffer);
    LLVMDisposeMemoryBuffer(buffer);
    return true;
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
static bool link_plan(Context *context, const Plan *plan, const CodegenOptions *options, bool shared, Text *to)
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
        good = link_objects(context, objects, n, shared, to);
    }
    if (good && options && options->sizes) add_sizes(&variants, options, options->sizes);
    variants_free(&variants);
    return good;
}

/* An object, or an archive of one, in which the core's symbols are its own. */
static bool print_linked(Context *context, const Plan *plan, const CodegenOptions *options, bool archive, Text *to)
{
    Text object = {0};
    bool good = link_plan(context, plan, options, false, &object);
    if (good) {
        const char *member = arena_format(context->arena, "%s.o", plan->module->name);
        bool readable = object_hide((unsigned char *)object.at, object.count);
        if (readable && archive)
            readable = archive_print((const unsigned char *)object.at, object.count, member, to);
        else if (readable)
            text_put(to, object.at, object.count);
        if (!readable)
            diag_new(context->diagnostics, DIAG_link_failed, NO_SPAN, "the linker made no object that can be read");
        good = readable;
    }
    text_free(&object);
    return good;
}

static bool print_file(Context *context, const Plan *plan, const CodegenOptions *options, CodegenOutput output,
                       Text *to)
{
    switch (output) {
    case CODEGEN_LIBRARY:
        return link_plan(context, plan, options, true, to);
    case CODEGEN_OBJECT:
    case CODEGEN_ARCHIVE:
        return print_linked(context, plan, options, output == CODEGEN_ARCHIVE, to);
    default:
        return codegen_print(context, plan, options, output, to);
    }
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

static void drop_file(void *file)
{
    nn_new_file_close(file, false);
}

/* Opened first: what cannot be written is not compiled. */
bool codegen_write(Context *context, const Plan *plan, const CodegenOptions *options, CodegenOutput output,
                   const char *path)
{
    nn_new_file file;
    Text text = {0};
    bool opened = !nn_new_file_open(path, &file);
    if (opened) memory_on_failure(drop_file, &file);
    bool good = opened && print_file(context, plan, options, output, &text);
    if (good) nn_new_file_write(&file, text_get(&text), text.count);
    if (good && options && options->sizes) options->sizes->file = text.count;
    text_free(&text);
    if (opened) memory_settle(&file);
    bool written = opened && !nn_new_file_close(&file, good);
    if (!opened || (good && !written))
        diag_new(context->diagnostics, DIAG_unwritable_file, NO_SPAN, "cannot write %s", nn_message());
    return good && written;
}
