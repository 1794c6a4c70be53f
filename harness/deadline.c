/* SPDX-License-Identifier: Apache-2.0 */
/* A timer of the processor's time, so that a reader who thinks (`attest query ... | less`) costs
 * none; its signal handler counts ticks. Who looks at the flag ends by himself, but one function of
 * SQL may look at nothing for hours (instr() of long texts): what goes on long after its time ends
 * with the process. Only readers have deadlines, so nothing is lost by that. */
#include "deadline.h"
#include "cli.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

enum { TICK_MS = 50, GRACE_TICKS = 3000 / TICK_MS };

static volatile int ticks_left, ticks_late, up;
static struct sigaction before;

static void give_up(void)
{
    static const char late[] = "attest: a query did not end in time, nor when it was told to\n";
    const ssize_t told = write(STDERR_FILENO, late, sizeof late - 1);
    _exit(interrupted || told < 0 ? EXIT_INTERRUPTED : EXIT_USAGE);
}

static void tick(int signal_number)
{
    (void)signal_number;
    if (interrupted || (ticks_left > 0 && --ticks_left == 0))
        up = 1;
    if (up && ++ticks_late > GRACE_TICKS)
        give_up();
}

const volatile int *deadline_open(int milliseconds)
{
    struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
    const struct itimerval every = { { 0, TICK_MS * 1000 }, { 0, TICK_MS * 1000 } };
    up = 0;
    ticks_late = 0;
    ticks_left = milliseconds / TICK_MS + 1;
    sigemptyset(&action.sa_mask);
    sigaction(SIGPROF, &action, &before);
    setitimer(ITIMER_PROF, &every, NULL);
    return &up;
}

int deadline_close(void)
{
    const struct itimerval never = { { 0, 0 }, { 0, 0 } };
    setitimer(ITIMER_PROF, &never, NULL);
    sigaction(SIGPROF, &before, NULL);
    return up;
}
