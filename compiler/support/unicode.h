/* Just enough Unicode for names and for what is shown of strangers' text; nn_shown.h decodes UTF-8. */
#ifndef NNC_SUPPORT_UNICODE_H
#define NNC_SUPPORT_UNICODE_H

#include <stdbool.h>
#include <stdint.h>

#include "nn_shown.h"

/* True if a name may hold the code point: a visible letter or digit of any script, or a mark on one. */
bool unicode_is_letter(uint32_t code_point);

#endif
