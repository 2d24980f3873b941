/* The library written in the language itself. */
#ifndef NNC_PRELUDE_PRELUDE_H
#define NNC_PRELUDE_PRELUDE_H

#include "support/embed.h"

/* Every file of the prelude; a NULL name ends the table. */
extern const EmbeddedText embedded_prelude[];

#endif
