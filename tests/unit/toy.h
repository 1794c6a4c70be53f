/* SPDX-License-Identifier: Apache-2.0 */
/* A method that is not in the registry, for tests of measuring: y = 2 x + 1, with variants that behave
 * and variants that break in every way that a worker has to survive. A test that measures them calls
 * toy_main first in main(), because workers are started as this same program. */
#ifndef TOY_H
#define TOY_H

#include "../../harness/measure.h"
#include "../../harness/worker.h"

#include "../../kernels/core/workspace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the method ------------------------------------------------------------------------------------ */

enum { TOY_N, TOY_MFLOPS };
enum { TOY_X, TOY_Y, TOY_S };

static const Param toy_params[] = {
    [TOY_N] = { .name = "N", .help = "elements", .fallback = 1000, .low = 1, .high = 1 << 26, .shown = 1 },
    [TOY_MFLOPS] = { .name = "mflops", .help = "millions of FLOPs that the cost claims", .high = 1 << 30, .shown = 1 },
    { 0 }
};

static const Port toy_ports[] = {
    [TOY_X] = { .name = "x", .shape = "N", .passes = FWD | STEP },
    [TOY_Y] = { .name = "y", .shape = "N", .role = PORT_OUT, .passes = FWD | STEP },
    [TOY_S] = { .name = "s", .shape = "N", .role = PORT_STATE, .passes = STEP },
    { 0 }
};

/* Marks that the parent of a worker can count: one byte a mark. */
static void toy_mark_file(char *path, size_t size, long pid) { snprintf(path, size, "/tmp/attest-toy-%ld", pid); }

static void toy_mark(void)
{
    char path[64];
    toy_mark_file(path, sizeof path, getppid());
    const int fd = open(path, O_WRONLY | O_APPEND);
    if (fd >= 0) {
        if (write(fd, "x", 1) != 1) abort();
        close(fd);
    }
}

static void toy_reference(const Problem *p, const Args *args)
{
    const double *x = args->x[TOY_X].data;
    double *y = args->x[TOY_Y].data, *s = args->x[TOY_S].data;
    toy_mark();
    for (int64_t i = 0; i < p->value[TOY_N]; i++) {
        if (p->pass == STEP) s[i] += x[i];
        y[i] = 2 * (p->pass == STEP ? s[i] : x[i]) + 1;
    }
}

static Cost toy_cost(const Problem *p)
{
    const double n = (double)p->value[TOY_N];
    return (Cost){ .flops = 2 * n + 1e6 * (double)p->value[TOY_MFLOPS], .bytes = 8 * n };
}

static const Method toy = {
    .name = "toy", .title = "Toy", .paper = "none", .summary = "2 x + 1", .usual = "right",
    .param = toy_params, .port = toy_ports, .reference = toy_reference, .cost = toy_cost,
    .tolerance = { .f32_fwd = 1e-6 },
};

/* ---- variants ------------------------------------------------------------------------------------------ */

static void toy_fill(const Problem *p, const Args *args, float shift)
{
    const float *x = args->x[TOY_X].data;
    float *y = args->x[TOY_Y].data;
    for (int64_t i = 0; i < p->value[TOY_N]; i++) y[i] = 2 * x[i] + shift;
}

static Status toy_right(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)ctx;
    toy_fill(p, args, 1);
    return OK;
}

static Status toy_twice(const Problem *p, const Args *args, Ctx *ctx)   /* twice the work of right */
{
    toy_right(p, args, ctx);
    __asm__ volatile("" ::: "memory");
    return toy_right(p, args, ctx);
}

static Status toy_wrong(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)ctx;
    toy_fill(p, args, 2);
    return OK;
}

static int toy_calls;

/* Right as long as somebody looks: the first output is right, timed ones are not. */
static Status toy_cheat(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)ctx;
    toy_fill(p, args, toy_calls++ ? 2 : 1);
    return OK;
}

/* Within the tolerance, but never the same. */
static Status toy_flaky(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)ctx;
    toy_fill(p, args, 1 + 1e-7f * (float)(toy_calls++ % 7));
    return OK;
}

static Status toy_outside(const Problem *p, const Args *args, Ctx *ctx)
{
    toy_right(p, args, ctx);
    ((float *)args->x[TOY_Y].data)[p->value[TOY_N]] = 0;
    return OK;
}

static Status toy_crash(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)p, (void)args, (void)ctx;
    fputs("about to crash\n", stderr);
    abort();
}

static Status toy_hang(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)p, (void)args, (void)ctx;
    toy_mark();
    for (volatile int forever = 1; forever;) {}
    return OK;
}

