#include "codegen/link.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/memory.h"

extern char **environ;

enum { MAX_OBJECTS = 8, MAX_ARGUMENTS = 24 };

/* A folder of our own for what the linker reads and says. */
typedef struct {
    Context *context;
    char *folder;
    const char *files[MAX_OBJECTS];
    size_t n_files;
    const char *made, *log; /* what the linker makes, and what it says */
} Workplace;

static bool fail(Context *context, DiagId id, const char *what, const char *why)
{
    diag_new(context->diagnostics, id, NO_SPAN, "%s: %s", what, why);
    return false;
}

static bool write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file) return false;
    bool good = fwrite(bytes, 1, size, file) == size;
    return !fclose(file) && good;
}

static void remove_workplace(void *data)
{
    const Workplace *place = data;
    for (size_t i = 0; i < place->n_files; i++) unlink(place->files[i]);
    if (place->made) unlink(place->made);
    if (place->log) unlink(place->log);
    rmdir(place->folder);
}

static bool workplace_open(Workplace *place, Context *context)
{
    const char *temporary = getenv("TMPDIR");
    *place = (Workplace){.context = context};
    place->folder = arena_format(context->arena, "%s/nnc-XXXXXX", temporary && *temporary ? temporary : "/tmp");
    if (!mkdtemp(place->folder)) return fail(context, DIAG_unwritable_file, place->folder, strerror(errno));
    memory_on_failure(remove_workplace, place);
    place->made = arena_format(context->arena, "%s/made", place->folder);
    place->log = arena_format(context->arena, "%s/log", place->folder);
    return true;
}

static bool workplace_put(Workplace *place, const ObjectBytes *object)
{
    const char *path = arena_format(place->context->arena, "%s/%zu.o", place->folder, place->n_files);
    place->files[place->n_files++] = path;
    if (write_bytes(path, object->bytes, object->size)) return true;
    return fail(place->context, DIAG_unwritable_file, path, strerror(errno));
}

static void workplace_close(Workplace *place)
{
    memory_settle(place);
    remove_workplace(place);
}

/* ---- The linker ---- */

/* The full path of a program, arena; NULL when the path has none. */
static const char *find_program(Context *context, const char *name)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        const char *full = arena_format(context->arena, "%.*s/%s", (int)length, path, name);
        if (length && !access(full, X_OK)) return full;
        path += length + (path[length] == ':');
    }
    return NULL;
}

static const char *find_linker(Context *context, bool *driver)
{
    static const char *const names[] = {"ld.lld", "ld.lld-19", "ld", "cc"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *found = find_program(context, names[i]);
        *driver = !strcmp(names[i], "cc");
        if (found) return found;
    }
    diag_hint(diag_new(context->diagnostics, DIAG_no_linker, NO_SPAN,
                       "a linker is needed to make a library, but there is no ld.lld, ld.lld-19, ld or cc on the path"),
              "install lld or binutils, or write an object (-o model.o) and link it yourself");
    return NULL;
}

/* The C library that this process runs with: linking against it gives the model's references their versions. NULL when
 * it cannot be told (a static nnc): the references then stay open until the model is loaded. */
static const char *libc_path(Context *context)
{
    Dl_info info;
    void *symbol = dlsym(RTLD_DEFAULT, "gnu_get_libc_version");
    if (!symbol || !dladdr(symbol, &info) || !info.dli_fname || !strstr(info.dli_fname, "libc.so")) return NULL;
    return arena_text(context->arena, info.dli_fname, strlen(info.dli_fname));
}

static void set_arguments(const Workplace *place, bool shared, const char *linker, bool driver, const char **arguments)
{
    static const char *const library[] = {"-shared", "--gc-sections", "-z", "noexecstack", "-z", "relro", "-z", "now"};
    static const char *const by_driver[] = {"-shared",      "-nostdlib", "-Wl,--gc-sections", "-Wl,-z,noexecstack",
                                            "-Wl,-z,relro", "-Wl,-z,now"};
    size_t n = 0;
    arguments[n++] = linker;
    if (!shared) {
        arguments[n++] = "-r";
        if (driver) arguments[n++] = "-nostdlib";
    } else if (driver) {
        for (size_t i = 0; i < sizeof by_driver / sizeof *by_driver; i++) arguments[n++] = by_driver[i];
    } else {
        for (size_t i = 0; i < sizeof library / sizeof *library; i++) arguments[n++] = library[i];
    }
    arguments[n++] = "-o";
    arguments[n++] = place->made;
    for (size_t i = 0; i < place->n_files; i++) arguments[n++] = place->files[i];
    const char *libc = shared ? libc_path(place->context) : NULL;
    if (libc) arguments[n++] = libc;
    arguments[n] = NULL;
}

enum { KILLED = -2 };

/* Runs a program with its output going to the log. Its exit status, -1 when it cannot be run, KILLED by a signal. */
static int run_program(const char *const *arguments, const char *log)
{
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    pid_t child;
    int failed = posix_spawn(&child, arguments[0], &actions, NULL, (char *const *)(void *)arguments, environ), status;
    posix_spawn_file_actions_destroy(&actions);
    if (failed) return -1;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

static bool run_linker(const Workplace *place, const char *const *arguments)
{
    int status = run_program(arguments, place->log);
    if (!status) return true;
    /* A linker that writes to mapped memory dies when the disk is full, and what it says then is of no use. */
    if (status == KILLED)
        return fail(place->context, DIAG_link_failed, arguments[0], "ended by a signal; is the disk full?");
    size_t size;
    char *said = read_file(place->log, &size);
    Diag *diag = NULL;
    for (char *line = said, *rest; line && *line; line = rest) {
        rest = line + strcspn(line, "\n");
        if (*rest) *rest++ = 0;
        if (diag)
            diag_note(diag, NO_SPAN, "%s", line);
        else
            diag = diag_new(place->context->diagnostics, DIAG_link_failed, NO_SPAN, "%s: %s", arguments[0], line);
    }
    if (!diag) fail(place->context, DIAG_link_failed, arguments[0], "cannot be run");
    memory_free(said);
    return false;
}

static bool read_made(const Workplace *place, Text *to)
{
    size_t size;
    char *bytes = read_file(place->made, &size);
    if (!bytes) return fail(place->context, DIAG_link_failed, place->made, strerror(errno));
    text_put(to, bytes, size);
    memory_free(bytes);
    return true;
}

bool link_objects(Context *context, const ObjectBytes *objects, size_t count, bool shared, Text *to)
{
    Workplace place;
    const char *arguments[MAX_ARGUMENTS];
    bool driver;
    const char *linker = find_linker(context, &driver);
    if (!linker || !workplace_open(&place, context)) return false;
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        if (objects[i].size) good = workplace_put(&place, &objects[i]);
    }
    if (good) {
        set_arguments(&place, shared, linker, driver, arguments);
        good = run_linker(&place, arguments) && read_made(&place, to);
    }
    workplace_close(&place);
    return good;
}
