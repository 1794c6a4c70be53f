/* SPDX-License-Identifier: Apache-2.0 */
/* What the terminal can show: its width, colours, and how wide a text is on it. */
#include "cli.h"

#include "../kernels/core/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

enum { WIDTH_FALLBACK = 80 };

int terminal_width(FILE *stream)
{
    if (!isatty(fileno(stream))) return 0;
    const char *columns = getenv("COLUMNS");
    const int wanted = columns ? atoi(columns) : 0;
    if (wanted > 0) return wanted;
    struct winsize size;
    if (!ioctl(fileno(stream), TIOCGWINSZ, &size) && size.ws_col > 0) return size.ws_col;
    return WIDTH_FALLBACK;
}

int terminal_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    for (int i = 0; i < 3; i++) {
        const char *locale = getenv(names[i]);
        if (!locale || !*locale) continue;
        return strstr(locale, "UTF-8") || strstr(locale, "utf8") || strstr(locale, "UTF8") ||
               strstr(locale, "utf-8");
    }
    return 0;
}

static int colours(FILE *stream)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if ((no && *no) || (term && !strcmp(term, "dumb"))) return 0;
    return isatty(fileno(stream));
}

const char *paint(FILE *stream, const char *sequence)
{
    static char text[4][16];     /* several may stand in one printf */
    static int next;
    if (!colours(stream)) return "";
    char *to = text[next++ % 4];
    snprintf(to, sizeof text[0], "\033[%sm", sequence);
    return to;
}

/* ---- widths --------------------------------------------------------------------------- */

typedef struct { uint32_t first, last; } Range;

static const Range wide[] = {      /* Unicode's East Asian Width W and F, in large pieces */
    { 0x1100, 0x115f }, { 0x2e80, 0x303e }, { 0x3041, 0xa4cf }, { 0xac00, 0xd7a3 },
    { 0xf900, 0xfaff }, { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 },
    { 0x1f300, 0x1f64f }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};
static const Range joined[] = {    /* combining marks and invisible characters */
    { 0x0300, 0x036f }, { 0x200b, 0x200f }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f },
};

static int within(uint32_t c, const Range *range, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (c >= range[i].first && c <= range[i].last) return 1;
    return 0;
}

/* The next character; a byte that starts none stands for itself. */
static uint32_t next_character(const unsigned char **text)
{
    const unsigned char *s = *text;
    const int more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc0 ? 1 : 0;
    uint32_t c = more ? s[0] & (0x3fu >> more) : s[0];
    for (int i = 1; i <= more; i++) {
        if ((s[i] & 0xc0) != 0x80) { *text = s + 1; return s[0]; }
        c = c << 6 | (s[i] & 0x3f);
    }
    *text = s + 1 + more;
    return c;
}

/* Columns of one character. */
static int columns_of(uint32_t c)
{
    if (within(c, joined, sizeof joined / sizeof *joined)) return 0;
    return within(c, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

size_t text_fit(const char *utf8, int columns)
{
    const unsigned char *s = (const unsigned char *)utf8, *next = s;
    while (*s) {
        columns -= columns_of(next_character(&next));
        if (columns < 0) break;
        s = next;
    }
    return (size_t)(s - (const unsigned char *)utf8);
}

int text_width(const char *utf8)
{
    int width = 0;
    for (const unsigned char *s = (const unsigned char *)utf8; *s;)
        width += columns_of(next_character(&s));
    return width;
}

/* ---- without UTF-8 ---------------------------------------------------------------------- */

/* What people read for a character that is not ASCII, in as many columns; '?' for the rest. */
static char ascii_of(uint32_t c)
{
    static const struct { uint32_t from; char to; } known[] = {
        { 0xb2, '2' }, { 0xb3, '3' }, { 0xb5, 'u' }, { 0xb7, '.' }, { 0xb9, '1' }, { 0xd7, 'x' },
        { 0x3bc, 'u' }, { 0x2013, '-' }, { 0x2014, '-' }, { 0x2018, '\'' }, { 0x2019, '\'' },
        { 0x201c, '"' }, { 0x201d, '"' }, { 0x2026, '.' }, { 0x207b, '-' }, { 0x2190, '<' },
        { 0x2192, '>' }, { 0x2212, '-' }, { 0x2248, '~' }, { 0x2264, '<' }, { 0x2265, '>' },
        { 0x2500, '-' }, { 0x2502, '|' }, { 0x2514, '+' }, { 0x2524, '|' }, { 0x252c, '+' },
        { 0x2588, '#' }, { 0x2591, ':' }, { 0x25d0, '~' }, { 0x2713, '+' }, { 0x2717, 'x' },
    };
    if (c < 0x80) return (char)c;
    if (c == 0x2070 || (c >= 0x2074 && c <= 0x2079)) return (char)('0' + (c - 0x2070));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].from == c) return known[i].to;
    return '?';
}

void text_put(FILE *out, const char *utf8, size_t bytes, int as_utf8)
{
    for (const char *end = utf8 + bytes; utf8 < end; utf8 += text_step(utf8)) {
        const unsigned char *s = (const unsigned char *)utf8;
        const uint32_t c = text_control(utf8) ? '?' : next_character(&s);
        if (as_utf8 && c != '?') fwrite(utf8, 1, text_step(utf8), out);
        else for (int i = columns_of(c); i > 0; i--) fputc(ascii_of(c), out);
    }
}
