/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor.h"

#include "lock.h"

static const double CEILING_SHARE = 0.2;     /* of the budget; the certificate needs the rest */

static void find_tools(Checkup *c)
{
    static const struct { const char *package, *program, *needed_for; } wanted[] = {
        { "gnuplot-nox", "gnuplot", "figures" },
        { "valgrind", "valgrind", "cache misses of the real program (instrument cache)" },
        { "gcc", "gcc", "building" },
        { "make", "make", "building and reproducing" },
        { "git", "git", "the revision in every row" },
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        c->tool[c->tools++] = (Tool){ wanted[i].package, wanted[i].program, wanted[i].needed_for,
                                      program_exists(wanted[i].program) };
}

Status checkup_run(Checkup *out, int64_t budget_ns, Err *err)
{
    int cpu[THREADS_MAX];
    CoreLock lock;
    *out = (Checkup){ .threads = 0 };
    machine_identity(&out->identity);
    machine_alias(out->alias, sizeof out->alias);
    find_tools(out);
    out->threads = lock_cores(&lock, THREADS_MAX, cpu);
    const int64_t ceilings_ns = (int64_t)((double)budget_ns * CEILING_SHARE);
    Status status = ceilings_measure(&out->ceilings, cpu, out->threads, ceilings_ns, err);
    if (!status) status = noise_certify(cpu[0], budget_ns - ceilings_ns, out->noise, err);
    unlock_cores(&lock);
    machine_state(&out->state);
    return status;
}
