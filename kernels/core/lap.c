/* SPDX-License-Identifier: Apache-2.0 */
#include "method.h"

#include <time.h>

void ctx_lap(Ctx *ctx, const char *phase)
{
    Laps *laps = ctx->laps;
    if (!laps) return;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t now_ns = t.tv_sec * (int64_t)1000000000 + t.tv_nsec;
    int i = 0;
    while (i < laps->count && laps->name[i] != phase) i++;
    require(i < LAPS_MAX);
    if (i == laps->count) laps->name[laps->count++] = phase;
    laps->time_ns[i] += now_ns - laps->last_ns;
    laps->last_ns = now_ns;
}
