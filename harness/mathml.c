/* SPDX-License-Identifier: Apache-2.0 */
/* A recursive-descent reader of LaTeX mathematics that writes MathML Core as it goes.
 *
 *   row     := item*                      until }, &, \\, \right, \end or the end
 *   item    := atom [_ atom] [^ atom] ['...]
 *   atom    := { row } | \command ... | letter | number | sign
 *
 * A base is written before its scripts are seen, while MathML wants the element that holds both
 * opened first; so each part is captured as text, and then put together. */
#include "mathml.h"
#include "file.h"
#include "mathml_symbols.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64, NAME_MAX_LENGTH = 24 };

typedef struct {
    const char *at, *end;
    int         depth;
    int         display;      /* 1: the limits of a sum stand above and below */
    int         limits;       /* the atom just read takes its scripts as limits */
    Err        *err;
} Reader;

typedef Status Parse(Reader *, FILE *);

static Status row(Reader *r, FILE *out);
static Status atom(Reader *r, FILE *out);
static Status argument(Reader *r, FILE *out);

static void skip_spaces(Reader *r)
{
    while (r->at < r->end && isspace((unsigned char)*r->at))
        r->at++;
}

static int looking_at(const Reader *r, const char *text)
{
    const size_t length = strlen(text);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, text, length) != 0)
        return 0;
    /* \right must not be found in \rightarrow. */
    return !isalpha((unsigned char)text[length - 1]) || r->at + length == r->end
        || !isalpha((unsigned char)r->at[length]);
}

static int take(Reader *r, const char *text)
{
    skip_spaces(r);
    if (!looking_at(r, text))
        return 0;
    r->at += strlen(text);
    return 1;
}

/* The command at the reader, without its backslash: letters, or one character that is none. */
static void read_name(Reader *r, char name[NAME_MAX_LENGTH + 1])
{
    size_t length = 0;
    r->at++;
    if (r->at < r->end && !isalpha((unsigned char)*r->at))
        name[length++] = *r->at++;
    else
        while (r->at < r->end && isalpha((unsigned char)*r->at) && length < NAME_MAX_LENGTH)
            name[length++] = *r->at++;
    name[length] = '\0';
}

static Status expect(Reader *r, const char *text)
{
    if (take(r, text))
        return OK;
    return fail(r->err, BAD_INPUT, "equation: expected %s before \"%.*s\"", text,
                (int)(r->end - r->at < 20 ? r->end - r->at : 20), r->at);
}

static void put_escaped(FILE *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '<')
            fputs("&lt;", out);
        else if (text[i] == '>')
            fputs("&gt;", out);
        else if (text[i] == '&')
            fputs("&amp;", out);
        else
            fputc(text[i], out);
}

/* Runs `parse` with its output caught in *text, which the caller frees. */
static Status capture(Reader *r, Parse *parse, char **text)
{
    size_t size;
    FILE *out = open_memstream(text, &size);
    if (!out)
        return fail(r->err, NO_MEMORY, "equation: no memory");
    const Status status = parse(r, out);
    if (file_close(out) || status)
        return status;
    return fail(r->err, NO_MEMORY, "equation: no memory");
}

/* The bytes between { and its }, as they stand: for \text and the alphabets. */
static Status raw_group(Reader *r, const char **text, size_t *size)
{
    const Status status = expect(r, "{");
    if (status)
        return status;
    const char *close = memchr(r->at, '}', (size_t)(r->end - r->at));
    if (!close)
        return fail(r->err, BAD_INPUT, "equation: { without }");
    *text = r->at;
    *size = (size_t)(close - r->at);
    r->at = close + 1;
    return OK;
}

/* ---- commands with structure ---------------------------------------------------------------- */

static Status two_parts(Reader *r, FILE *out, const char *element)
{
    fprintf(out, "<%s>", element);
    Status status = argument(r, out);
    if (!status)
        status = argument(r, out);
    fprintf(out, "</%s>", element);
    return status;
}

static Status fraction(Reader *r, FILE *out)
{
    return two_parts(r, out, "mfrac");
}

