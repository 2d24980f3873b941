#include "support/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn_shown.h"
#include "support/memory.h"
#include "support/vector.h"

void text_put(Text *text, const char *bytes, size_t count)
{
    while (text->capacity < text->count + count + 1) text->at = vec_grow(text->at, text->capacity, &text->capacity, 1);
    if (count) memcpy(text->at + text->count, bytes, count);
    text->count += count;
    text->at[text->count] = 0;
}

void text_string(Text *text, const char *string)
{
    text_put(text, string, strlen(string));
}

void text_format_list(Text *text, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    if (length > 0) {
        char small[512];
        char *buffer = (size_t)length < sizeof small ? small : memory_alloc((size_t)length + 1);
        vsnprintf(buffer, (size_t)length + 1, format, again);
        text_put(text, buffer, (size_t)length);
        if (buffer != small) memory_free(buffer);
    }
    va_end(again);
}

void text_format(Text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_format_list(text, format, args);
    va_end(args);
}

void text_shown(Text *text, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count;) {
        char escape[NN_SHOWN_MOST];
        size_t size = (size_t)nn_shown(bytes + i, count - i, escape);
        if (*escape)
            text_string(text, escape);
        else
            text_put(text, bytes + i, size);
        i += size;
    }
}

void text_spaces(Text *text, int count)
{
    while (count-- > 0) text_put(text, " ", 1);
}

void text_number(Text *text, double value)
{
    char number[40];
    if (isnan(value)) {
        text_string(text, "nan");
        return;
    }
    if (isinf(value)) {
        text_string(text, value < 0 ? "-inf" : "inf");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(number, sizeof number, "%.*g", digits, value);
        if (strtod(number, NULL) == value) break;
    }
    char *exponent = strchr(number, 'e');
    if (exponent) { /* 1e-03 -> 1e-3, 1e+06 -> 1e6 */
        long power = strtol(exponent + 1, NULL, 10);
        snprintf(exponent, sizeof number - (size_t)(exponent - number), "e%ld", power);
    }
    text_string(text, number);
}

const char *text_get(const Text *text)
{
    return text->at ? text->at : "";
}

void text_free(Text *text)
{
    memory_free(text->at);
    *text = (Text){0};
}
