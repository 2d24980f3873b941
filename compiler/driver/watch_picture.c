#include "driver/watch_internal.h"
void watch_print_picture(const Watch *watch, Text *to)
{
    (void)watch;
    text_string(to, "<svg/>");
}