static Status root(Reader *r, FILE *out)
{
    if (!take(r, "[")) {
        fputs("<msqrt>", out);
        const Status status = argument(r, out);
        fputs("</msqrt>", out);
        return status;
    }
    const char *close = memchr(r->at, ']', (size_t)(r->end - r->at));
    if (!close)
        return fail(r->err, BAD_INPUT, "equation: \\sqrt[ without ]");
    Reader index = *r;
    index.end = close;
    char *order = NULL;
    Status status = capture(&index, row, &order);
    r->at = close + 1;
    if (!status) {
        fputs("<mroot>", out);
        status = argument(r, out);
        fprintf(out, "<mrow>%s</mrow></mroot>", order);
    }
    free(order);
    return status;
}

static Status raw_element(Reader *r, FILE *out, const char *open, const char *close)
{
    const char *text;
    size_t size;
    const Status status = raw_group(r, &text, &size);
    if (status)
        return status;
    fputs(open, out);
    put_escaped(out, text, size);
    fputs(close, out);
    return OK;
}

static Status words(Reader *r, FILE *out)
{
    return raw_element(r, out, "<mtext>", "</mtext>");
}

/* One letter would be set in italics without the attribute; several are upright anyhow. */
static Status upright(Reader *r, FILE *out)
{
    return raw_element(r, out, "<mi mathvariant=\"normal\">", "</mi>");
}

/* Letters of an alphabet from `base` on, A first; those that Unicode had before are exceptions. */
static Status alphabet(Reader *r, FILE *out, unsigned base, const char *exceptions,
                       const unsigned *code)
{
    const char *text;
    size_t size;
    const Status status = raw_group(r, &text, &size);
    if (status)
        return status;
    for (size_t i = 0; i < size; i++) {
        const char *exception = strchr(exceptions, text[i]);
        if (!isupper((unsigned char)text[i]))
            return fail(r->err, BAD_INPUT,
                        "equation: \\mathbb and \\mathcal hold capital letters only, not \"%c\"",
                        text[i]);
        fprintf(out, "<mi>&#x%X;</mi>",
                exception ? code[exception - exceptions] : base + (unsigned)(text[i] - 'A'));
    }
    return OK;
}

static Status blackboard(Reader *r, FILE *out)
{
    static const unsigned code[] = { 0x2102, 0x210D, 0x2115, 0x2119, 0x211A, 0x211D, 0x2124 };
    return alphabet(r, out, 0x1D538, "CHNPQRZ", code);
}

static Status calligraphic(Reader *r, FILE *out)
{
    static const unsigned code[] = {
        0x212C, 0x2130, 0x2131, 0x210B, 0x2110, 0x2112, 0x2133, 0x211B
    };
    return alphabet(r, out, 0x1D49C, "BEFHILMR", code);
}

static Status bold(Reader *r, FILE *out)
{
    fputs("<mrow style=\"font-weight:bold\">", out);
    const Status status = argument(r, out);
    fputs("</mrow>", out);
    return status;
}

static Status boxed(Reader *r, FILE *out)
{
    fputs("<mrow class=\"boxed\">", out);
    const Status status = argument(r, out);
    fputs("</mrow>", out);
    return status;
}

static Status underbrace(Reader *r, FILE *out)
{
    fputs("<munder>", out);
    const Status status = argument(r, out);
    fputs("<mo stretchy=\"true\">⏟</mo></munder>", out);
    r->limits = 1;
    return status;
}

static Status fence(Reader *r, FILE *out)
{
    skip_spaces(r);
    if (r->at == r->end)
        return fail(r->err, BAD_INPUT, "equation: \\left or \\right without a fence");
    if (take(r, "."))
        return OK;
    fputs("<mo stretchy=\"true\">", out);
    if (*r->at == '\\') {
        char name[NAME_MAX_LENGTH + 1];
        read_name(r, name);
        const Symbol *known = mathml_symbol(name);
        if (!known || known->kind != SIGN)
            return fail(r->err, BAD_INPUT, "equation: unknown fence \\%s", name);
        fputs(known->text, out);
    } else {
        put_escaped(out, r->at++, 1);
    }
    fputs("</mo>", out);
    return OK;
}

