/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tally_open(Tally *t, const MeasurePlan *plan) { *t = (Tally){ .plan = plan }; }

void tally_close(Tally *t)
{
    for (int i = 0; i < t->blocks; i++) block_free(&t->block[i]);
    free(t->block);
    *t = (Tally){ 0 };
}

Status tally_add(Tally *t, BlockRecord *block, Err *err)
{
    if (t->blocks == t->room) {
        const int room = t->room ? 2 * t->room : 16;
        BlockRecord *more = realloc(t->block, (size_t)room * sizeof *more);
        if (!more) {
            block_free(block);
            return fail(err, NO_MEMORY, "no memory for %d blocks", room);
        }
        t->block = more;
        t->room = room;
    }
    t->block[t->blocks++] = *block;
    return OK;
}

static double call_ns(const RunRecord *run, const Epoch *e)
{
    return (double)(run->point.threads == 1 ? e->cpu_ns : e->wall_ns) / (double)e->calls;
}

/* Room for every epoch of an arm and for the borders of all blocks. */
typedef struct { double *value; int *start; int blocks, n; } Samples;

static Status samples_open(Samples *s, const Tally *t, int arm, Err *err)
{
    size_t most = 1;
    for (int b = 0; b < t->blocks; b++) most += (size_t)t->block[b].run[arm].epochs;
    *s = (Samples){ .value = malloc(most * sizeof *s->value),
                    .start = calloc((size_t)t->blocks + 1, sizeof *s->start) };
    if (s->value && s->start) return OK;
    free(s->value);
    free(s->start);
    return fail(err, NO_MEMORY, "no memory for %zu epochs", most);
}

static void samples_close(Samples *s)
{
    free(s->value);
    free(s->start);
}

/* Ends a block that has got at least one value. */
static void samples_block(Samples *s)
{
    if (s->n > s->start[s->blocks]) s->start[++s->blocks] = s->n;
}

static Nested nested(const Samples *s) { return (Nested){ s->value, s->start, s->blocks }; }

static void add_noise(const RunRecord *run, ArmTally *out, double *wall_ns, double *delay_ns,
                      int *known)
{
    for (int i = 0; i < run->epochs; i++) {
        const Epoch *e = &run->epoch[i];
        if (e->warmup) continue;
        *wall_ns += (double)e->wall_ns;
        if (e->delay_ns < 0 && e->switches < 0) continue;
        *delay_ns += e->delay_ns > 0 ? (double)e->delay_ns : 0;
        out->flagged_share += stats_flagged(e->delay_ns, e->switches);
        ++*known;
    }
}

Status tally_arm(const Tally *t, int arm, ArmTally *out, Err *err)
{
    Samples s;
    double wall_ns = 0, delay_ns = 0;
    int known = 0;
    *out = (ArmTally){ .min_ns = INFINITY, .median_ns = { .value = NAN, .low = NAN, .high = NAN } };
    Status status = samples_open(&s, t, arm, err);
    if (status) return status;
    for (int b = 0; b < t->blocks; b++) {
        const RunRecord *run = &t->block[b].run[arm];
        if (run->outcome != OUTCOME_OK) {
            out->outcome = run->outcome;
            memcpy(out->reason, run->reason, sizeof out->reason);
            continue;
        }
        for (int i = 0; i < run->epochs; i++) {
            if (run->epoch[i].warmup) continue;
            s.value[s.n++] = call_ns(run, &run->epoch[i]);
            out->min_ns = fmin(out->min_ns, s.value[s.n - 1]);
        }
        add_noise(run, out, &wall_ns, &delay_ns, &known);
        samples_block(&s);
    }
    out->epochs = s.n;
    out->processes = s.blocks;
    out->flagged_share = known ? out->flagged_share / known : NAN;
    out->waited_share = known ? delay_ns / wall_ns : NAN;
    const Nested samples = nested(&s);
    if (s.blocks) status = stats_cost(&samples, 0.5, 0.95, &out->median_ns, err);
    samples_close(&s);
    return status;
}

/* Both arms' epochs of the same rounds, which each block holds in the order taken. */
static Status add_pairs(Samples *s, const RunRecord *a, const RunRecord *b, Err *err)
{
    for (int i = 0, k = 0; i < a->epochs; i++) {
        const Epoch *x = &a->epoch[i];
        if (x->warmup) continue;
        while (k < b->epochs && (b->epoch[k].warmup || b->epoch[k].round < x->round)) k++;
        if (k == b->epochs || b->epoch[k].round != x->round) continue;
        const double a_ns = call_ns(a, x), b_ns = call_ns(b, &b->epoch[k]);
        const Status status = stats_log_ratios(&a_ns, &b_ns, 1, &s->value[s->n], err);
        if (status) return status;
        s->n++;
    }
    samples_block(s);
    return OK;
}

Status tally_ratio(const Tally *t, int a, int b, double level, double margin, Comparison *out,
                   Err *err)
{
    Samples s;
    Status status = samples_open(&s, t, a, err);
    if (status) return status;
    for (int i = 0; i < t->blocks && !status; i++) {
        const RunRecord *x = &t->block[i].run[a], *y = &t->block[i].run[b];
        if (x->outcome == OUTCOME_OK && y->outcome == OUTCOME_OK) status = add_pairs(&s, x, y, err);
    }
    const Nested pairs = nested(&s);
    if (!status && !s.blocks) status = fail(err, UNSUPPORTED, "no block has timed both");
    if (!status) status = stats_compare(&pairs, level, margin, out, err);
    samples_close(&s);
    return status;
}

static int by_size(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

double tally_metric(const Tally *t, int arm, const char *instrument, const char *name)
{
    double value[STATS_BLOCKS_MAX];
    int n = 0;
    for (int b = 0; b < t->blocks; b++) {
        const RunRecord *run = &t->block[b].run[arm];
        for (int i = 0; i < run->metrics && n < STATS_BLOCKS_MAX; i++)
            if (!strcmp(run->metric[i].name, name) &&
                !strcmp(run->metric[i].instrument, instrument))
                value[n++] = run->metric[i].value;
    }
    if (!n) return NAN;
    qsort(value, (size_t)n, sizeof *value, by_size);
    return stats_quantile(value, n, 0.5);
}
