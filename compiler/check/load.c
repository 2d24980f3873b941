/* Reading files: an import is looked up beside the file that names it, and is read once however often it is imported.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check/items_internal.h"
#include "grammar/parser.h"

static const char *absolute(Context *context, const char *path)
{
    char *real = realpath(path, NULL);
    const char *kept = arena_text(context->arena, real ? real : path, strlen(real ? real : path));
    free(real);
    return kept;
}

static const char *beside(Context *context, const char *file, const char *name)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    if (*name == '/' || !slash) return name;
    return arena_format(context->arena, "%.*s/%s", (int)(slash - file), file, name);
}

void load_source(Items *items, const char *path, const Source *source)
{
    Context *context = items->context;
    Loading loading = {path ? absolute(context, path) : NULL, items->loading};
    if (loading.path) {
        LoadedFile *file = ARENA_NEW(context->arena, LoadedFile);
        *file = (LoadedFile){loading.path, items->loaded};
        items->loaded = file;
    }
    items->loading = &loading;
    const Syntax *file = parse_source(context, source);
    unread_add(items->unread, file, source);
    items_add_file(items, file);
    items->loading = loading.outer;
}

bool load_import(Items *items, const Syntax *import)
{
    Context *context = items->context;
    const Syntax *name = import->kids[0];
    const char *from = items->loading ? items->loading->path : NULL;
    const char *path = absolute(context, beside(context, from, name->text));
    for (const Loading *outer = items->loading; outer; outer = outer->outer)
        if (outer->path && !strcmp(outer->path, path)) {
            Diag *diag = diag_new(context->diagnostics, DIAG_import_cycle, import->span,
                                  "\"%s\" imports itself, directly or through other files", name->text);
            diag_hint(diag, "move what both files need into a third");
            return false;
        }
    for (const LoadedFile *file = items->loaded; file; file = file->next)
        if (!strcmp(file->path, path)) return true;
    size_t size = 0;
    char *text = read_file(path, &size);
    if (!text) {
        diag_new(context->diagnostics, DIAG_unreadable_file, name->span, "cannot read \"%s\": %s", name->text,
                 strerror(errno));
        return false;
    }
    const Source *source = source_add(context->sources, beside(context, from, name->text), text, size);
    free(text);
    if (source) load_source(items, path, source);
    return source != NULL;
}