static Status fenced(Reader *r, FILE *out)
{
    fputs("<mrow>", out);
    Status status = fence(r, out);
    if (!status)
        status = row(r, out);
    if (!status)
        status = expect(r, "\\right");
    if (!status)
        status = fence(r, out);
    fputs("</mrow>", out);
    return status;
}

/* Rows of cells; the closing \end{name} is read too. */
static Status cells(Reader *r, FILE *out)
{
    Status status = OK;
    fputs("<mtr><mtd>", out);
    while (!(status = row(r, out)) && !take(r, "\\end")) {
        if (take(r, "&"))
            fputs("</mtd><mtd>", out);
        else if (take(r, "\\\\"))
            fputs("</mtd></mtr><mtr><mtd>", out);
        else
            return fail(r->err, BAD_INPUT, "equation: \\begin without \\end");
    }
    fputs("</mtd></mtr>", out);
    return status;
}

static Status environment(Reader *r, FILE *out)
{
    static const struct { const char *name, *open, *close, *columns;
    } known[] = { { "cases", "{", "", "left left" },
                  { "aligned", "", "", "right left" },
                  { "matrix", "", "", "" },
                  { "pmatrix", "(", ")", "" },
                  { "bmatrix", "[", "]", "" } };
    const char *name, *end;
    size_t size, end_size;
    Status status = raw_group(r, &name, &size);
    if (status)
        return status;
    size_t i = 0;
    while (i < sizeof known / sizeof *known &&
           (strlen(known[i].name) != size || memcmp(known[i].name, name, size) != 0))
        i++;
    if (i == sizeof known / sizeof *known)
        return fail(r->err, BAD_INPUT, "equation: unknown environment \"%.*s\"", (int)size, name);
    fputs("<mrow>", out);
    if (*known[i].open)
        fprintf(out, "<mo stretchy=\"true\">%s</mo>", known[i].open);
    fprintf(out, "<mtable class=\"%s\" columnalign=\"%s\">", known[i].name, known[i].columns);
    status = cells(r, out);
    fputs("</mtable>", out);
    if (*known[i].close)
        fprintf(out, "<mo stretchy=\"true\">%s</mo>", known[i].close);
    fputs("</mrow>", out);
    if (!status)
        status = raw_group(r, &end, &end_size);
    if (!status && (end_size != size || memcmp(end, name, size) != 0))
        return fail(r->err, BAD_INPUT, "equation: \\begin{%.*s} ends as \\end{%.*s}", (int)size,
                    name, (int)end_size, end);
    return status;
}

/* The style holds to the end of its row, as in LaTeX. */
static Status in_style(Reader *r, FILE *out, int display)
{
    const int before = r->display;
    r->display = display;
    fprintf(out, "<mstyle displaystyle=\"%s\">", display ? "true" : "false");
    const Status status = row(r, out);
    fputs("</mstyle>", out);
    r->display = before;
    return status;
}

static Status text_style(Reader *r, FILE *out)
{
    return in_style(r, out, 0);
}

static Status display_style(Reader *r, FILE *out)
{
    return in_style(r, out, 1);
}

static const struct { const char *name; Parse *parse;
} structures[] = {
    { "frac", fraction },        { "sqrt", root },
    { "text", words },           { "mathrm", upright },
    { "operatorname", upright }, { "mathbb", blackboard },
    { "mathcal", calligraphic }, { "mathbf", bold },
    { "boxed", boxed },          { "underbrace", underbrace },
    { "left", fenced },          { "begin", environment },
    { "textstyle", text_style }, { "displaystyle", display_style },
};

/* ---- atoms and scripts ---------------------------------------------------------------------- */

