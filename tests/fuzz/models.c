/* Models from the generator: each compiles or is refused, and the tame ones run.
 *
 *     models COUNT             the same ones each time
 *     models show NUMBER       prints one */
#include <string.h>

#include "compile.h"
#include "fuzz.h"
#include "generate.h"
#include "trials.h"

static void make(const void *data, uint64_t number, Text *to)
{
    (void)data;
    generate_model(number, to);
}

static void attempt(const void *data, uint64_t number, const Text *text)
{
    (void)data;
    compile_text(text_get(text), text->count, generate_is_tame(number));
}

int main(int argc, char **argv)
{
    LAW(argc > 1, "usage: models COUNT [FIRST] | models show NUMBER");
    if (argc == 3 && !strcmp(argv[1], "show")) {
        Text text = {0};
        generate_model(strtoull(argv[2], NULL, 10), &text);
        fputs(text_get(&text), stdout);
        text_free(&text);
        return 0;
    }
    const Trials trials = {"models", make, attempt, NULL};
    uint64_t count = strtoull(argv[1], NULL, 10), first = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    size_t failed = trials_run(&trials, first, first + count);
    printf("%llu models, %zu fail\n", (unsigned long long)count, failed);
    return failed > 0;
}
