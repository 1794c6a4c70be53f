/* SPDX-License-Identifier: Apache-2.0 */
/* One table, four ways to print it. */
#include "cli.h"

#include "../kernels/core/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

typedef struct {
    FILE *out;
    int   columns, rows;
    const char *const *cell;
    int   width_most, utf8;          /* of a table for people; 0: any width */
    int   width[COLUMNS_MAX], numeric[COLUMNS_MAX];
} Table;

static const char *cell_at(const Table *t, int row, int column)
{
    const char *text = t->cell[row * t->columns + column];
    return text ? text : "";
}

/* As JSON has them: no leading +, 0x, inf or nan. */
static int is_number(const char *text)
{
    char *end;
    const char *digits = text + (*text == '-');
    if (strspn(text, "+-.0123456789eE") != strlen(text)) return 0;
    if (!isdigit((unsigned char)*digits)) return 0;
    if (digits[0] == '0' && isdigit((unsigned char)digits[1])) return 0;
    strtod(text, &end);
    return !*end && end[-1] != '.' && !strstr(text, ".e") && !strstr(text, ".E");
}

/* For people "1.2x", "12 %" and "-" are numbers too. */
static int looks_numeric(const char *text)
{
    const char *digits = text + (*text == '-' || *text == '+');
    return !*text || !strcmp(text, "-") || !strcmp(text, "–") || isdigit((unsigned char)*digits);
}

static void measure(Table *t)
{
    for (int c = 0; c < t->columns; c++) {
        t->numeric[c] = t->rows > 1;
        for (int r = 0; r < t->rows; r++) {
            const int width = text_width(cell_at(t, r, c));
            if (width > t->width[c]) t->width[c] = width;
            if (r && !looks_numeric(cell_at(t, r, c))) t->numeric[c] = 0;
        }
    }
}

/* ---- for people ------------------------------------------------------------------------- */

enum { GAP = 2, TEXT_LEAST = 14 };

/* Where a line of at most `width` columns ends: behind a blank, or a sign that parts a point's
 * name, or wherever it must. At least one character, if there is one. *next: where the next line
 * begins. */
static size_t line_end(const char *text, int width, size_t *next)
{
    size_t end = text_fit(text, width);
    if (!end) end = text_fit(text, 2);   /* a wide one */
    size_t at = end;
    if (text[end]) {
        while (at && text[at] != ' ' && !strchr(" ,:/", text[at - 1])) at--;
        end = at ? at : end;
    }
    *next = end + strspn(text + end, " ");
    while (end > 1 && text[end - 1] == ' ') end--;
    return end;
}

static int longest_word(const char *text)
{
    int longest = 0;
    while (*text) {
        const int length = (int)strcspn(text, " ");
        if (length > longest) longest = length;
        text += length + (text[length] == ' ');
    }
    return longest;
}

/* Columns that a column needs at least: a number is never broken, nor is a word of a heading, and
 * other words only where `broken`. */
static int width_least(const Table *t, int column, int broken)
{
    int least = longest_word(cell_at(t, 0, column));
    for (int r = 1; r < t->rows; r++) {
        const char *text = cell_at(t, r, column);
        const int width = text_width(text), word = broken ? 0 : longest_word(text);
        const int needed = t->numeric[column] || width < TEXT_LEAST ? width
                         : word > TEXT_LEAST ? word : TEXT_LEAST;
        if (needed > least) least = needed;
    }
    return least < t->width[column] ? least : t->width[column];
}

/* Takes columns from the widest that can give, until the table is `width` wide; 0: it cannot be. */
static int shrink(Table *t, int width, int broken)
{
    int least[COLUMNS_MAX], total = GAP * (t->columns - 1);
    for (int c = 0; c < t->columns; c++) {
        least[c] = width_least(t, c, broken);
        total += t->width[c];
    }
    for (; total > width; total--) {
        int widest = -1;
        for (int c = 0; c < t->columns; c++)
            if (t->width[c] > least[c] && (widest < 0 || t->width[c] > t->width[widest]))
                widest = c;
        if (widest < 0) return 0;
        t->width[widest]--;
    }
    return 1;
}

/* One line of a row; moves each cell on behind what was printed. 1: there is more. */
static int print_line(const Table *t, const char **cell)
{
    int more = 0, blanks = 0;
    for (int c = 0; c < t->columns; c++) {
        size_t next;
        const size_t end = line_end(cell[c], t->width[c], &next);
        const int used = text_width(cell[c]) - text_width(cell[c] + end);
        const int before = t->numeric[c] ? t->width[c] - used : 0;
        if (*cell[c]) {
            fprintf(t->out, "%*s", blanks + before, "");
            text_put(t->out, cell[c], end, t->utf8);
            cell[c] += next;
            blanks = t->width[c] - used - before + GAP;
        } else {
            blanks += t->width[c] + GAP;
        }
        more |= *cell[c] != 0;
    }
    fputc('\n', t->out);
    return more;
}

static void print_row(const Table *t, int row)
{
    const char *cell[COLUMNS_MAX];
    for (int c = 0; c < t->columns; c++) cell[c] = cell_at(t, row, c);
    while (print_line(t, cell)) continue;
}

static void put_rule(const Table *t, int width)
{
    for (int i = 0; i < width; i++) fputs(t->utf8 ? "─" : "-", t->out);
}

