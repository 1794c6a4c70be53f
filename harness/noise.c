/* SPDX-License-Identifier: Apache-2.0 */
#include "noise.h"

enum { ROUNDS_PER_BLOCK = 8 };

static Status certify(Twins *t, NoiseKernel kernel, int64_t budget_ns, NoiseReport *out, Err *err)
{
    Nested d;
    twins_kernel(t, kernel);
    /* One whole trial also where time is short. */
    Status status = twins_measure(t, budget_ns, STATS_BLOCKS_MIN * ROUNDS_PER_BLOCK, err);
    if (!status) status = twins_blocks(t, t->rounds / ROUNDS_PER_BLOCK, &d, err);
    if (status) return status;
    out->rounds = t->rounds;
    out->flagged_share = twins_flagged_share(t);
    return stats_certificate(&d, STATS_BLOCKS_MIN, &out->certificate, err);
}

Status noise_certify(int cpu, int64_t budget_ns, NoiseReport out[NOISE_KERNELS], Err *err)
{
    Twins t;
    Status status = twins_open(&t, cpu, err);
    for (NoiseKernel kernel = 0; kernel < NOISE_KERNELS && !status; kernel++)
        status = certify(&t, kernel, budget_ns / NOISE_KERNELS, &out[kernel], err);
    twins_close(&t);
    return status;
}

int noise_entry(const NoiseReport *r, int i, const char **name, const char **unit, double *value)
{
    const Certificate *c = &r->certificate;
    const struct { const char *name, *unit; double value; } entry[] = {
        { "trials", "trials", c->false_alarms.n },
        { "rounds", "rounds", r->rounds },
        { "false_alarm_share", "", c->false_alarms.value },
        { "false_alarm_low", "", c->false_alarms.low },
        { "false_alarm_high", "", c->false_alarms.high },
        { "width_rel", "", c->width_rel },
        { "off_p50_rel", "", c->off_p50_rel },
        { "off_p95_rel", "", c->off_p95_rel },
        { "flagged_share", "", r->flagged_share },
    };
    if (i < 0 || (size_t)i >= sizeof entry / sizeof *entry) return 0;
    *name = entry[i].name;
    *unit = entry[i].unit;
    *value = entry[i].value;
    return 1;
}
