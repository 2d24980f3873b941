/* The library's text lies beside this file, in .nn; the build makes it part of the program. */
#include "prelude/prelude.h"
