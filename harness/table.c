/* SPDX-License-Identifier: Apache-2.0 */
/* One table, four ways to print it. */
#include "cli.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

typedef struct {
    FILE *out;
    int   columns, rows;
    const char *const *cell;
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

static void print_padded(const Table *t, int row, int column, int is_last)
{
    const char *text = cell_at(t, row, column);
    const int blanks = t->width[column] - text_width(text);
    if (t->numeric[column]) fprintf(t->out, "%*s%s", blanks, "", text);
    else fprintf(t->out, "%s%*s", text, is_last ? 0 : blanks, "");
}

static void print_table(const Table *t)
{
    for (int r = 0; r < t->rows; r++) {
        if (!r) fputs(paint(t->out, "1"), t->out);
        for (int c = 0; c < t->columns; c++) {
            if (c) fputs("  ", t->out);
            print_padded(t, r, c, c == t->columns - 1);
        }
        if (!r) fputs(paint(t->out, "0"), t->out);
        fputc('\n', t->out);
    }
}

/* RFC 4180. */
static void print_csv(const Table *t)
{
    for (int r = 0; r < t->rows; r++)
        for (int c = 0; c < t->columns; c++) {
            const char *text = cell_at(t, r, c);
            const int quote = strpbrk(text, ",\"\r\n") != NULL;
            if (quote) fputc('"', t->out);
            for (; *text; text++) {
                if (*text == '"') fputc('"', t->out);
                fputc(*text, t->out);
            }
            if (quote) fputc('"', t->out);
            fputc(c == t->columns - 1 ? '\n' : ',', t->out);
        }
}

static void print_markdown_cell(const Table *t, int row, int column)
{
    fputs("| ", t->out);
    for (const char *s = cell_at(t, row, column); *s; s++) {
        if (*s == '|') fputc('\\', t->out);
        fputc(*s == '\n' ? ' ' : *s, t->out);
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
    Table t = { .out = out, .columns = columns, .rows = rows, .cell = cell };
    measure(&t);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(format, formats[i].name)) { formats[i].print(&t); return; }
    require_failed("a known table format", __FILE__, __LINE__);
}
