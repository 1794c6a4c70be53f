/* SPDX-License-Identifier: Apache-2.0 */
/* What an option or an argument is called in the help ("FILE", "PAPER", "POINT") says what can
 * stand there. */
#include "complete.h"
#include "cli.h"
#include "home.h"
#include "paper.h"
#include "query_presets.h"
#include "spec.h"

#include "../kernels/core/problem.h"

#include <ctype.h>
#include <string.h>

typedef struct {
    FILE       *out;
    const char *word;          /* under way */
    const char *begun;         /* it, or its part behind "--name=" */
} Completion;

static void offer(const Completion *c, const char *word, const char *help)
{
    if (strncmp(word, c->begun, strlen(c->begun))) return;
    fprintf(c->out, "%.*s%s\t%s\n", (int)(c->begun - c->word), c->word, word, help);
}

/* ---- values by what they are called ----------------------------------------------------- */

static void offer_choices(const Completion *c, const char *choices, size_t length)
{
    for (const char *at = choices; at < choices + length;) {
        char word[64];
        const int size = (int)strcspn(at, "|]");
        snprintf(word, sizeof word, "%.*s", size, at);
        offer(c, word, "");
        at += size + 1;
    }
}

static void offer_papers(const Completion *c)
{
    char **ids = NULL;
    int count = 0;
    if (!papers_list(&ids, &count, NULL))
        for (int i = 0; i < count; i++) offer(c, ids[i], "");
    papers_free(ids, count);
}

/* A folder of experiments, then each of them. */
static void offer_experiments(const Completion *c)
{
    char folder[HOME_PATH], last[64] = "";
    char **path = NULL;
    int count = 0;
    home_path(folder, "experiments");
    const char *const words[] = { folder };
    if (spec_paths(words, 1, &path, &count, NULL)) return;
    for (int i = 0; i < count; i++) {
        char *name = path[i] + strlen(folder) + 1;
        const int length = (int)strcspn(name, "/");
        if (name[length] && (strncmp(last, name, (size_t)length) || last[length])) {
            snprintf(last, sizeof last, "%.*s", length, name);
            offer(c, last, "all of the folder");
        }
        name[strlen(name) - strlen(".yaml")] = 0;
        offer(c, name, "");
    }
    spec_paths_free(path, count);
}

static void offer_presets(const Completion *c)
{
    for (int i = 0; i < preset_count; i++) offer(c, presets[i].name, presets[i].help);
}

static void offer_isas(const Completion *c)
{
    for (Isa isa = ISA_PORTABLE; isa < ISA_COUNT; isa++) offer(c, isa_name(isa), "");
}

static void offer_methods(const Completion *c)
{
    for (int i = 0; methods[i]; i++) offer(c, methods[i]->name, methods[i]->title);
}

static void offer_files(const Completion *c)   { fputs(":files\n", c->out); }
static void offer_folders(const Completion *c) { fputs(":folders\n", c->out); }

/* Behind "METHOD/VARIANT:" parameters, dtypes and passes follow. */
static void offer_fields(const Completion *c, const Method *m, size_t known)
{
    char text[512];
    for (int i = 0; m->param[i].name; i++) {
        snprintf(text, sizeof text, "%.*s%s=", (int)known, c->begun, m->param[i].name);
        offer(c, text, m->param[i].help);
    }
    if (c->begun[known - 1] != ':') return;
    for (Dtype d = 0; d < DTYPE_END; d++) {
        snprintf(text, sizeof text, "%.*s%s", (int)known, c->begun, dtype_name(d));
        offer(c, text, "");
    }
    for (int pass = FWD; pass <= STEP; pass <<= 1) {
        snprintf(text, sizeof text, "%.*s%s", (int)known, c->begun, pass_name((Pass)pass));
        offer(c, text, "");
    }
}

static void offer_points(const Completion *c)
{
    size_t known = strlen(c->begun);
    while (known && !strchr(":,", c->begun[known - 1])) known--;
    const size_t name = strcspn(c->begun, "/@:");
    for (int i = 0; known && methods[i]; i++)
        if (strlen(methods[i]->name) == name && !strncmp(methods[i]->name, c->begun, name))
            offer_fields(c, methods[i], known);
    if (known) return;
    offer_methods(c);
    for (int i = 0; variants[i]; i++) {
        char text[128];
        if (i && !strcmp(variants[i]->method, variants[i - 1]->method) &&
            !strcmp(variants[i]->name, variants[i - 1]->name)) continue;
        snprintf(text, sizeof text, "%s/%s", variants[i]->method, variants[i]->name);
        offer(c, text, variants[i]->note ? variants[i]->note : "");
    }
}

