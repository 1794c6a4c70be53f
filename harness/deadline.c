/* SPDX-License-Identifier: Apache-2.0 */
/* An interval timer whose signal handler counts ticks; nothing else may be done in one. */
#include "deadline.h"
#include "cli.h"

#include <signal.h>
#include <sys/time.h>

enum { TICK_MS = 50 };

static volatile int ticks_left, up;
static struct sigaction before;

static void tick(int signal_number)
{
    (void)signal_number;
    if (interrupted || (ticks_left > 0 && --ticks_left == 0))
        up = 1;
}

const volatile int *deadline_open(int milliseconds)
{
    struct sigaction action = { .sa_handler = tick, .sa_flags = SA_RESTART };
    const struct itimerval every = { { 0, TICK_MS * 1000 }, { 0, TICK_MS * 1000 } };
    up = 0;
    ticks_left = milliseconds / TICK_MS + 1;
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, &before);
    setitimer(ITIMER_REAL, &every, NULL);
    return &up;
}

int deadline_close(void)
{
    const struct itimerval never = { { 0, 0 }, { 0, 0 } };
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    return up;
}
