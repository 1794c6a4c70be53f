/* SPDX-License-Identifier: Apache-2.0 */
/* On what a number was measured. Two lists of facts: what makes a machine the same machine (model,
 * caches, instruction sets: nothing that varies from boot to boot, so no clock rate and no
 * bogomips), and the state that a session met (kernel, load, pressure, limits), where a fact that
 * cannot be had says why. */
#ifndef MACHINE_H
#define MACHINE_H

#include "../kernels/core/method.h"

typedef struct {
    const char *name;          /* "cpu.model" */
    char        value[160];    /* empty: not to be had */
    char        reason[160];   /* why not; empty where there is a value */
} Fact;

enum { FACTS_MAX = 48 };
typedef struct { Fact fact[FACTS_MAX]; int count; } Facts;

/* architecture, cpu.vendor, cpu.family, cpu.model, cpu.stepping, cpu.name, cores, cache.L1d,
 * cache.L2, cache.L3 (bytes), isa, memory.class. All have a value, "unknown" if need be. */
void machine_identity(Facts *out);
/* "amd-epyc-2c": what people may call it until they choose a name. */
void machine_alias(char *out, size_t size);
/* kernel, clock.source, clock.resolution_ns, clock.cost_ns, governor, huge_pages, load, pressure.cpu,
 * steal, schedstat, perf_event, cgroup.cpu_max, memory.available, valgrind, gnuplot. */
void machine_state(Facts *out);

const Fact *fact_find(const Facts *facts, const char *name);   /* NULL: no such fact */

int    machine_cores(void);                   /* that this process may run on */
/* Fills cpu[0..threads-1] with distinct cores that this process may use; the quietest first.
 * Returns how many it found. */
int    machine_cpus(int *cpu, int threads);

/* topology.c, the one file that knows hwloc. */
typedef struct { int cores; int64_t cache_bytes[4]; int cache_cores[4]; } Topology;   /* [1..3]: L1d, L2, L3 */
const Topology *topology(void);

#endif
