/* What other languages and libraries call it. */
#ifndef NNC_CHECK_FOREIGN_H
#define NNC_CHECK_FOREIGN_H

/* What is written here instead of a function, or of an element type, of that name; NULL for names that nobody knows. */
const char *foreign_function(const char *name);
const char *foreign_type(const char *name);

#endif
