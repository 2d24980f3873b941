/* The journal of a session: the texts of all statements that still matter, in order. It is the session's only truth:
 * graph, names and items are made from it, and can be made again. */
#ifndef NNC_DRIVER_REPL_JOURNAL_H
#define NNC_DRIVER_REPL_JOURNAL_H

#include "support/vector.h"
#include "syntax/syntax.h"

/* Names with a letter for their namespace in front: `vx0`, `fdense`, `mfashion`. malloc'd. */
typedef Vec(char *) NameList;

typedef struct {
    char *text;             /* of a file its content */
    int line;               /* the number of its first line in the input; of a file 1 */
    char *path;             /* of a file; NULL: typed */
    bool item;              /* a definition, or a file of them */
    NameList defines, uses; /* uses have no letter */
    NameList ends;          /* names of before that are gone by it */
} Entry;

typedef struct {
    Vec(Entry) entries;
} Journal;

void names_add(NameList *list, char space, const char *name);
bool names_have(const NameList *list, char space, const char *name);
void names_free(NameList *list);

/* What a statement binds and what it mentions. */
void statement_names(const Syntax *statement, NameList *defines, NameList *uses);
/* True if it is expressions to be shown; a repeat binds names. */
bool statement_shows(const Syntax *statement);
/* Every name below the node. */
void mentioned_names(const Syntax *node, NameList *uses);

/* A statement as it was typed, with blanks for what stands before it on its line: so places in it are those of the
 * input. Returns the number of its first line. */
int statement_text(const SourceMap *sources, const Syntax *statement, Text *to);

/* Takes the lists over, copies the texts. */
void journal_add(Journal *journal, bool item, const char *text, int line, const char *path, NameList defines,
                 NameList uses);
/* Drops what nothing needs any more: entries all of whose names are bound again later, with no live use in between. */
void journal_prune(Journal *journal);
/* The last entry was a mistake. */
void journal_drop_last(Journal *journal);
void journal_clear(Journal *journal);

#endif
