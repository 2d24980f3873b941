#include "check/check.h"

void check_items(const Items *items)
{
    (void)items;
}
