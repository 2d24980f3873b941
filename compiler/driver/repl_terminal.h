/* A session at a terminal: a line editor with history and completion. */
#ifndef NNC_DRIVER_REPL_TERMINAL_H
#define NNC_DRIVER_REPL_TERMINAL_H

#include "driver/repl_session.h"

/* Loads the file, if there is one, then reads and runs lines until the user leaves. The history is kept in
 * $XDG_STATE_HOME/nnc/history where that variable is set, else in ~/.nnc_history. */
void terminal_run(Session *session, const char *path);

/* repl_complete.c */
/* The words that continue what stands before the cursor, as malloc'd texts: commands after `:`, what a command takes
 * behind it (files, splits, settings), paths of parameters, names of the session, the prelude and the language. `line`
 * is the text up to the cursor; *word receives where the word begins. */
typedef Vec(char *) WordList;
WordList terminal_complete(const Session *session, const char *line, size_t *word);

#endif
