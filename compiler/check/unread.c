#include "check/unread.h"

#include <string.h>

struct Unread {
    Context *context;
    Name *slots; /* open addressing; a power of two */
    size_t n_slots, count;
    bool any, all; /* all: anything may be declared */
};

Unread *unread_new(Context *context)
{
    Unread *unread = ARENA_NEW(context->arena, Unread);
    unread->context = context;
    return unread;
}

static size_t slot_of(const Unread *unread, Name name)
{
    size_t at = (size_t)hash_bytes(HASH_START, &name, sizeof name) & (unread->n_slots - 1);
    while (unread->slots[at] && unread->slots[at] != name) at = (at + 1) & (unread->n_slots - 1);
    return at;
}

static void grow(Unread *unread)
{
    Name *old = unread->slots;
    size_t n_old = unread->n_slots;
    unread->n_slots = n_old ? 2 * n_old : 64;
    unread->slots = ARENA_ARRAY(unread->context->arena, Name, unread->n_slots);
    for (size_t i = 0; i < n_old; i++)
        if (old[i]) unread->slots[slot_of(unread, old[i])] = old[i];
}

static void add_name(Unread *unread, Name name)
{
    if (2 * unread->count >= unread->n_slots) grow(unread);
    size_t slot = slot_of(unread, name);
    unread->count += !unread->slots[slot];
    unread->slots[slot] = name;
}

static bool is_name_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

/* True if what the word begins may declare a name that does not stand here: an import, or an item whose name is missing
 * or broken. */
static bool hides_name(Name word, const char *after, const char *end)
{
    static const char *const items[] = {"const", "fn", "layer"};
    if (!strcmp(word, "import")) return true;
    bool item = false;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) item |= !strcmp(word, items[i]);
    while (after < end && *after == ' ') after++;
    return item && (after == end || !is_name_byte((unsigned char)*after) || (*after >= '0' && *after <= '9'));
}

/* A `#` begins a comment unless it may stand in a string. */
static void add_text(Unread *unread, const char *at, const char *end)
{
    bool quoted = false;
    while (at < end) {
        const char *word = at;
        while (at < end && is_name_byte((unsigned char)*at)) at++;
        if (at > word) {
            Name name = intern_length(unread->context->names, word, (size_t)(at - word));
            unread->all |= hides_name(name, at, end);
            add_name(unread, name);
            continue;
        }
        const char *newline = *at == '#' && !quoted ? memchr(at, '\n', (size_t)(end - at)) : at;
        if (!newline) return;
        quoted = *newline != '\n' && (quoted || *newline == '"');
        at = newline + 1;
    }
}

void unread_add(Unread *unread, const Syntax *file, const Source *source)
{
    if (!unread || !(file->flags & SYNTAX_BROKEN)) return;
    const char *from = source->text;
    unread->any = true;
    for (uint32_t i = 0; i < file->n_kids; i++) {
        const Syntax *item = file->kids[i];
        if (item->flags & SYNTAX_BROKEN) continue;
        add_text(unread, from, source->text + (item->span.start - source->start));
        from = source->text + (item->span.end - source->start);
    }
    add_text(unread, from, source->text + source->size);
}

bool unread_any(const Unread *unread)
{
    return unread && unread->any;
}

bool unread_has(const Unread *unread, Name name)
{
    return unread && (unread->all || (unread->n_slots && unread->slots[slot_of(unread, name)]));
}
