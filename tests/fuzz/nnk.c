/* The text form of kernels: whatever is read can be verified; what is valid prints and reads back equal. */
#include <string.h>

#include "fuzz.h"
#include "kernel/kernel.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Context *context = context_new();
    const char *at = arena_text(context->arena, (const char *)bytes, size), *error = NULL;
    Kernel *kernel = kernel_read(context, &at, &error);
    LAW(kernel || error, "refused without a reason");
    if (kernel && !kernel_verify(context, kernel)) {
        Text printed = {0};
        kernel_print(kernel, &printed);
        const char *again = text_get(&printed);
        Kernel *same = kernel_read(context, &again, &error);
        LAW(same && kernel_equal(kernel, same), "does not read back:\n%s", text_get(&printed));
        LAW(kernel_hash(kernel) == kernel_hash(same), "another hash:\n%s", text_get(&printed));
        text_free(&printed);
        KernelContraction form;
        (void)kernel_contraction(kernel, &form);
    }
    context_free(context);
    return 0;
}
