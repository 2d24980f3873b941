/* Unread: what a file with syntax errors may declare all the same. Its items that were read whole are checked as ever;
 * a name that stands in the text around them may be declared there, so nothing is said of it. */
#ifndef NNC_CHECK_UNREAD_H
#define NNC_CHECK_UNREAD_H

#include "support/context.h"
#include "syntax/syntax.h"

typedef struct Unread Unread;

Unread *unread_new(Context *context);
/* The text of a file in which there was a syntax error (SYNTAX_BROKEN), without its items that were read whole. */
void unread_add(Unread *unread, const Syntax *file, const Source *source);
/* True if there is such text at all; of NULL there is none, here and below. */
bool unread_any(const Unread *unread);
bool unread_has(const Unread *unread, Name name);

#endif
