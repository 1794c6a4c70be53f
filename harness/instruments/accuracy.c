/* SPDX-License-Identifier: Apache-2.0 */
/* How far the timed output is from float64, exact from the inputs on: for a backward pass that
 * includes what was lost when its forward pass rounded its outputs (`attest check` asks about the
 * kernel alone). Without instrument `time` in the plan it is the output of one call. */
#include "../bench.h"

#include <math.h>

/* The exact upper 53 bits of all sets' checksums together: a number that a table can hold. */
static double checksum_number(const Arm *arm)
{
    uint64_t sum = 0;
    for (int s = 0; s < SETS_MAX; s++)
        if (arm->proven >> s & 1) sum = sum * 0x100000001b3u ^ arm->checksum[s];
    return (double)(sum >> 11);
}

static Status measure(Bench *b, Err *err)
{
    (void)err;
    for (int i = 0; i < b->arms; i++) {
        Arm *arm = &b->arm[i];
        if (!arm_lives(arm) && !arm->called) continue;
        if (arm_lives(arm) && !arm_prepare(b, arm, 1) && !arm->called) continue;
        const Difference *d = &arm->worst;
        if (!d->compared) continue;
        bench_metric(arm, "accuracy", "error_rel", "", d->error_rel);
        bench_metric(arm, "accuracy", "error_abs", "", d->error_abs);
        bench_metric(arm, "accuracy", "rmse", "", d->rmse);
        bench_metric(arm, "accuracy", "ulp", "ulp", d->ulp);
        bench_metric(arm, "accuracy", "nan_count", "elements", (double)d->nan_count);
        bench_metric(arm, "accuracy", "compared", "elements", (double)d->compared);
        bench_metric(arm, "accuracy", "whole", "", arm->whole);
        bench_metric(arm, "accuracy", "tolerance", "",
                     bound_tolerance(&arm->point.problem, arm->point.variant));
        if (arm->proven) bench_metric(arm, "accuracy", "checksum", "", checksum_number(arm));
        if (!isfinite(d->error_rel))
            bench_missing(arm, "error_rel is infinite: NaN or a misplaced infinity");
    }
    return OK;
}

extern const Instrument instrument_accuracy;
const Instrument instrument_accuracy = {
    .name = "accuracy",
    .stage = STAGE_CHECK,
    .measure = measure,
    .summary =
        "error of the timed output against float64: whole where affordable, else seeded rows",
    .yields = "error_rel (max|x - ref| / max|ref|), error_abs, rmse, ulp, nan_count, compared, "
              "whole (1: all elements), tolerance, checksum",
};
