/* SPDX-License-Identifier: Apache-2.0 */
/* Two arms timed in the same rounds: their ratio, the decision, and how often we are wrong. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

const char *stats_decision_name(Decision decision)
{
    static const char *const name[] = { "inconclusive", "faster", "slower", "same" };
    require((unsigned)decision < sizeof name / sizeof *name);
    return name[decision];
}

Status stats_log_ratios(const double *a_ns, const double *b_ns, int n, double *d, Err *err)
{
    require(a_ns && b_ns && d && n >= 0);
    for (int i = 0; i < n; i++)
        if (!(a_ns[i] > 0 && b_ns[i] > 0 && isfinite(a_ns[i]) && isfinite(b_ns[i])))
            return fail(err, BAD_INPUT, "round %d: times must be above 0 and finite, not %g and %g",
                        i, a_ns[i], b_ns[i]);
    for (int i = 0; i < n; i++) d[i] = stats_log(b_ns[i]) - stats_log(a_ns[i]);
    return OK;
}

Decision stats_decide(const Interval *d, double margin)
{
    require(d && margin >= 0);
    if (d->kind == INTERVAL_NONE || d->kind == INTERVAL_ONE_BLOCK) return DECISION_INCONCLUSIVE;
    const double edge = stats_log(1 + margin);
    if (d->low > edge) return DECISION_FASTER;
    if (d->high < -edge) return DECISION_SLOWER;
    if (d->low >= -edge && d->high <= edge) return DECISION_SAME;
    return DECISION_INCONCLUSIVE;
}

double stats_mde(const Interval *d, double margin)
{
    require(d && margin >= 0);
    return (1 + margin) * stats_exp((d->high - d->low) / 2) - 1;
}

/* 2 P(as few of n blocks on the wrong side of `edge`), the wrong side being at or below it. */
static double sign_test(const double *block_d, int n, double sign, double edge, bool strict)
{
    int wrong = 0;
    for (int i = 0; i < n; i++) {
        const double d = sign * block_d[i];
        wrong += strict ? d <= edge : d < edge;
    }
    return fmin(1, 2 * stats_binomial_tail(n, wrong));
}

double stats_decision_p(const double *block_d, int n, double margin, Decision decision)
{
    require(block_d && n >= 1 && margin >= 0);
    const double edge = stats_log(1 + margin);
    switch (decision) {
    case DECISION_FASTER: return sign_test(block_d, n, 1, edge, true);
    case DECISION_SLOWER: return sign_test(block_d, n, -1, edge, true);
    case DECISION_SAME:   return fmax(sign_test(block_d, n, 1, -edge, false),
                                      sign_test(block_d, n, -1, -edge, false));
    case DECISION_INCONCLUSIVE: break;
    }
    return 1;
}

static Interval ratio_of(Interval d)
{
    d.value = stats_exp(d.value);
    d.low = stats_exp(d.low);
    d.high = stats_exp(d.high);
    return d;
}

/* One median a block, in the order of the blocks; the caller frees them. */
static Status block_medians(const Nested *d, double **out, Err *err)
{
    const int total = d->start[d->blocks] - d->start[0];
    double *median = malloc((size_t)d->blocks * sizeof *median);
    double *scratch = malloc((size_t)total * sizeof *scratch);
    Status status = OK;
    if (!median || !scratch) {
        status = fail(err, NO_MEMORY, "no memory for the medians of %d blocks", d->blocks);
        free(median);
        goto done;
    }
    for (int b = 0; b < d->blocks; b++)
        median[b] = stats_block_summary(d->value + d->start[b], NULL,
                                        d->start[b + 1] - d->start[b], scratch).median;
    *out = median;
done:
    free(scratch);
    return status;
}

static const char *why(const Comparison *c)
{
    if (c->d.kind == INTERVAL_NONE) return "too few blocks for an interval at this level";
    if (c->d.kind == INTERVAL_ONE_BLOCK) return "one block is blind to spread between processes";
    if (c->decision) return "the whole interval is on one side of the margin";
    if (c->check.kind && stats_decide(&c->d, c->margin))
        return "order statistics and bootstrap disagree";
    return "the interval straddles the margin";
}

