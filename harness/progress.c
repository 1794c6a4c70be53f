/* SPDX-License-Identifier: Apache-2.0 */
/* How far long work is. On a terminal one line that is drawn over, with the time left by the
 * speed so far; in a pipe a plain line now and then. */
#include "cli.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { REDRAW_MS = 100, LINE_MS = 10000, BAR_WIDTH = 20, ETA_AFTER_MS = 1000 };

struct Progress {
    const char *what;
    double      total;
    int         on_terminal, drawn;
    int64_t     started_ms, shown_ms;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000;
}

/* NULL if nothing is to be shown: all functions here take that. */
Progress *progress_open(const Call *call, const char *what, double total)
{
    if (call->quiet || !(total > 0)) return NULL;
    Progress *p = calloc(1, sizeof *p);
    if (!p) return NULL;
    const char *term = getenv("TERM");
    const int on_terminal = isatty(STDERR_FILENO) && !(term && !strcmp(term, "dumb"));
    *p = (Progress){ what, total, on_terminal, 0, now_ms(), 0 };
    if (!p->on_terminal) p->shown_ms = p->started_ms;
    return p;
}

static void print_duration(char *out, size_t size, double seconds)
{
    const long s = (long)(seconds + 0.5);
    if (s >= 3600) snprintf(out, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else snprintf(out, size, "%ld:%02ld", s / 60, s % 60);
}

static void print_left(const Progress *p, double share, int64_t now, char *out, size_t size)
{
    const int64_t spent_ms = now - p->started_ms;
    char duration[32];
    *out = 0;
    if (spent_ms < ETA_AFTER_MS || !(share > 0) || share >= 1) return;
    print_duration(duration, sizeof duration, (double)spent_ms / 1000 * (1 - share) / share);
    snprintf(out, size, "  %s left", duration);
}

static void print_bar(char *out, size_t size, double share)
{
    const int full = (int)(share * BAR_WIDTH + 0.5), utf8 = terminal_utf8();
    size_t used = 0;
    for (int i = 0; i < BAR_WIDTH; i++)
        used += (size_t)snprintf(out + used, size - used, "%s",
                                 i < full ? utf8 ? "█" : "#" : utf8 ? "░" : ".");
}

static void draw(Progress *p, double share, const char *detail, int64_t now)
{
    char bar[BAR_WIDTH * 4], left[48], line[768];
    print_bar(bar, sizeof bar, share);
    print_left(p, share, now, left, sizeof left);
    snprintf(line, sizeof line, "%s  %s %3.0f%%%s  %s", p->what, bar, 100 * share, left, detail);
    fprintf(stderr, "\r\033[K%.*s", (int)text_fit(line, terminal_width(stderr) - 1), line);
    fflush(stderr);
    p->drawn = 1;
}

void progress_at(Progress *p, double done, const char *detail)
{
    if (!p) return;
    const int64_t now = now_ms();
    if (now - p->shown_ms < (p->on_terminal ? REDRAW_MS : LINE_MS)) return;
    p->shown_ms = now;
    const double share = done < p->total ? done / p->total : 1;
    if (p->on_terminal) { draw(p, share, detail, now); return; }
    char left[48];
    print_left(p, share, now, left, sizeof left);
    fprintf(stderr, "%s: %.0f%%%s  %s\n", p->what, 100 * share, left, detail);
}

void progress_hide(Progress *p)
{
    if (!p || !p->drawn) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    p->drawn = 0;
    p->shown_ms = 0;
}

void progress_close(Progress *p)
{
    progress_hide(p);
    free(p);
}
