/* Reading items: the prelude, a file, and what it imports. An import is looked up beside the file that names it, and is
 * read once however often it is imported. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "check/items_internal.h"
#include "grammar/parser.h"
#include "prelude/prelude.h"
#include "support/memory.h"

static const char *absolute(Context *context, const char *path)
{
    char real[PATH_MAX];
    if (realpath(path, real)) path = real;
    return arena_text(context->arena, path, strlen(path));
}

static const char *beside(Context *context, const char *file, const char *name)
{
    const char *slash = file ? strrchr(file, '/') : NULL;
    if (*name == '/' || !slash) return name;
    return arena_format(context->arena, "%.*s/%s", (int)(slash - file), file, name);
}

static void add_file(Items *items, const Syntax *file)
{
    for (uint32_t i = 0; i < file->n_kids; i++)
        if (file->kids[i] && !items_add(items, file->kids[i])) items->incomplete = true;
}

/* Parses a source and adds its items. */
static void load_source(Items *items, const char *path, const Source *source)
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
    add_file(items, file);
    items->loading = loading.outer;
}

static bool load_import(Items *items, const Syntax *import)
{
    Context *context = items->context;
    const Syntax *name = kid_string(import);
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
    memory_free(text);
    if (source) load_source(items, path, source);
    return source != NULL;
}

bool items_add(Items *items, const Syntax *syntax)
{
    return syntax->kind == SYNTAX_IMPORT ? load_import(items, syntax) : items_declare(items, syntax);
}

/* The prelude's items alone; nothing is added to them. */
static const Items *prelude(Context *context)
{
    const Items *kept = context_kept(context, "prelude");
    if (kept) return kept;
    Items *items = ARENA_NEW(context->arena, Items);
    items->context = context;
    items_begin(items);
    items->adding_prelude = true;
    for (const EmbeddedText *text = embedded_prelude; text->name; text++) {
        const char *name = arena_format(context->arena, "prelude/%s", text->name);
        const Source *source = source_add(context->sources, name, text->text, text->size);
        if (source) add_file(items, parse_source(context, source));
    }
    items->adding_prelude = false;
    context_keep(context, "prelude", items);
    return items;
}

Items *items_prelude(Context *context)
{
    const Items *shared = prelude(context);
    Items *items = ARENA_COPY(context->arena, Items, shared, 1);
    items->context = context;
    items->slots = ARENA_COPY(context->arena, const Item *, shared->slots, shared->n_slots);
    return items;
}

void items_read(Items *items, const char *path, const Source *source)
{
    load_source(items, path, source);
}

Items *items_load(Context *context, const char *path, const Source *source)
{
    Items *items = items_prelude(context);
    items->unread = unread_new(context);
    load_source(items, path, source);
    if (!items->incomplete) check_items(items);
    return diagnostics_errors(context->diagnostics) ? NULL : items;
}
