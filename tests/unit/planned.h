/* SPDX-License-Identifier: Apache-2.0 */
/* A plan from an experiment given as text, for tests of plan*.c. */
#ifndef PLANNED_H
#define PLANNED_H

#include "../../harness/plan.h"
#include "spec_file.h"

#define HEAD "experiment: x/y\ntitle: t\n"
#define TWO  HEAD "compare: [attention/blas, attention/unfused]\n"

typedef struct { Spec spec; Plan plan; } Planned;

static inline void open_planned(Planned *p, const char *text, const char *profile, const char *only)
{
    Err err = { "" };
    loaded(&p->spec, text, profile);
    if (plan_open(&p->plan, &p->spec, 1, only, &err)) fail_msg("%s", err.text);
}

static inline void close_planned(Planned *p)
{
    plan_close(&p->plan);
    spec_close(&p->spec);
}

#endif