static Status accent(Reader *r, FILE *out, const char *mark)
{
    fputs("<mover accent=\"true\">", out);
    const Status status = argument(r, out);
    fprintf(out, "<mo stretchy=\"%s\">%s</mo></mover>", strcmp(mark, "¯") == 0 ? "true" : "false",
            mark);
    return status;
}

static Status symbol(Reader *r, FILE *out, const Symbol *s)
{
    switch (s->kind) {
    case LETTER: fprintf(out, "<mi>%s</mi>", s->text); break;
    case SIGN:   fprintf(out, "<mo stretchy=\"false\">%s</mo>", s->text); break;
    case SPACE:  fprintf(out, "<mspace width=\"%s\"/>", s->text); break;
    case ACCENT: return accent(r, out, s->text);
    case LARGE:
        fprintf(out, "<mo movablelimits=\"true\">%s</mo>", s->text);
        r->limits = r->display;
        break;
    case LIMIT:  r->limits = r->display; /* fall through */
    case NAMED:  fprintf(out, "<mi>%s</mi>", s->text); break;
    }
    return OK;
}

static Status command(Reader *r, FILE *out)
{
    char name[NAME_MAX_LENGTH + 1];
    read_name(r, name);
    for (size_t i = 0; i < sizeof structures / sizeof *structures; i++)
        if (strcmp(structures[i].name, name) == 0)
            return structures[i].parse(r, out);
    const Symbol *known = mathml_symbol(name);
    if (known)
        return symbol(r, out, known);
    return fail(r->err, BAD_INPUT,
                "equation: unknown command \\%s; harness/mathml_symbols.c lists the known ones",
                name);
}

static void number(Reader *r, FILE *out)
{
    fputs("<mn>", out);
    while (r->at < r->end &&
           (isdigit((unsigned char)*r->at) ||
            (strchr(".,", *r->at) && r->at + 1 < r->end && isdigit((unsigned char)r->at[1]))))
        fputc(*r->at++, out);
    fputs("</mn>", out);
}

static void sign_or_letter(Reader *r, FILE *out)
{
    const unsigned char c = (unsigned char)*r->at;
    if (c >= 0x80) {   /* a whole UTF-8 sequence is one letter */
        fputs("<mi>", out);
        do
            fputc(*r->at++, out);
        while (r->at < r->end && ((unsigned char)*r->at & 0xC0) == 0x80);
        fputs("</mi>", out);
    } else if (isalpha(c)) {
        fprintf(out, "<mi>%c</mi>", *r->at++);
    } else {
        fputs("<mo stretchy=\"false\">", out);
        if (c == '-')
            fputs("−", out);
        else if (c == '*')
            fputs("∗", out);
        else
            put_escaped(out, r->at, 1);
        fputs("</mo>", out);
        r->at++;
    }
}

static Status group(Reader *r, FILE *out)
{
    if (++r->depth > DEPTH_MAX)
        return fail(r->err, BAD_INPUT, "equation: nested deeper than %d", DEPTH_MAX);
    fputs("<mrow>", out);
    Status status = row(r, out);
    fputs("</mrow>", out);
    if (!status)
        status = expect(r, "}");
    r->depth--;
    return status;
}

/* One unit: what a script or \frac takes without braces. */
static Status atom(Reader *r, FILE *out)
{
    skip_spaces(r);
    if (r->at == r->end)
        return fail(r->err, BAD_INPUT, "equation: ends where an argument should stand");
    if (take(r, "{"))
        return group(r, out);
    if (*r->at == '}' || *r->at == '&')
        return fail(r->err, BAD_INPUT, "equation: %c without its beginning", *r->at);
    if (*r->at == '\\')
        return command(r, out);
    if (isdigit((unsigned char)*r->at))
        number(r, out);
    else
        sign_or_letter(r, out);
    return OK;
}

/* What \frac or ^ takes without braces is one digit, as in LaTeX: \frac12 is a half. */
static Status argument(Reader *r, FILE *out)
{
    skip_spaces(r);
    if (r->at == r->end || !isdigit((unsigned char)*r->at))
        return atom(r, out);
    fprintf(out, "<mn>%c</mn>", *r->at++);
    return OK;
}

