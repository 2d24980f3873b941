/* Opening compiled libraries by path. */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/internal.h"

static void close_library(void *library)
{
    dlclose(library);
}

static bool read_at(int file, uint64_t offset, void *to, size_t size)
{
    return offset <= INT64_MAX && pread(file, to, size, (off_t)offset) == (ssize_t)size;
}

/* Where the last piece ends that the library's headers describe; 0 when they are not those of a library, which the
 * loader says better. */
static uint64_t described_size(int file)
{
    ElfW(Ehdr) header;
    ElfW(Phdr) segment;
    if (!read_at(file, 0, &header, sizeof header) || memcmp(header.e_ident, ELFMAG, SELFMAG)) return 0;
    if (header.e_ehsize != sizeof header || header.e_phentsize != sizeof segment) return 0;
    uint64_t end = header.e_shoff + (uint64_t)header.e_shnum * header.e_shentsize;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        uint64_t at = header.e_phoff + i * sizeof segment;
        if (!read_at(file, at, &segment, sizeof segment)) return at + sizeof segment;
        if (segment.p_offset + segment.p_filesz > end) end = segment.p_offset + segment.p_filesz;
    }
    return end;
}

/* The loader maps what the headers describe, and the first touch of what a shorter file lacks would end the process. */
static int check_whole(const char *path)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC), status = NN_OK;
    if (file < 0) return nn_fail_errno(path);
    if (fstat(file, &about)) {
        status = nn_fail_errno(path);
    } else if (S_ISREG(about.st_mode)) {
        uint64_t size = described_size(file);
        if (size > (uint64_t)about.st_size)
            status = nn_fail(NN_ERROR_FORMAT, "%s is cut off: it has %lld bytes, its headers describe %llu", path,
                             (long long)about.st_size, (unsigned long long)size);
    }
    close(file);
    return status;
}

int nn_model_open(const char *path, const nn_options *options, nn_model **model)
{
    if (!path || !model) return nn_fail(NN_ERROR_ARGUMENT, "the path or the place for the model is NULL");
    *model = NULL;
    int whole = check_whole(path);
    if (whole) return whole;
    /* dlopen looks up a name without a slash in the system's folders. */
    size_t size = strlen(path) + 3;
    char *place = malloc(size);
    if (!place) return nn_fail(NN_ERROR_MEMORY, "no memory to open %s", path);
    snprintf(place, size, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *library = dlopen(place, RTLD_NOW | RTLD_LOCAL);
    free(place);
    if (!library) return nn_fail(NN_ERROR_FILE, "%s", dlerror());
    void *symbol = dlsym(library, NN_IMAGE_ENTRY);
    nn_image_entry *entry;
    memcpy(&entry, &symbol, sizeof entry); /* ISO C has no cast from an object's address to a function's */
    int status = symbol ? nn_model_from_image(entry(), options, model)
                        : nn_fail(NN_ERROR_FORMAT, "%s is a library, but not one of a model (it has no %s)", path,
                                  NN_IMAGE_ENTRY);
    if (status) {
        dlclose(library);
        return status;
    }
    (*model)->library = library;
    (*model)->close_library = close_library;
    return NN_OK;
}
