/* SPDX-License-Identifier: Apache-2.0 */
#include "aa.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double ladder[AA_STEPS] = { 0.005, 0.01, 0.02, 0.05, 0.10 };

/* What many comparisons of the same two arms said. */
typedef struct {
    double *ratio, *width, *rounds;
    int     trials, found[DECISION_SAME + 1];
} Series;

typedef struct {
    const AaPlan *plan;
    Twins   twins;
    Series  series;            /* room for plan->trials */
    int     done;
} Work;

static int step_trials(const AaPlan *plan) { return (plan->trials + 1) / 2; }

int aa_comparisons_most(const AaPlan *plan)
{
    return NOISE_KERNELS * (plan->trials + AA_STEPS * step_trials(plan));
}

/* ---- comparisons --------------------------------------------------------------------- */

static Status compare_once(Work *w, Comparison *out, Err *err)
{
    Nested d;
    Twins *t = &w->twins;
    const int least = STATS_BLOCKS_MIN * STATS_ROUNDS_MIN;
    Status status = twins_measure(t, w->plan->each_ns, least, err);
    if (!status) status = twins_blocks(t, STATS_BLOCKS_MIN, &d, err);
    return status ? status : stats_compare(&d, 0.95, 0, out, err);
}

static Status compare_often(Work *w, int trials, const char *what, Err *err)
{
    Series *s = &w->series;
    const AaPlan *plan = w->plan;
    s->trials = 0;
    for (int i = 0; i <= DECISION_SAME; i++) s->found[i] = 0;
    while (s->trials < trials) {
        Comparison c;
        const Status status = compare_once(w, &c, err);
        if (status) return status;
        s->found[c.decision]++;
        s->ratio[s->trials] = c.d.value;
        s->width[s->trials] = c.d.high - c.d.low;
        s->rounds[s->trials++] = c.rounds;
        if (plan->tell && !plan->tell(plan->self, ++w->done, what))
            return fail(err, BAD_INPUT, "stopped after %d comparisons; nothing is stored", w->done);
    }
    return OK;
}

static double quantile_of(double *value, int n, double p)
{
    stats_sort(value, n);
    return stats_quantile(value, n, p);
}

/* ---- one kernel ---------------------------------------------------------------------- */

static Status equal_arms(Work *w, AaReport *out, Err *err)
{
    Series *s = &w->series;
    twins_inject(&w->twins, 0);
    const Status status = compare_often(w, w->plan->trials, "equal arms", err);
    if (status) return status;
    out->false_alarms = stats_share(s->found[DECISION_FASTER] + s->found[DECISION_SLOWER],
                                    s->trials);
    out->width_p50_rel = stats_exp(quantile_of(s->width, s->trials, 0.5)) - 1;
    out->rounds_p50 = quantile_of(s->rounds, s->trials, 0.5);
    for (int i = 0; i < s->trials; i++) s->ratio[i] = fabs(s->ratio[i]);
    out->off_p95_rel = stats_exp(quantile_of(s->ratio, s->trials, 0.95)) - 1;
    return OK;
}

static Status one_step(Work *w, double share, AaStep *out, Err *err)
{
    Series *s = &w->series;
    char what[48];
    out->injected = twins_inject(&w->twins, share);
    snprintf(what, sizeof what, "%.3g %% more work in one arm", 100 * share);
    const Status status = compare_often(w, step_trials(w->plan), what, err);
    if (status) return status;
    out->found = stats_share(s->found[DECISION_FASTER], s->trials);
    out->wrong = s->found[DECISION_SLOWER];
    out->estimate_p50_rel = stats_exp(quantile_of(s->ratio, s->trials, 0.5)) - 1;
    return OK;
}

static Status one_kernel(Work *w, NoiseKernel kernel, AaReport *out, Err *err)
{
    Twins *t = &w->twins;
    *out = (AaReport){ .smallest = NAN };
    const int64_t start_ns = backend_cpu.now_ns(t->device);
    twins_kernel(t, kernel);
    Status status = equal_arms(w, out, err);
    while (!status && out->steps < AA_STEPS && isnan(out->smallest)) {
        AaStep *step = &out->step[out->steps];
        status = one_step(w, ladder[out->steps++], step, err);
        if (!status && step->found.value >= AA_FOUND_SHARE) out->smallest = step->injected;
    }
    out->flagged_share = twins_flagged_share(t);
    out->seconds = (double)(backend_cpu.now_ns(t->device) - start_ns) / 1e9;
    return status;
}

Status aa_measure(const AaPlan *plan, AaReport out[NOISE_KERNELS], Err *err)
{
    require(plan->trials >= AA_TRIALS_MIN && plan->trials <= AA_TRIALS_MAX && plan->each_ns > 0);
    const size_t room = (size_t)plan->trials;
    Work w = { .plan = plan };
    double *memory = malloc(3 * room * sizeof *memory);
    if (!memory) return fail(err, NO_MEMORY, "no memory for %d comparisons", plan->trials);
    w.series = (Series){ .ratio = memory, .width = memory + room, .rounds = memory + 2 * room };
    Status status = twins_open(&w.twins, plan->cpu, err);
    for (NoiseKernel kernel = 0; kernel < NOISE_KERNELS && !status; kernel++) {
        w.done = (int)kernel * (aa_comparisons_most(plan) / NOISE_KERNELS);
        status = one_kernel(&w, kernel, &out[kernel], err);
    }
    twins_close(&w.twins);
    free(memory);
    return status;
}

/* ---- as rows ------------------------------------------------------------------------- */

int aa_entry(const AaReport *r, int i, char name[AA_NAME], const char **unit, double *value)
{
    const struct { const char *name, *unit; double value; } entry[] = {
        { "trials", "trials", r->false_alarms.n },
        { "rounds_p50", "rounds", r->rounds_p50 },
        { "false_alarm_share", "", r->false_alarms.value },
        { "false_alarm_low", "", r->false_alarms.low },
        { "false_alarm_high", "", r->false_alarms.high },
        { "width_p50_rel", "", r->width_p50_rel },
        { "off_p95_rel", "", r->off_p95_rel },
        { "smallest_found", "", r->smallest },
        { "flagged_share", "", r->flagged_share },
        { "duration", "s", r->seconds },
    };
    const int entries = sizeof entry / sizeof *entry;
    if (i < 0 || i >= entries + r->steps) return 0;
    if (i < entries) {
        snprintf(name, AA_NAME, "aa_%s", entry[i].name);
        *unit = entry[i].unit;
        *value = entry[i].value;
        return 1;
    }
    const AaStep *step = &r->step[i - entries];
    snprintf(name, AA_NAME, "aa_found_share@%.3g", step->injected);
    *unit = "";
    *value = step->found.value;
    return 1;
}
