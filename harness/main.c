/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the command, calls it, and leaves with the right exit code. */
#include "build_info.h"
#include "cli.h"

#include "../kernels/core/isa.h"
#include "../kernels/core/problem.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t pipe_closed;

static void on_interrupt(int signal) { (void)signal; interrupted = 1; }
static void on_pipe(int signal)      { (void)signal; pipe_closed = 1; }

/* The second interrupt ends the process at once: the first handler is used up. A file that may not
 * grow any more is an error of the one who writes, as a full disk is. */
static void catch_signals(void)
{
    const struct sigaction stop = { .sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND };
    const struct sigaction pipe = { .sa_handler = on_pipe, .sa_flags = SA_RESTART };
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &pipe, NULL);
    signal(SIGXFSZ, SIG_IGN);
}

static void print_version(void)
{
    printf("attest %.12s%s\n%s\ninstruction sets here:", build_commit,
           build_dirty ? " with changes" : "", build_compiler);
    for (Isa isa = ISA_PORTABLE; isa < ISA_END; isa++)
        if (isa_runs_here(isa) && isa != ISA_COUNT) printf(" %s", isa_name(isa));
    putchar('\n');
}

enum { NAMES_MAX = 64 };

static int unknown_command(const char *word)
{
    const char *names[NAMES_MAX];
    int n = 0;
    for (int i = 0; commands[i] && n < NAMES_MAX - 3; i++)
        if (*commands[i]->summary) names[n++] = commands[i]->name;
    names[n++] = "help";
    names[n++] = "--help";
    names[n++] = "--version";
    const char *near = did_you_mean(word, names, n);
    const char *kind = *word == '-' ? "option" : "command";
    if (near)
        fprintf(stderr, "attest: there is no %s '%s'; did you mean '%s'?\n", kind, word, near);
    else
        fprintf(stderr, "attest: there is no %s '%s'; 'attest --help' lists the commands\n", kind,
                word);
    return EXIT_USAGE;
}

static int run_command(const Command *command, int argc, char **argv)
{
    Call call;
    Err err;
    const Status status = call_open(&call, command, argc, argv, &err);
    int code = EXIT_DONE;
    if (status) code = call_failed(&call, status, &err);
    else if (call.help) command_help(stdout, command);
    else code = command->run(&call);
    call_close(&call);
    return interrupted ? EXIT_INTERRUPTED : code;
}

static int is_word(const char *word, const char *letter, const char *full)
{
    return !strcmp(word, letter) || !strcmp(word, full) || !strcmp(word, full + 2);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) { commands_help(stderr); return EXIT_USAGE; }
    const char *word = argv[1];
    if (is_word(word, "-V", "--version")) { print_version(); return EXIT_DONE; }
    if (is_word(word, "-h", "--help")) {
        const Command *command = argc > 2 ? command_find(argv[2]) : NULL;
        if (argc > 2 && !command) return unknown_command(argv[2]);
        if (command) command_help(stdout, command);
        else commands_help(stdout);
        return EXIT_DONE;
    }
    const Command *command = command_find(word);
    return command ? run_command(command, argc - 2, argv + 2) : unknown_command(word);
}

/* A reader that has seen enough is no failure; a full disk is one. */
static int finish(int code)
{
    if (!fflush(stdout) && !ferror(stdout)) return code;
    if (pipe_closed) return code;
    fprintf(stderr, "attest: the output could not be written: %s\n", strerror(errno));
    return EXIT_WRONG;
}

/* The mask of instruction sets: a misspelt one is nothing to go on with. */
static int is_mask_known(void)
{
    const char *mask = getenv("ATTEST_ISA");
    Isa isa;
    if (!mask || !*mask || isa_parse(mask, &isa)) return 1;
    fprintf(stderr, "attest: ATTEST_ISA is '%s', but there is no such instruction set; there are:",
            mask);
    for (isa = ISA_PORTABLE; isa < ISA_COUNT; isa++) fprintf(stderr, " %s", isa_name(isa));
    fputc('\n', stderr);
    return 0;
}

int main(int argc, char **argv)
{
    catch_signals();
    if (!is_mask_known()) return EXIT_USAGE;
    return finish(dispatch(argc, argv));
}
