/* SPDX-License-Identifier: Apache-2.0 */
/* The A/A certificate: the same code is compared with itself, by the procedure that compares
 * different codes. Every difference found is a false alarm, so their share says how far this
 * machine can be trusted now, and the intervals' width says which differences it can see. */
#ifndef NOISE_H
#define NOISE_H

#include "twins.h"

typedef struct {
    Certificate certificate;
    int    rounds;
    double flagged_share;      /* of the epochs; NaN: not known */
} NoiseReport;

/* Both kernels (arithmetic in registers; streaming from main memory), one core, about budget_ns in
 * all. aa.h is the long form. */
Status noise_certify(int cpu, int64_t budget_ns, NoiseReport out[NOISE_KERNELS], Err *err);

/* The same as rows for people and for the database: name, unit and value of entry i, 0 after the
 * last. */
int noise_entry(const NoiseReport *report, int i, const char **name, const char **unit,
                double *value);

#endif
