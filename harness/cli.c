/* SPDX-License-Identifier: Apache-2.0 */
/* Words into calls, by the commands' tables. */
#include "cli.h"

#include "../kernels/core/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

volatile int interrupted;

/* Every command takes these. */
static const Option common[] = {
    { "db", 0, "FILE", "the database (default: $ATTEST_DB, or results/attest.db)", NULL },
    { "json", 0, NULL, "print JSON", NULL },
    { "quiet", 'q', NULL, "no progress and no remarks", NULL },
    { "help", 'h', NULL, "this text", NULL },
    { 0 }
};

/* ---- tables ------------------------------------------------------------------------- */

const Command *command_find(const char *name)
{
    for (int i = 0; commands[i]; i++)
        if (!strcmp(commands[i]->name, name)) return commands[i];
    return NULL;
}

const Option *option_at(const Command *c, int i)
{
    int own = 0;
    while (c->option && c->option[own].name) own++;
    if (i < own) return &c->option[i];
    return common[i - own].name ? &common[i - own] : NULL;
}

const Option *option_named(const Command *c, const char *name, size_t length)
{
    const Option *o;
    for (int i = 0; (o = option_at(c, i)); i++)
        if (strlen(o->name) == length && !memcmp(o->name, name, length)) return o;
    return NULL;
}

const Option *option_lettered(const Command *c, char letter)
{
    const Option *o;
    for (int i = 0; (o = option_at(c, i)); i++)
        if (o->letter && o->letter == letter) return o;
    return NULL;
}

enum { OPTIONS_MAX = 64 };

static Status unknown_option(const Command *c, const char *name, size_t length, Err *err)
{
    const char *names[OPTIONS_MAX];
    char word[64];
    int n = 0;
    const Option *o;
    for (; n < OPTIONS_MAX && (o = option_at(c, n)); n++) names[n] = o->name;
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char *near = did_you_mean(word, names, n);
    if (!near)
        return fail(err, BAD_INPUT, "there is no option --%s; 'attest %s --help' lists them", word,
                    c->name);
    return fail(err, BAD_INPUT, "there is no option --%s; did you mean --%s?", word, near);
}

/* ---- parsing ------------------------------------------------------------------------ */

typedef struct { Call *call; int argc, at; char **argv; Err *err; } Words;

static int is_choice(const char *choices, const char *value)
{
    const size_t length = strlen(value);
    for (const char *at = choices; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strcspn(at, "|") == length && !memcmp(at, value, length)) return 1;
    }
    return 0;
}

