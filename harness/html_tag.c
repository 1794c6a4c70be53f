/* SPDX-License-Identifier: Apache-2.0 */
/* Which tags may stand in a page. Notes and claims are anybody's text and Markdown lets tags
 * through, so a page holds only elements and attributes of the lists below; any other "<" is shown
 * as one. */
#include "markdown.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD_SIZE = 16 };

static int listed(const char *const *list, const char *word)
{
    for (; *list; list++)
        if (!strcasecmp(*list, word))
            return 1;
    return 0;
}

static int is_element(const char *name)
{
    static const char *const harmless[] = {
        "a",     "b",      "blockquote", "br",  "code",    "del",    "details", "div",  "em",
        "h1",    "h2",     "h3",         "h4",  "h5",      "h6",     "hr",      "img",  "input",
        "kbd",   "li",     "meter",      "ol",  "p",       "pre",    "section", "small", "span",
        "strong", "sub",   "summary",    "sup", "table",   "tbody",  "td",      "th",   "thead",
        "tr",    "ul",     NULL
    };
    return listed(harmless, name);
}

static int is_attribute(const char *name)
{
    static const char *const harmless[] = {
        "align", "alt",  "checked", "class", "disabled", "href",  "id", "lang", "max",
        "open",  "src",  "start",   "title", "type",     "value", NULL
    };
    return listed(harmless, name);
}

/* An address in this page or folder, or on the web; a picture only in this folder. An entity could
 * hide a colon, so there is none before the path either. */
static int is_address(const char *url, size_t size, int is_picture)
{
    static const char *const schemes[] = { "https://", "http://", "mailto:" };
    size_t before = 0;
    while (before < size && !strchr("/?#:&", url[before]))
        before++;
    const int is_local = before == size || (url[before] != ':' && url[before] != '&');
    if (is_local)
        return !(is_picture && size > 1 && url[0] == '/' && url[1] == '/');
    for (size_t i = 0; !is_picture && i < sizeof schemes / sizeof *schemes; i++)
        if (size > strlen(schemes[i]) && !strncasecmp(url, schemes[i], strlen(schemes[i])))
            return 1;
    return 0;
}

/* A name of letters, digits and -; behind it. Longer than any that we know: cut. */
static const char *read_word(const char *at, char word[WORD_SIZE])
{
    size_t used = 0;
    for (; isalnum((unsigned char)*at) || *at == '-'; at++)
        if (used + 1 < WORD_SIZE)
            word[used++] = *at;
    word[used] = '\0';
    return at;
}

static const char *skip_spaces(const char *at)
{
    return at + strspn(at, " \t\n\r\f");
}

/* Behind the value; NULL: it has no end. */
static const char *read_value(const char *at, const char **value, size_t *size)
{
    const char quote = *at == '"' || *at == '\'' ? *at : '\0';
    *value = quote ? at + 1 : at;
    const char *end = quote ? strchr(*value, quote) : at + strcspn(at, " \t\n\r\f>\"'`=<");
    if (!end)
        return NULL;
    *size = (size_t)(end - *value);
    return quote ? end + 1 : end;
}

static void put_attribute(FILE *out, const char *name, const char *value, size_t size)
{
    const int is_picture = !strcasecmp(name, "src");
    if (!is_attribute(name) ||
        ((is_picture || !strcasecmp(name, "href")) && !is_address(value, size, is_picture)))
        return;
    fprintf(out, " %s=\"", name);
    for (size_t i = 0; i < size; i++)
        switch (value[i]) {
        case '"': fputs("&quot;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        default:  fputc(value[i], out);
        }
    fputc('"', out);
}

/* One attribute, written if it is harmless; behind it. NULL: this is none. */
static const char *attribute(FILE *out, const char *at)
{
    char name[WORD_SIZE];
    const char *value = "";
    size_t size = 0;
    const char *end = read_word(at, name), *equals = skip_spaces(end);
    if (end == at)
        return NULL;
    if (*equals == '=')
        end = read_value(skip_spaces(equals + 1), &value, &size);
    if (end)
        put_attribute(out, name, value, size);
    return end;
}

/* The tag from `at` on; behind it. NULL: it is none that we let pass. */
static const char *tag(FILE *out, const char *at)
{
    char name[WORD_SIZE];
    const int closes = at[1] == '/';
    const char *end = read_word(at + 1 + closes, name);
    if (!is_element(name))
        return NULL;
    fprintf(out, "<%s%s", closes ? "/" : "", name);
    for (const char *next; *(end = skip_spaces(end)) != '>'; end = next) {
        if (*end == '/') { next = end + 1; continue; }
        next = attribute(out, end);
        if (!next || closes)
            return NULL;
    }
    fputc('>', out);
    return end + 1;
}

const char *html_tag(FILE *out, const char *at)
{
    char *text = NULL;
    size_t size = 0;
    FILE *kept = open_memstream(&text, &size);
    const char *end = kept ? tag(kept, at) : NULL;
    if (kept)
        fclose(kept);
    fputs(end && text ? text : "&lt;", out);
    free(text);
    return end && text ? end : at + 1;
}