static void offer_kind(const Completion *c, const char *kind, size_t length)
{
    static const struct { const char *name; void (*offer)(const Completion *); } kinds[] = {
        { "EXPERIMENT", offer_experiments }, { "PAPER", offer_papers }, { "PRESET", offer_presets },
        { "POINT", offer_points }, { "METHOD", offer_points }, { "GLOB", offer_points },
        { "ISA", offer_isas }, { "DIR", offer_folders }, { "FILE", offer_files },
        { "DB", offer_files }, { "BUNDLE", offer_files },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strlen(kinds[i].name) == length && !memcmp(kinds[i].name, kind, length))
            kinds[i].offer(c);
}

static void offer_value(const Completion *c, const Option *o)
{
    if (o->choices) offer_choices(c, o->choices, strlen(o->choices));
    else offer_kind(c, o->value, strlen(o->value));
}

/* Argument number `index` of "POINT --in FILE", "EXPERIMENT...", "[methods|variants]". */
static void offer_argument(const Completion *c, const char *arguments, int index)
{
    size_t length = 0;
    for (const char *at = arguments; *at; at += length) {
        at += strspn(at, " [");
        length = strcspn(at, " ].|");
        if (at[0] == '-') return;
        if (islower((unsigned char)*at)) { offer_choices(c, at, strcspn(at, "]")); return; }
        const int repeats = at[length] == '.';
        if (!index || repeats) offer_kind(c, at, length);
        if (!index || repeats) return;
        index--;
        length = strcspn(at, " ");
    }
}

/* ---- words ------------------------------------------------------------------------------ */

static void offer_options(const Completion *c, const Command *command)
{
    const Option *o;
    for (int i = 0; (o = option_at(command, i)); i++) {
        char text[64];
        snprintf(text, sizeof text, "--%s", o->name);
        offer(c, text, o->help);
    }
}

static void offer_commands(const Completion *c)
{
    for (int i = 0; commands[i]; i++)
        if (*commands[i]->summary) offer(c, commands[i]->name, commands[i]->summary);
    offer(c, "help", "the commands, or all about one");
    if (*c->begun != '-') return;
    offer(c, "--help", "the commands");
    offer(c, "--version", "what was built, by what, and what runs here");
}

/* The option that still waits for its value behind this word; NULL: none. */
static const Option *waiting(const Command *command, const char *word)
{
    const size_t length = strlen(word);
    const Option *o = NULL;
    if (length > 2 && word[0] == '-' && word[1] == '-') {
        o = option_named(command, word + 2, length - 2);
    } else if (length > 1 && word[0] == '-') {
        for (const char *letter = word + 1; *letter; letter++) {
            o = option_lettered(command, *letter);
            if (o && o->value && letter[1]) return NULL;
        }
    }
    return o && o->value ? o : NULL;
}

typedef struct {
    const Option *option;      /* waits for its value */
    int arguments;             /* so far */
    int only_arguments;        /* behind "--" */
} Before;

static void pass(Before *b, const Command *command, const char *word)
{
    if (b->option) {
        b->option = NULL;
    } else if (b->only_arguments || word[0] != '-') {
        b->arguments++;
    } else {
        b->option = waiting(command, word);
        b->only_arguments = !strcmp(word, "--");
    }
}

static void offer_in(Completion *c, const Command *command, int words, const char *const *word)
{
    Before b = { 0 };
    for (int i = 0; i < words; i++) pass(&b, command, word[i]);
    const size_t name = strcspn(c->word, "=");
    if (b.option) {
        offer_value(c, b.option);
    } else if (b.only_arguments || *c->word != '-') {
        offer_argument(c, command->arguments, b.arguments);
    } else if (!c->word[name]) {
        offer_options(c, command);
    } else if (name > 2 && (b.option = option_named(command, c->word + 2, name - 2))) {
        c->begun += name + 1;
        if (b.option->value) offer_value(c, b.option);
    }
}

void complete(FILE *out, int words, const char *const *word)
{
    const char *under_way = words ? word[words - 1] : "";
    Completion c = { out, under_way, under_way };
    if (words < 2) { offer_commands(&c); return; }
    const Command *command = command_find(word[0]);
    if (command) offer_in(&c, command, words - 2, word + 1);
    else if (!strcmp(word[0], "help") && words == 2) offer_commands(&c);
}