static void print_aligned(const Table *t)
{
    fputs(paint(t->out, "1"), t->out);
    print_row(t, 0);
    fprintf(t->out, "%s%s", paint(t->out, "0"), paint(t->out, "2"));
    for (int c = 0; c < t->columns; c++) {
        if (c) fprintf(t->out, "%*s", GAP, "");
        put_rule(t, t->width[c]);
    }
    fprintf(t->out, "%s\n", paint(t->out, "0"));
    for (int r = 1; r < t->rows; r++) print_row(t, r);
}

/* "name   value", the value in lines beside its name. */
static void print_entry(const Table *t, int row, int column, int label, int width)
{
    const char *text = cell_at(t, row, column), *name = cell_at(t, 0, column);
    const int room = width - label - GAP > TEXT_LEAST ? width - label - GAP : TEXT_LEAST;
    fputs(paint(t->out, "1"), t->out);
    text_put(t->out, name, strlen(name), t->utf8);
    fputs(paint(t->out, "0"), t->out);
    for (int blanks = label - text_width(name) + GAP; *text; blanks = label + GAP) {
        size_t next;
        const size_t end = line_end(text, room, &next);
        fprintf(t->out, "%*s", blanks, "");
        text_put(t->out, text, end, t->utf8);
        text += next;
        if (*text) fputc('\n', t->out);
    }
    fputc('\n', t->out);
}

static void print_records(const Table *t, int width)
{
    int label = 0;
    for (int c = 0; c < t->columns; c++)
        if (text_width(cell_at(t, 0, c)) > label) label = text_width(cell_at(t, 0, c));
    for (int r = 1; r < t->rows; r++) {
        if (r > 1) fputc('\n', t->out);
        for (int c = 0; c < t->columns; c++)
            if (*cell_at(t, r, c)) print_entry(t, r, c, label, width);
    }
}

static void print_table(const Table *t)
{
    Table fitted = *t;
    const int most = t->width_most;
    if (!most || shrink(&fitted, most, 0) || shrink(&fitted, most, 1)) print_aligned(&fitted);
    else print_records(t, most);
}

void table_print_within(FILE *out, int width, int utf8, int columns, int rows,
                        const char *const *cell)
{
    require(columns > 0 && columns <= COLUMNS_MAX && rows > 0);
    Table t = { .out = out, .columns = columns, .rows = rows, .cell = cell,
                .width_most = width, .utf8 = utf8 };
    measure(&t);
    print_table(&t);
}

/* ---- for programs ------------------------------------------------------------------------ */

void csv_print(FILE *out, const char *text, int clean)
{
    char *copy = clean ? strdup(text) : NULL;
    const char *at = copy ? text_clean(copy) : text;
    const int quote = at[strcspn(at, ",\"\r\n")] != 0;
    if (quote) fputc('"', out);
    for (; quote && *at; at++) {
        if (*at == '"') fputc('"', out);
        fputc(*at, out);
    }
    fputs(quote ? "\"" : at, out);
    free(copy);
}

static void print_csv(const Table *t)
{
    const int clean = terminal_width(t->out) > 0;
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            csv_print(t->out, cell_at(t, r, c), clean);
            fputc(c == t->columns - 1 ? '\n' : ',', t->out);
        }
}

static void print_markdown_cell(const Table *t, int row, int column)
{
    fputs("| ", t->out);
    for (const char *s = cell_at(t, row, column); *s; s += text_step(s)) {
        if (*s == '|') fputc('\\', t->out);
        if (*s == '\n' || text_control(s)) fputc(' ', t->out);
        else fwrite(s, 1, text_step(s), t->out);
    }
    fputc(' ', t->out);
}

static void print_markdown(const Table *t)
{
    for (int r = 0; r < t->rows; r++) {
        for (int c = 0; c < t->columns; c++) print_markdown_cell(t, r, c);
        fputs("|\n", t->out);
        for (int c = 0; !r && c < t->columns; c++) fputs(t->numeric[c] ? "|---:" : "|---", t->out);
        if (!r) fputs("|\n", t->out);
    }
}

static void print_json(const Table *t)
{
    Json j;
    json_open(&j, t->out);
    json_array(&j, NULL);
    for (int r = 1; r < t->rows; r++) {
        json_object(&j, NULL);
        for (int c = 0; c < t->columns; c++) {
            const char *key = cell_at(t, 0, c), *text = t->cell[r * t->columns + c];
            if (text && is_number(text)) json_raw(&j, key, text);
            else json_text(&j, key, text);
        }
        json_close(&j);
    }
    json_close(&j);
}

void table_print(FILE *out, const char *format, int columns, int rows, const char *const *cell)
{
    static const struct { const char *name; void (*print)(const Table *); } formats[] = {
        { "table", print_table }, { "csv", print_csv }, { "json", print_json },
        { "markdown", print_markdown },
    };
    require(columns > 0 && columns <= COLUMNS_MAX && rows > 0);
    Table t = { .out = out, .columns = columns, .rows = rows, .cell = cell,
                .width_most = terminal_width(out), .utf8 = terminal_utf8() };
    measure(&t);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(format, formats[i].name)) { formats[i].print(&t); return; }
    require_failed("a known table format", __FILE__, __LINE__);
}
