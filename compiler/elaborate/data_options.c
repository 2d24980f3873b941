/* `--data NAME=PATH` for a name that no data block mentions: the file is its source, as if a statement said so. */
#include <string.h>

#include "elaborate/data.h"

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && !strcmp(text + length - tail, end);
}

/* What a file holds, by its name; NULL when that does not tell. */
static const char *kind_of(const char *path)
{
    static const struct {
        const char *end, *kind;
    } ends[] = {
#define ENDING(text, kind) {text, #kind},
#include "data/sources.def"
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_in(path, ends[i].end)) return ends[i].kind;
    return NULL;
}

static bool is_table(const char *kind)
{
    static const struct {
        const char *kind;
        enum { COLUMNS_VALUE, COLUMNS_TABLE } columns;
    } kinds[] = {
#define SOURCE(kind, place, columns, arguments) {#kind, COLUMNS_##columns},
#include "data/sources.def"
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kind, kinds[i].kind)) return kinds[i].columns == COLUMNS_TABLE;
    return false;
}

static bool is_input(const Syntax *model, const char *name)
{
    const Syntax *block = kid_body(model);
    for (uint32_t i = 0; i < block->n_kids; i++) {
        const Syntax *statement = block->kids[i];
        if (!statement || (statement->kind != SYNTAX_INPUT && statement->kind != SYNTAX_TARGET)) continue;
        for (uint32_t k = 0; k < kid_names(statement)->n_kids; k++)
            if (!strcmp(kid_names(statement)->kids[k]->name, name)) return true;
    }
    return false;
}

bool data_names_split(const Syntax *data, const char *split)
{
    for (uint32_t i = 0; i < kid_names(data)->n_kids; i++)
        if (!split || !strcmp(kid_names(data)->kids[i]->name, split)) return true;
    return false;
}

/* `name = kind("path")`, of a table `name = kind("path").name`. */
const Syntax *data_statement(Elaborator *el, const Syntax *data, const DataOption *option)
{
    Arena *arena = el->arena;
    Name name = intern(el->context->names, option->name);
    const char *kind = kind_of(option->path);
    if (!data_names_split(data, option->split)) return NULL;
    if (!kind) {
        Diag *diag = complain(el, DIAG_unknown_option, NO_SPAN, "`--data %s=%s`: what this file holds cannot be told",
                              option->name, option->path);
        diag_hint(diag, "name the source in a data block: `data train { %s = idx(\"…\") }`", option->name);
        return NULL;
    }
    Span at = data->span;
    Syntax *callee = syntax_name(arena, at, intern(el->context->names, kind));
    Syntax *source = syntax_node(arena, SYNTAX_CALL, at, callee, syntax_string(arena, at, option->path));
    if (is_table(kind)) source = syntax_named(arena, SYNTAX_MEMBER, at, name, at, source);
    Syntax *left = syntax_node(arena, SYNTAX_EXPRS, at, syntax_name(arena, at, name));
    return syntax_node(arena, SYNTAX_BIND, at, left, source, NULL);
}

bool data_is_source(const Elaborator *el, const Syntax *model, const Scope *scope, size_t option)
{
    const char *name = el->options->data[option].name;
    return is_input(model, name) && !scope_find(scope, intern(el->context->names, name), false);
}

/* Without any data block the options make one. */
const Syntax *data_without_blocks(Elaborator *el)
{
    Vec(Syntax *) names = {0};
    for (size_t i = 0; i < el->options->n_data; i++) {
        const char *split = el->options->data[i].split;
        Name name = intern(el->context->names, split ? split : "train");
        bool known = false;
        for (size_t k = 0; k < names.count; k++) known |= names.at[k]->name == name;
        if (!known) vec_push(&names, syntax_name(el->arena, NO_SPAN, name));
    }
    if (!names.count) return NULL;
    Syntax *list = syntax_make(el->arena, SYNTAX_NAMES, NO_SPAN, names.at, names.count);
    vec_free(&names);
    return syntax_node(el->arena, SYNTAX_DATA, NO_SPAN, list, syntax_make(el->arena, SYNTAX_BLOCK, NO_SPAN, NULL, 0));
}
