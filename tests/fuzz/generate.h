/* Random models: texts of the language that follow its types, so that most are valid. `number` decides all of a text.
 * Two in three are tame; the others have sizes of 0 and beyond memory, literals at the ends of types, places counted
 * from either end, deep nesting, odd and long names. */
#ifndef TESTS_FUZZ_GENERATE_H
#define TESTS_FUZZ_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "support/text.h"

void generate_model(uint64_t number, Text *to);
/* True if no value of the model is large: it may be run. */
bool generate_is_tame(uint64_t number);

#endif
