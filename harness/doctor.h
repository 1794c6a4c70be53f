/* SPDX-License-Identifier: Apache-2.0 */
/* A look at the machine before anything is measured on it: what it is, what it can do, how quiet it
 * is, and what is missing. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include "ceiling.h"
#include "machine.h"
#include "noise.h"

typedef struct { const char *package, *program, *needed_for; int found; } Tool;
enum { TOOLS_MAX = 8 };

typedef struct {
    Facts       identity, state;
    char        alias[64];
    CeilingList ceilings;
    NoiseReport noise[NOISE_KERNELS];
    int         threads;       /* that the ceilings of "all" threads were measured with */
    Tool        tool[TOOLS_MAX];
    int         tools;
} Checkup;

/* Takes cores (lock.h), so it waits for other attest programs; about budget_ns. */
Status checkup_run(Checkup *out, int64_t budget_ns, Err *err);

#endif