static Status add_option(Words *w, const Option *o, const char *value)
{
    Call *call = w->call;
    if (o->value && !value && w->at < w->argc) value = w->argv[w->at++];
    if (o->value && !value)
        return fail(w->err, BAD_INPUT, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    if (!o->value && value)
        return fail(w->err, BAD_INPUT, "--%s takes no value, but got '%s'", o->name, value);
    if (o->choices && !is_choice(o->choices, value))
        return fail(w->err, BAD_INPUT, "--%s is one of %s, not '%s'", o->name, o->choices, value);
    call->option_name[call->options] = o->name;
    call->option_value[call->options++] = value ? value : "";
    return OK;
}

static Status long_option(Words *w, const char *word)
{
    const size_t length = strcspn(word, "=");
    const Option *o = option_named(w->call->command, word, length);
    if (!o) return unknown_option(w->call->command, word, length, w->err);
    return add_option(w, o, word[length] ? word + length + 1 : NULL);
}

/* -q, -qh, -n5, -n 5 */
static Status short_options(Words *w, const char *letters)
{
    for (; *letters; letters++) {
        const Option *o = option_lettered(w->call->command, *letters);
        if (!o)
            return fail(w->err, BAD_INPUT, "there is no option -%c; 'attest %s --help' lists them",
                        *letters, w->call->command->name);
        const char *value = o->value && letters[1] ? letters + 1 : NULL;
        const Status status = add_option(w, o, value);
        if (status || value) return status;
    }
    return OK;
}

/* The name of an option has no blank or line break in it: a word that has one before any '=' is an
 * argument, such as SQL that begins with a comment. */
static int is_option(const char *word)
{
    if (word[0] != '-' || !word[1]) return 0;
    return word[1] != '-' || strcspn(word, " \t\r\n") >= strcspn(word, "=");
}

static Status read_words(Words *w)
{
    int only_arguments = 0;
    while (w->at < w->argc) {
        char *word = w->argv[w->at++];
        Status status = OK;
        if (only_arguments || !is_option(word)) w->call->argv[w->call->argc++] = word;
        else if (!strcmp(word, "--")) only_arguments = 1;
        else if (word[1] == '-') status = long_option(w, word + 2);
        else status = short_options(w, word + 1);
        if (status) return status;
    }
    return OK;
}

static Status check_arguments(const Call *call, Err *err)
{
    const Command *c = call->command;
    if (call->argc < c->least)
        return fail(err, BAD_INPUT, "%s is missing; usage: attest %s %s",
                    c->least == 1 ? "an argument" : "one of the arguments", c->name, c->arguments);
    if (!c->most && call->argc)
        return fail(err, BAD_INPUT, "'%s' is one argument too many: there are only options",
                    call->argv[0]);
    if (c->most >= 0 && call->argc > c->most)
        return fail(err, BAD_INPUT, "'%s' is one argument too many; usage: attest %s %s",
                    call->argv[c->most], c->name, c->arguments);
    return OK;
}

Status call_open(Call *call, const Command *command, int argc, char **argv, Err *err)
{
    const size_t size = (size_t)argc + 1;
    *call = (Call){ .command = command, .out = stdout };
    call->argv = calloc(size, sizeof *call->argv);
    /* A word of single letters gives an option each. */
    size_t letters = size;
    for (int i = 0; i < argc; i++) letters += strlen(argv[i]);
    call->option_name = calloc(letters, sizeof *call->option_name);
    call->option_value = calloc(letters, sizeof *call->option_value);
    if (!call->argv || !call->option_name || !call->option_value)
        return fail(err, NO_MEMORY, "no memory for the command line");
    const Status status = read_words(&(Words){ call, argc, 0, argv, err });
    const char *db = getenv("ATTEST_DB");
    call->db_path = call_option(call, "db") ? call_option(call, "db")
                  : db && *db ? db : "results/attest.db";
    call->json = call_option(call, "json") != NULL;
    call->quiet = call_option(call, "quiet") != NULL;
    call->help = call_option(call, "help") != NULL;
    if (status || call->help) return status;
    return check_arguments(call, err);
}

void call_close(Call *call)
{
    free(call->argv);
    free(call->option_name);
    free(call->option_value);
    *call = (Call){ 0 };
}

/* ---- what a command asks ------------------------------------------------------------- */

const char *call_option(const Call *call, const char *name)
{
    for (int i = call->options; i-- > 0;)
        if (!strcmp(call->option_name[i], name)) return call->option_value[i];
    return NULL;
}

int call_options(const Call *call, const char *name, const char **values, int most)
{
    int found = 0;
    for (int i = 0; i < call->options; i++) {
        if (strcmp(call->option_name[i], name)) continue;
        if (found < most) values[found] = call->option_value[i];
        found++;
    }
    return found;
}

Status call_integer(const Call *call, const char *name, long long fallback, long long low,
                    long long high, long long *out, Err *err)
{
    const char *text = call_option(call, name);
    *out = fallback;
    if (!text) return OK;
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return fail(err, BAD_INPUT, "--%s wants a whole number, not '%s'", name, text);
    if (value < low || value > high)
        return fail(err, BAD_INPUT, "--%s=%lld is outside %lld..%lld", name, value, low, high);
    *out = value;
    return OK;
}

int call_failed(const Call *call, Status status, const Err *err)
{
    require(status != OK);
    fflush(call->out);
    fprintf(stderr, "attest %s: %s\n", call->command->name, err->text);
    return status == BAD_INPUT ? EXIT_USAGE : EXIT_WRONG;
}

void call_remark(const Call *call, const char *format, ...)
{
    va_list args;
    if (call->quiet) return;
    fflush(call->out);
    fprintf(stderr, "attest %s: ", call->command->name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

int call_stopped(const Call *call) { return interrupted || ferror(call->out); }
