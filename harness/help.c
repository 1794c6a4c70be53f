/* SPDX-License-Identifier: Apache-2.0 */
/* The help texts, from the commands' tables. */
#include "cli.h"

#include <string.h>

enum { HELP_WIDTH_MAX = 90 };

static int help_width(FILE *to)
{
    const int width = terminal_width(to);
    return width > 30 && width < HELP_WIDTH_MAX ? width : HELP_WIDTH_MAX;
}

void print_wrapped(FILE *to, const char *text, int at, int indent)
{
    const int width = help_width(to);
    int column = at, verbatim = *text == ' ';
    while (*text) {
        if (*text == '\n') {
            fprintf(to, "\n%*s", text[1] == '\n' ? 0 : indent, "");
            column = indent;
            verbatim = *++text == ' ';
            continue;
        }
        const int blanks = (int)strspn(text, " "), length = (int)strcspn(text + blanks, " \n");
        if (!verbatim && column > indent && column + blanks + length > width) {
            fprintf(to, "\n%*s", indent, "");
            column = indent;
        } else {
            fprintf(to, "%*s", blanks, "");
            column += blanks;
        }
        fprintf(to, "%.*s", length, text + blanks);
        column += length;
        text += blanks + length;
    }
    fputc('\n', to);
}

static int option_label(const Option *o, char *label, size_t size)
{
    char letter[8] = "    ";
    if (o->letter) snprintf(letter, sizeof letter, "-%c, ", o->letter);
    return snprintf(label, size, "  %s--%s%s%s", letter, o->name, o->value ? " " : "",
                    o->choices ? o->choices : o->value ? o->value : "");
}

enum { LABEL_MAX = 34 };

static void print_options(FILE *to, const Command *c)
{
    char label[128];
    const Option *o;
    int indent = 0;
    for (int i = 0; (o = option_at(c, i)); i++) {
        const int width = option_label(o, label, sizeof label) + 2;
        if (width > indent && width <= LABEL_MAX) indent = width;
    }
    for (int i = 0; (o = option_at(c, i)); i++) {
        const int width = option_label(o, label, sizeof label);
        if (width + 2 > indent) fprintf(to, "%s\n%*s", label, indent, "");
        else fprintf(to, "%-*s", indent, label);
        print_wrapped(to, o->help, indent, indent);
    }
}

void command_help(FILE *to, const Command *c)
{
    fprintf(to, "%sattest %s%s: %s\n\n", paint(to, "1"), c->name, paint(to, "0"), c->summary);
    fprintf(to, "usage: attest %s%s%s [options]\n\n", c->name, *c->arguments ? " " : "",
            c->arguments);
    if (c->details && *c->details) {
        print_wrapped(to, c->details, 0, 0);
        fputc('\n', to);
    }
    fprintf(to, "%soptions%s\n", paint(to, "1"), paint(to, "0"));
    print_options(to, c);
}

const char attest_summary[] = "what efficient-attention papers claim, turned into evidence";
const char attest_points[] =
    "A point is named by one text:\n"
    "  METHOD[/VARIANT][@ISA]:PARAM=VALUE,...:DTYPE:PASS[:threads=N]\n"
    "'attest list' shows the methods, 'attest show METHOD' their parameters.";

void commands_help(FILE *to)
{
    int indent = 0;
    for (int i = 0; commands[i]; i++) {
        const int width = (int)strlen(commands[i]->name) + 4;
        if (*commands[i]->summary && width > indent) indent = width;
    }
    fprintf(to, "%sattest%s: %s\n\n", paint(to, "1"), paint(to, "0"), attest_summary);
    fprintf(to, "usage: attest COMMAND [options]\n\n%scommands%s\n", paint(to, "1"),
            paint(to, "0"));
    for (int i = 0; commands[i]; i++) {
        if (!*commands[i]->summary) continue;   /* not for people */
        fprintf(to, "  %-*s", indent - 2, commands[i]->name);
        print_wrapped(to, commands[i]->summary, indent, indent);
    }
    fprintf(to, "\n'attest COMMAND --help' says more. %s\n", attest_points);
}
