/* Runs a fuzz target over the files of folders, without libFuzzer: what was found once stays found. */
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

enum { SECONDS = 60 }; /* a file; sanitizers are slow */

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    LAW(file, "%s", path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    /* Just as large as the file, so that the sanitizer sees a read past it. */
    uint8_t *bytes = malloc(size ? size : 1);
    LAW(fread(bytes, 1, size, file) == size, "%s", path);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    alarm(SECONDS);
    LLVMFuzzerTestOneInput(bytes, size);
    alarm(0);
    free(bytes);
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        char pattern[4096];
        glob_t files;
        snprintf(pattern, sizeof pattern, "%s/*", argv[i]);
        LAW(!glob(pattern, 0, NULL, &files), "%s is empty", argv[i]);
        for (size_t k = 0; k < files.gl_pathc; k++) run_file(files.gl_pathv[k]);
        count += files.gl_pathc;
        globfree(&files);
    }
    LAW(count, "usage: replay FOLDER ...");
    printf("%zu files\n", count);
    return 0;
}