static Status toy_leave(const Problem *p, const Args *args, Ctx *ctx)
{
    (void)p, (void)args, (void)ctx;
    _exit(3);
}

static Status toy_garbage(const Problem *p, const Args *args, Ctx *ctx)
{
    static const char junk[64] = "these are no results";
    if (write(WORKER_RESULT_FD, junk, sizeof junk) != sizeof junk) abort();
    return toy_right(p, args, ctx);
}

static Status toy_greedy(const Problem *p, const Args *args, Ctx *ctx)
{
    volatile char *memory = malloc((size_t)1 << 32);
    if (!memory) return NO_MEMORY;
    memory[0] = 1;
    free((void *)memory);
    return toy_right(p, args, ctx);
}

static size_t toy_workspace(const Problem *p, int threads) { (void)threads; return 4 * (size_t)p->value[TOY_N]; }
static size_t toy_huge(const Problem *p, int threads) { (void)p, (void)threads; return (size_t)1 << 36; }
static const char *toy_refuses(const Problem *p, int threads) { (void)p, (void)threads; return "not on a Sunday"; }

static Status toy_phases(const Problem *p, const Args *args, Ctx *ctx)
{
    float *work = workspace_take(ctx->ws, 4 * (size_t)p->value[TOY_N]);
    memcpy(work, args->x[TOY_X].data, 4 * (size_t)p->value[TOY_N]);
    ctx_lap(ctx, "load");
    toy_fill(p, args, 1);
    ctx_lap(ctx, "compute");
    return OK;
}

/* y = 2 s + 1 after s += x: each call moves the state on. */
static Status toy_state(const Problem *p, const Args *args, Ctx *ctx)
{
    const float *x = args->x[TOY_X].data;
    float *y = args->x[TOY_Y].data, *s = args->x[TOY_S].data;
    (void)ctx;
    for (int64_t i = 0; i < p->value[TOY_N]; i++) {
        s[i] += x[i];
        y[i] = 2 * s[i] + 1;
    }
    return OK;
}

#define TOY(NAME, ...) { .method = "toy", .name = #NAME, .isa = ISA_PORTABLE, .passes = FWD, .dtypes = 1u << F32, \
                         .run = toy_##NAME, __VA_ARGS__ }
static const Variant toys[] = {
    TOY(right, .note = ""), TOY(twice, .note = ""), TOY(wrong, .note = ""), TOY(cheat, .note = ""),
    TOY(flaky, .note = ""), TOY(outside, .note = ""), TOY(crash, .note = ""), TOY(hang, .note = ""),
    TOY(leave, .note = ""), TOY(garbage, .note = ""), TOY(greedy, .note = ""),
    TOY(phases, .workspace = toy_workspace),
    { .method = "toy", .name = "huge", .passes = FWD, .dtypes = 1u << F32, .run = toy_right, .workspace = toy_huge },
    { .method = "toy", .name = "refuses", .passes = FWD, .dtypes = 1u << F32, .run = toy_right, .refuses = toy_refuses },
    { .method = "toy", .name = "state", .passes = STEP, .dtypes = 1u << F32, .run = toy_state },
};

/* ---- points and plans ------------------------------------------------------------------------------------- */

static Point toy_point(const char *variant, int64_t n, Pass pass)
{
    Point point = { .problem = { .method = &toy, .dtype = F32, .pass = pass }, .threads = 1 };
    point.problem.value[TOY_N] = n;
    for (size_t i = 0; i < sizeof toys / sizeof *toys; i++)
        if (!strcmp(toys[i].name, variant)) point.variant = &toys[i];
    require(point.variant);
    return point;
}

/* toy/NAME@portable:N=1000,mflops=0:f32:fwd[:threads=N] */
static Status toy_parse(Point *point, const char *text, Err *err)
{
    char variant[32], pass[8], rest[32] = "";
    long long n, mflops;
    if (sscanf(text, "toy/%31[a-z]@portable:N=%lld,mflops=%lld:f32:%7[a-z]%31s", variant, &n, &mflops, pass, rest) < 4)
        return fail(err, BAD_INPUT, "%s is no toy", text);
    *point = toy_point(variant, n, !strcmp(pass, "step") ? STEP : FWD);
    point->problem.value[TOY_MFLOPS] = mflops;
    if (*rest) point->threads = atoi(rest + strlen(":threads="));
    return OK;
}

/* 1: this process was a worker and has done its work; *code is what main returns. */
static int toy_main(int argc, char **argv, int *code)
{
    worker_parse = toy_parse;
    if (argc < 2 || strcmp(argv[1], "worker")) return 0;
    *code = worker_serve();
    return 1;
}

#endif
