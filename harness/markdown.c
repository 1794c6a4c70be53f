/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that knows md4c. It renders to memory; then one pass over that text replaces the
 * renderer's <x-equation> by MathML, gives headings and tables what a page needs, and lets only
 * harmless tags pass. */
#include "markdown.h"
#include "file.h"
#include "mathml.h"

#include <ctype.h>
#include <md4c-html.h>
#include <stdlib.h>
#include <string.h>

enum { ID_SIZE = 160, ID_MAX = 512, TOLD = 80 /* of a bad equation */ };

void html_escape(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default:  fputc(*text, out);
        }
}

/* ---- anchors -------------------------------------------------------------------------------- */

/* As GitHub does it: lower case, spaces to -, of the rest only letters, digits, - and _ stay. Tags
 * and entities of rendered HTML are passed over, so that text and rendered heading give the
 * same. */
void markdown_anchor(const char *heading, char *id, size_t size)
{
    size_t used = 0;
    for (const char *c = heading; *c && used + 1 < size; c++) {
        if (*c == '<' && strchr(c, '>'))
            c = strchr(c, '>');
        else if (*c == '&' && strchr(c, ';'))
            c = strchr(c, ';');
        else if (*c == ' ')
            id[used++] = '-';
        else if (isalnum((unsigned char)*c) || *c == '-' || *c == '_' || (unsigned char)*c >= 0x80)
            id[used++] = (char)tolower((unsigned char)*c);
    }
    id[used] = '\0';
}

typedef struct {
    char *seen[ID_MAX];
    int   count;
} Anchors;

/* Prints ` id="..."`, unlike every one before it. */
static void put_anchor(FILE *out, Anchors *anchors, const char *heading)
{
    char id[ID_SIZE];
    int same = 0;
    markdown_anchor(heading, id, sizeof id);
    for (int i = 0; i < anchors->count; i++)
        same += strcmp(anchors->seen[i], id) == 0;
    fprintf(out, same ? " id=\"%s-%d\"" : " id=\"%s\"", id, same);
    if (anchors->count < ID_MAX && (anchors->seen[anchors->count] = strdup(id)))
        anchors->count++;
}

/* ---- the pass over the rendered text -------------------------------------------------------- */

typedef struct {
    FILE       *out;
    const char *name, *text;   /* the Markdown */
    Anchors     anchors;
    Status      status;        /* of the first equation that failed */
    Err        *err;
} Pass;

/* The renderer knows no lines; but an equation comes out of it as it went in, save that a line's
 * end is a blank then. */
static const char *find_equation(const char *text, const char *latex)
{
    for (; *text; text++) {
        size_t same = 0;
        while (same < TOLD && latex[same] &&
               (text[same] == '\n' ? ' ' : text[same]) == latex[same])
            same++;
        if (same == TOLD || !latex[same])
            return text;
    }
    return NULL;
}

static Status bad_equation(const Pass *pass, const char *latex, const char *why)
{
    const char *at = find_equation(pass->text, latex);
    int line = 1;
    for (const char *c = pass->text; at && c < at; c++)
        line += *c == '\n';
    return at ? fail(pass->err, BAD_INPUT, "%s:%d: %s", pass->name, line, why)
              : fail(pass->err, BAD_INPUT, "%s: %s, in %.*s", pass->name, why, TOLD, latex);
}

static char *unescape(const char *text, size_t size)
{
    static const struct { const char *entity; char c; } known[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' } };
    char *plain = malloc(size + 1);
    if (!plain)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        plain[used] = text[i];
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (strncmp(text + i, known[k].entity, strlen(known[k].entity)) == 0) {
                plain[used] = known[k].c;
                i += strlen(known[k].entity) - 1;
                break;
            }
        used++;
    }
    plain[used] = '\0';
    return plain;
}

/* at: behind "<x-equation"; returns where to go on. */
static const char *equation(Pass *pass, const char *at)
{
    static const char end_tag[] = "</x-equation>";
    const int display = strncmp(at, " type=\"display\"", 15) == 0;
    const char *body = strchr(at, '>');
    const char *end = body ? strstr(body, end_tag) : NULL;
    if (!end)
        return at;
    char *latex = unescape(body + 1, (size_t)(end - body - 1)), *math = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&math, &size);
    Err why;
    Status status = latex && out ? mathml_write(out, latex, strlen(latex), display, &why)
                                 : fail(&why, NO_MEMORY, "no memory for it");
    if (out && !file_close(out) && !status)
        status = fail(&why, NO_MEMORY, "no memory for it");
    if (status && !pass->status)
        pass->status = bad_equation(pass, latex ? latex : "", why.text);
    fputs(display ? "<span class=\"equation\">" : "", pass->out);
    fputs(status ? "<code>" : math, pass->out);
    if (status) {
        html_escape(pass->out, latex ? latex : "");
        fputs("</code>", pass->out);
    }
    fputs(display ? "</span>" : "", pass->out);
    free(math);
    free(latex);
    return end + sizeof end_tag - 1;
}

static const char *heading(Pass *pass, const char *at)
{
    const char end_tag[] = { '<', '/', 'h', at[2], '>', '\0' };
    const char *end = strstr(at, end_tag);
    if (!end)
        return at;
    char *inner = strndup(at + 4, (size_t)(end - at - 4));
    fprintf(pass->out, "<h%c", at[2]);
    if (inner)
        put_anchor(pass->out, &pass->anchors, inner);
    fputc('>', pass->out);
    free(inner);
    return at + 4;
}

static int starts(const char *at, const char *text)
{
    return strncmp(at, text, strlen(text)) == 0;
}

static void finish(Pass *pass, const char *html)
{
    for (const char *at = html; *at;) {
        if (starts(at, "<x-equation")) {
            const char *next = equation(pass, at + 11);
            at = next == at + 11 ? at + 11 : next;
        } else if (starts(at, "<h") && at[2] >= '1' && at[2] <= '6' && at[3] == '>') {
            at = heading(pass, at);
        } else if (starts(at, "<table>")) {
            fputs("<div class=\"table\"><table>", pass->out);
            at += 7;
        } else if (starts(at, "</table>")) {
            fputs("</table></div>", pass->out);
            at += 8;
        } else if (*at == '<') {
            at = html_tag(pass->out, at);
        } else {
            fputc(*at++, pass->out);
        }
    }
}

static void collect(const MD_CHAR *text, MD_SIZE size, void *out)
{
    fwrite(text, 1, size, out);
}

Status markdown_to_html(FILE *out, const char *text, size_t size, const char *name, Err *err)
{
    Pass pass = { .out = out, .name = name, .text = text, .err = err };
    char *html = NULL;
    size_t html_size = 0;
    FILE *memory = open_memstream(&html, &html_size);
    if (!memory)
        return fail(err, NO_MEMORY, "markdown: no memory for %zu bytes", size);
    const int bad = md_html(text, (MD_SIZE)size, collect, memory,
                            MD_DIALECT_GITHUB | MD_FLAG_LATEXMATHSPANS, 0);
    if (!file_close(memory) || bad)
        pass.status = fail(err, NO_MEMORY, "markdown: the parser gave up on %zu bytes", size);
    else
        finish(&pass, html);
    for (int i = 0; i < pass.anchors.count; i++)
        free(pass.anchors.seen[i]);
    free(html);
    return pass.status;
}
