/* SPDX-License-Identifier: Apache-2.0 */
/* attest man: the manual page, from the tables of the commands. */
#include "cli.h"

#include <string.h>

/* ---- roff ------------------------------------------------------------------------------- */

/* Text in which nothing is taken for a request or an escape. */
static void put_text(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        if ((c == '.' || c == '\'') && (!i || text[i - 1] == '\n')) fputs("\\&", out);
        if (c == '\\') fputs("\\e", out);
        else if (c == '-') fputs("\\-", out);
        else fputc(c, out);
    }
}

static void put(FILE *out, const char *text) { put_text(out, text, strlen(text)); }

/* Lines that begin with a blank stay as they are; any other line is a paragraph. */
static void put_paragraphs(FILE *out, const char *text)
{
    int verbatim = 0;
    for (const char *line = text; *line;) {
        const size_t length = strcspn(line, "\n");
        const int wanted = *line == ' ';
        if (wanted != verbatim) fputs(wanted ? ".PP\n.nf\n" : ".fi\n", out);
        if (length && !wanted) fputs(".PP\n", out);
        put_text(out, line, length);
        if (length) fputc('\n', out);
        verbatim = wanted;
        line += length + (line[length] == '\n');
    }
    if (verbatim) fputs(".fi\n", out);
}

static void put_item(FILE *out, const char *name, const char *help)
{
    fputs(".TP\n\\fB", out);
    put(out, name);
    fputs("\\fR\n", out);
    put(out, help);
    fputc('\n', out);
}

static void put_option(FILE *out, const Option *o)
{
    const char *value = o->choices ? o->choices : o->value;
    fputs(".TP\n\\fB", out);
    if (o->letter) fprintf(out, "\\-%c\\fR, \\fB", o->letter);
    fputs("\\-\\-", out);
    put(out, o->name);
    fputs("\\fR", out);
    if (value) {
        fputs(" \\fI", out);
        put(out, value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    put(out, o->help);
    fputc('\n', out);
}

/* ---- sections --------------------------------------------------------------------------- */

static int own_options(const Command *c)
{
    int count = 0;
    while (c->option && c->option[count].name) count++;
    return count;
}

static void put_command(FILE *out, const Command *c)
{
    fputs(".SS \"attest ", out);
    put(out, c->name);
    if (*c->arguments) fputc(' ', out);
    put(out, c->arguments);
    fputs("\"\n", out);
    put(out, c->summary);
    fputc('\n', out);
    put_paragraphs(out, c->details);
    for (int i = 0; i < own_options(c); i++) put_option(out, &c->option[i]);
}

static void put_common_options(FILE *out, const Command *any)
{
    const Option *o;
    fputs(".SH \"COMMON OPTIONS\"\nEvery command takes these.\n", out);
    for (int i = own_options(any); (o = option_at(any, i)); i++) put_option(out, o);
}

static void put_surroundings(FILE *out)
{
    fputs(".SH ENVIRONMENT\n", out);
    put_item(out, "ATTEST_DB", "The database, where --db does not say another.");
    put_item(out, "ATTEST_HOME", "The folder that has experiments/ and papers/; without it the "
             "current one if it has papers/ with claims, else the one that the program came with.");
    put_item(out, "ATTEST_ISA", "The best instruction set to be used: portable, avx2, ...");
    put_item(out, "NO_COLOR", "If not empty, nothing is coloured.");
    put_item(out, "COLUMNS", "The width of the terminal, where it is not as it says.");
    put_item(out, "LC_ALL, LC_CTYPE, LANG", "A locale of UTF-8 gets its characters, any other "
             "ASCII.");
    fputs(".SH FILES\n", out);
    put_item(out, "results/attest.db", "The database: an SQLite file.");
    put_item(out, "experiments/, papers/", "What can be measured, and what it is to show.");
    fputs(".SH \"EXIT STATUS\"\n", out);
    put_item(out, "0", "Done. A verdict is a result, whatever it says.");
    put_item(out, "1", "Something was wrong: a result, a file, the machine.");
    put_item(out, "2", "The command line or an input was wrong; nothing was done.");
    put_item(out, "3", "With --strict: something stayed inconclusive.");
    put_item(out, "130", "Interrupted. What was measured so far is stored.");
}

static int run(const Call *call)
{
    FILE *out = call->out;
    fputs(".\\\" Printed by `attest man` from the tables that read its command line.\n"
          ".TH ATTEST 1 \"\" attest \"User Commands\"\n.SH NAME\nattest \\- ", out);
    put(out, attest_summary);
    fputs("\n.SH SYNOPSIS\n.B attest\n.I COMMAND\n[\\fIoptions\\fR]\n.SH DESCRIPTION\n"
          "attest runs each method's C kernel on this machine, checks every result against\n"
          "float64, stores raw timings, counts and errors, and judges the claims of papers by\n"
          "them.\n", out);
    put_paragraphs(out, attest_points);
    fputs(".SH COMMANDS\n", out);
    for (int i = 0; commands[i]; i++)
        if (*commands[i]->summary) put_command(out, commands[i]);
    put_common_options(out, call->command);
    put_surroundings(out);
    return EXIT_DONE;
}

extern const Command command_man;
const Command command_man = {
    .name = "man",
    .arguments = "",
    .summary = "the manual page: attest man | man -l -",
    .details = "Prints the page as roff; `make install` puts it where man looks.",
    .run = run,
};
