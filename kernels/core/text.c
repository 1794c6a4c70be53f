/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>

size_t text_sequence(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    const size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3
                        : s[0] < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    return length;
}

/* U+202A to U+202E and U+2066 to U+2069. */
static int turns_round(const unsigned char *s)
{
    return s[0] == 0xe2 && ((s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae) ||
                            (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

size_t text_control(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    const size_t length = text_sequence(text);
    if (s[0] == '\n' || s[0] == '\t' || !s[0]) return 0;
    if (s[0] < 0x20 || s[0] == 0x7f || !length) return 1;
    if (s[0] == 0xc2 && s[1] < 0xa0) return 2;      /* U+0080 to U+009F, escapes in one */
    return length == 3 && turns_round(s) ? 3 : 0;
}

size_t text_step(const char *text)
{
    const size_t length = text_sequence(text);
    return length ? length : 1;
}

char *text_clean(char *text)
{
    char *to = text;
    for (const char *from = text; *from;) {
        const size_t length = text_step(from);
        if (text_control(from)) *to++ = '?';
        else {
            memmove(to, from, length);
            to += length;
        }
        from += length;
    }
    *to = 0;
    return text;
}