/* ' is a superscript in itself and may stand before another one: m'^2. */
static Status primes(Reader *r, char **sup)
{
    int count = 0;
    while (take(r, "'"))
        count++;
    if (count == 0)
        return OK;
    if (*sup)
        return fail(r->err, BAD_INPUT, "equation: a prime after a superscript");
    size_t size;
    FILE *out = open_memstream(sup, &size);
    if (!out)
        return fail(r->err, NO_MEMORY, "equation: no memory");
    while (count-- > 0)
        fputs("<mo>′</mo>", out);
    return file_close(out) ? OK : fail(r->err, NO_MEMORY, "equation: no memory");
}

static Status scripts(Reader *r, char **sub, char **sup)
{
    Status status = OK;
    for (;;) {
        char **which = NULL;
        if (!status)
            status = primes(r, sup);
        if (status)
            return status;
        if (take(r, "_"))
            which = sub;
        else if (take(r, "^"))
            which = sup;
        else
            return OK;
        if (*which)
            return fail(r->err, BAD_INPUT, "equation: two %s on one base",
                        which == sub ? "subscripts" : "superscripts");
        status = capture(r, argument, which);
    }
}

static void put_scripted(FILE *out, const char *base, const char *sub, const char *sup, int limits)
{
    const char *element = sub && sup ? (limits ? "munderover" : "msubsup")
                        : sub        ? (limits ? "munder" : "msub")
                                     : (limits ? "mover" : "msup");
    fprintf(out, "<%s><mrow>%s</mrow>", element, base);
    if (sub)
        fprintf(out, "<mrow>%s</mrow>", sub);
    if (sup)
        fprintf(out, "<mrow>%s</mrow>", sup);
    fprintf(out, "</%s>", element);
}

static Status item(Reader *r, FILE *out)
{
    char *base = NULL, *sub = NULL, *sup = NULL;
    const char *start = r->at;
    r->limits = 0;
    Status status = capture(r, atom, &base);
    const int limits = r->limits;
    /* "ln x" needs a gap that "ln(x)" has not. */
    const int named = !status && *start == '\\' && strncmp(base, "<mi>", 4) == 0 &&
                      strlen(base) > 10 && isalpha((unsigned char)base[4]) &&
                      isalpha((unsigned char)base[5]);
    if (!status)
        status = scripts(r, &sub, &sup);
    if (status)
        goto done;
    if (sub || sup)
        put_scripted(out, base, sub, sup, limits);
    else
        fputs(base, out);
    skip_spaces(r);
    if (named && r->at < r->end && *r->at != '(' && !looking_at(r, "\\left"))
        fputs("<mspace width=\".17em\"/>", out);
done:
    free(base);
    free(sub);
    free(sup);
    return status;
}

static int row_ends(const Reader *r)
{
    return r->at == r->end || *r->at == '}' || *r->at == '&' || looking_at(r, "\\\\") ||
           looking_at(r, "\\right") || looking_at(r, "\\end");
}

static Status row(Reader *r, FILE *out)
{
    if (++r->depth > DEPTH_MAX)
        return fail(r->err, BAD_INPUT, "equation: nested deeper than %d", DEPTH_MAX);
    Status status = OK;
    for (skip_spaces(r); !status && !row_ends(r); skip_spaces(r))
        status = item(r, out);
    r->depth--;
    return status;
}

Status mathml_write(FILE *out, const char *latex, size_t size, int display, Err *err)
{
    Reader r = { .at = latex, .end = latex + size, .display = display, .err = err };
    char *body = NULL;
    Status status = capture(&r, row, &body);
    if (!status && r.at != r.end)
        status = fail(err, BAD_INPUT, "equation: \"%.*s\" stands alone",
                      (int)(r.end - r.at < 12 ? r.end - r.at : 12), r.at);
    if (!status)
        fprintf(out, "<math%s><mrow>%s</mrow></math>", display ? " display=\"block\"" : "", body);
    free(body);
    return status;
}
