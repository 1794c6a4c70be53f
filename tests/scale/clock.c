/* SPDX-License-Identifier: Apache-2.0 */
/* How long a command takes, in milliseconds: clock RUNS COMMAND... prints the least wall time and
 * the least processor time of RUNS runs. What the command prints is thrown away. */
#define _DEFAULT_SOURCE        /* wait4 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static double ms_of(struct timeval t) { return 1e3 * (double)t.tv_sec + 1e-3 * (double)t.tv_usec; }

static _Noreturn void become(char **command)
{
    const int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, STDOUT_FILENO) < 0) _exit(126);
    execvp(command[0], command);
    _exit(127);
}

int main(int argc, char **argv)
{
    const int runs = argc > 2 ? atoi(argv[1]) : 0;
    double wall_ms = 0, cpu_ms = 0;
    for (int i = 0; i < runs; i++) {
        struct rusage used;
        int status;
        const double start_ms = now_ms();
        const pid_t child = fork();
        if (child == 0) become(argv + 2);
        if (child < 0 || wait4(child, &status, 0, &used) != child || status) {
            fprintf(stderr, "clock: %s failed\n", argv[2]);
            return 1;
        }
        const double wall = now_ms() - start_ms, cpu = ms_of(used.ru_utime) + ms_of(used.ru_stime);
        if (i == 0 || wall < wall_ms) wall_ms = wall;
        if (i == 0 || cpu < cpu_ms) cpu_ms = cpu;
    }
    printf("%.0f %.0f\n", wall_ms, cpu_ms);
    return runs <= 0;
}
