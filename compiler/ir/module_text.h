/* Words of the text form that its printer and its reader share. */
#ifndef NNC_IR_MODULE_TEXT_H
#define NNC_IR_MODULE_TEXT_H

#include "ir/module.h"

enum { N_ROLES = RESULT_PARTIAL + 1, N_LISTS = 4 };

static const char *const role_words[N_ROLES] = {
    [RESULT_OUTPUT] = "output", [RESULT_LOSS] = "loss", [RESULT_METRIC] = "metric", [RESULT_GRADIENT] = "gradient",
    [RESULT_UPDATE] = "update", [RESULT_INIT] = "init", [RESULT_VALUE] = "value",   [RESULT_PARTIAL] = "partial",
};

/* The declared lists in the order in which they are printed. */
static const char *const list_words[N_LISTS] = {"input", "param", "state", "setting"};

/* NaNs other than this one print with their bits. */
#define PLAIN_NAN 0x7ff8000000000000ULL

#endif
