/* Just enough Unicode for names: decoding UTF-8 and telling letters from what is not. */
#include "grammar/parser_internal.h"

int utf8_decode(const char *text, size_t size, uint32_t *code_point)
{
    const unsigned char *s = (const unsigned char *)text;
    if (!size) return 0;
    int length = s[0] < 0x80                   ? 1
                 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
                 : (s[0] & 0xF0) == 0xE0       ? 3
                 : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                               : 0;
    if (!length || (size_t)length > size) return 0;
    uint32_t value = length == 1 ? s[0] : s[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (s[i] & 0x3Fu);
    }
    /* overlong forms, surrogates, and what is above the last code point */
    if ((length == 3 && value < 0x800) || (length == 4 && value < 0x10000)) return 0;
    if ((value >= 0xD800 && value < 0xE000) || value > 0x10FFFF) return 0;
    *code_point = value;
    return length;
}

bool unicode_is_letter(uint32_t c)
{
    /* The blocks of spaces, punctuation, operators, symbols, private use and noncharacters; ª ² ³ µ ¹ º are letters. */
    static const struct {
        uint32_t first, last;
    } others[] = {
        {0x0000, 0x00A9}, {0x00AB, 0x00B1},   {0x00B4, 0x00B4},    {0x00B6, 0x00B8}, {0x00BB, 0x00BF}, {0x00D7, 0x00D7},
        {0x00F7, 0x00F7}, {0x037E, 0x037E},   {0x0387, 0x0387},    {0x055A, 0x055F}, {0x0589, 0x058A}, {0x05BE, 0x05BE},
        {0x0600, 0x060F}, {0x0964, 0x0965},   {0x1680, 0x1680},    {0x180E, 0x180E}, {0x2000, 0x206F}, {0x20A0, 0x20CF},
        {0x2190, 0x2BFF}, {0x2E00, 0x2E7F},   {0x3000, 0x3004},    {0x3008, 0x3020}, {0x3030, 0x3030}, {0xD800, 0xF8FF},
        {0xFDD0, 0xFDEF}, {0xFE00, 0xFE6F},   {0xFEFF, 0xFF0F},    {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65},
        {0xFFE0, 0xFFFF}, {0x1F000, 0x1FBFF}, {0xE0000, 0x10FFFF},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (c >= others[i].first && c <= others[i].last) return false;
    return true;
}