/* Order statistics decide where they can; the bootstrap must then agree. */
static void decide(Comparison *c, const double *block_d)
{
    c->ratio = ratio_of(c->d);
    c->mde_rel = stats_mde(&c->d, c->margin);
    c->decision = stats_decide(&c->d, c->margin);
    if (c->d.kind == INTERVAL_ORDER && stats_decide(&c->check, c->margin) != c->decision)
        c->decision = DECISION_INCONCLUSIVE;
    c->p = c->d.kind == INTERVAL_ORDER
               ? stats_decision_p(block_d, c->blocks, c->margin, c->decision) : NAN;
    c->reason = why(c);
}

/* Few blocks have no order statistics to check. */
static Status bootstrap_if_needed(const Nested *d, double level, Interval *out, Err *err)
{
    *out = (Interval){ .kind = INTERVAL_NONE };
    if (d->blocks > 1 && d->blocks < STATS_BLOCKS_MIN) return stats_nested_check(d, err);
    return stats_bootstrap(d, 0.5, level, out, err);
}

Status stats_compare(const Nested *d, double level, double margin, Comparison *out, Err *err)
{
    require(out && margin >= 0);
    Interval boot;
    double *block_d = NULL;
    Status status = bootstrap_if_needed(d, level, &boot, err);
    if (!status) status = block_medians(d, &block_d, err);
    if (status) return status;

    Comparison c = { .d = boot, .margin = margin, .blocks = d->blocks,
                     .rounds = d->start[d->blocks] - d->start[0] };
    if (d->blocks > 1) {
        stats_sort(block_d, d->blocks);
        c.d = stats_block_interval(block_d, d->blocks, level, false);
    }
    if (d->blocks >= STATS_BLOCKS_MIN) c.check = boot;
    decide(&c, block_d);
    *out = c;
    free(block_d);
    return OK;
}

void stats_holm_decisions(Comparison *family, int m, double alpha, double *scratch)
{
    require(family && scratch && m >= 1 && alpha > 0 && alpha < 1);
    double *p = scratch, *adjusted = scratch + m;
    for (int i = 0; i < m; i++) p[i] = family[i].decision ? family[i].p : 1;
    stats_holm(p, m, adjusted);
    for (int i = 0; i < m; i++) {
        if (!family[i].decision || adjusted[i] <= alpha) continue;
        family[i].decision = DECISION_INCONCLUSIVE;
        family[i].reason = "does not survive Holm's correction for its family";
    }
}

Interval stats_share(int hits, int trials)
{
    require(hits >= 0 && trials >= 1 && hits <= trials);
    const double z = 1.959963984540054, n = trials, share = hits / n;   /* 95 % of the normal */
    const double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    return (Interval){ .value = share, .low = hits ? centre - half : 0,
                       .high = hits < trials ? centre + half : 1,
                       .level = 0.95, .n = trials, .kind = INTERVAL_SHARE };
}

/* Sorts block_d inside each trial; scratch holds two values a trial. */
static void certify(double *block_d, int per_trial, int trials, double *scratch, Certificate *out)
{
    double *width = scratch, *off = scratch + trials;
    int alarms = 0;
    for (int t = 0; t < trials; t++) {
        double *trial = block_d + t * per_trial;
        stats_sort(trial, per_trial);
        const Interval d = stats_median_interval(trial, per_trial, 0.95);
        alarms += d.low > 0 || d.high < 0;
        width[t] = stats_exp(d.high - d.low) - 1;
        off[t] = stats_exp(fabs(d.value)) - 1;
    }
    stats_sort(width, trials);
    stats_sort(off, trials);
    *out = (Certificate){ .false_alarms = stats_share(alarms, trials),
                          .width_rel = stats_quantile(width, trials, 0.5),
                          .off_p50_rel = stats_quantile(off, trials, 0.5),
                          .off_p95_rel = stats_quantile(off, trials, 0.95) };
}

Status stats_certificate(const Nested *d, int per_trial, Certificate *out, Err *err)
{
    require(out && per_trial >= STATS_BLOCKS_MIN);
    double *block_d = NULL, *scratch = NULL;
    Status status = stats_nested_check(d, err);
    if (status) return status;
    const int trials = d->blocks / per_trial;
    if (trials == 0)
        return fail(err, BAD_INPUT, "%d blocks make no trial of %d: measure more",
                    d->blocks, per_trial);
    status = block_medians(d, &block_d, err);
    if (status) return status;
    scratch = malloc(2 * (size_t)trials * sizeof *scratch);
    if (scratch) certify(block_d, per_trial, trials, scratch, out);
    else status = fail(err, NO_MEMORY, "no memory for %d trials", trials);
    free(scratch);
    free(block_d);
    return status;
}
