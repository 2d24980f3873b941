/* What the parts of check/ share. */
#ifndef NNC_CHECK_ITEMS_INTERNAL_H
#define NNC_CHECK_ITEMS_INTERNAL_H

#include "check/items.h"
#include "check/unread.h"

/* A file that is being read, and the one that imports it. */
typedef struct Loading Loading;
struct Loading {
    const char *path;
    const Loading *outer;
};

typedef struct LoadedFile LoadedFile;
struct LoadedFile {
    const char *path;
    const LoadedFile *next;
};

struct Items {
    Context *context;
    const Item **slots; /* open addressing; a power of two */
    size_t n_slots, count;
    Item *first, *last; /* the user's */
    bool adding_prelude, replacing;
    bool incomplete; /* an item or an import of a file was refused */
    const Loading *loading;
    const LoadedFile *loaded;
    Unread *unread; /* NULL: no item is used when there was a syntax error */
};

/* Makes room for the first items. */
void items_begin(Items *items);
/* Like items_add, for an item that no other file declares. */
bool items_declare(Items *items, const Syntax *syntax);

#endif
