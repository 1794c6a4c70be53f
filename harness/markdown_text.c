/* SPDX-License-Identifier: Apache-2.0 */
/* Anybody's text into Markdown, so that it stays text. */
#include "markdown.h"

#include <ctype.h>
#include <string.h>

void md_text(FILE *out, const char *text)
{
    for (; *text; text++)
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '\n')
            fputc(' ', out);
        else
            fprintf(out, strchr("\\`*_|~$[]#", *text) ? "\\%c" : "%c", *text);
}

/* Between backticks an escaped | keeps its backslash. */
void md_code(FILE *out, const char *text)
{
    if (strchr(text, '|')) {
        fputs("<code>", out);
        md_text(out, text);
        fputs("</code>", out);
        return;
    }
    fputc('`', out);
    for (; *text; text++)
        fputc(*text == '\n' || *text == '`' ? ' ' : *text, out);
    fputc('`', out);
}

void md_attribute(FILE *out, const char *text)
{
    for (; *text; text++)
        if (strchr("&<>\"|\n", *text))
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
}

static size_t longest_fence(const char *text)
{
    size_t longest = 0;
    for (; *text; text += *text != '\0') {
        const size_t length = strspn(text, "`");
        longest = length > longest ? length : longest;
        text += length;
    }
    return longest;
}

void md_block(FILE *out, const char *language, const char *text)
{
    static const char fence[] = "````````````````````````````````";
    const size_t length = strlen(text), longest = longest_fence(text);
    const int size = longest < 3 ? 3 : (int)longest + 1;
    if (size >= (int)sizeof fence) {
        fputs("(a text with so many backquotes is not shown)\n", out);
        return;
    }
    fprintf(out, "%.*s%s\n%s%s%.*s\n", size, fence, language, text,
            length && text[length - 1] == '\n' ? "" : "\n", size, fence);
}

void md_url(FILE *out, const char *url)
{
    for (; *url; url++)
        if (isalnum((unsigned char)*url) || strchr("-_.~:/?#@!$&*+,;=%", *url))
            fputc(*url, out);
        else
            fprintf(out, "%%%02X", (unsigned char)*url);
}

void md_arxiv(FILE *out, const char *prefix, const char *id)
{
    fprintf(out, "[%s", prefix);
    md_text(out, id);
    fputs("](https://arxiv.org/abs/", out);
    md_url(out, id);
    fputc(')', out);
}
