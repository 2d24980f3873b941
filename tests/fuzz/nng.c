/* The text form of modules: what is read is valid, prints, and reads back as the same text. */
#include <string.h>

#include "fuzz.h"
#include "ir/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    Context *context = context_new();
    Module *module = module_read(context, source_add(context->sources, "input.nng", (const char *)bytes, size));
    LAW(!module == (diagnostics_errors(context->diagnostics) > 0), "a module and an error, or neither");
    if (module) {
        const char *wrong = module_verify(module);
        LAW(!wrong, "%s", wrong);
        Text first = {0}, second = {0};
        module_print(module, &first);
        Module *again = module_read(context, source_add(context->sources, "again.nng", text_get(&first), first.count));
        LAW(again, "does not read back:\n%s", text_get(&first));
        module_print(again, &second);
        LAW(!strcmp(text_get(&first), text_get(&second)), "%s\nreads back as\n%s", text_get(&first), text_get(&second));
        text_free(&first);
        text_free(&second);
        graph_free(again->graph);
        graph_free(module->graph);
    }
    context_free(context);
    return 0;
}
