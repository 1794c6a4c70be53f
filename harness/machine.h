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
    char        value[256];    /* empty: not to be had */
    char        reason[160];   /* why not; empty where there is a value */
} Fact;

enum { FACTS_MAX = 48 };
typedef struct { Fact fact[FACTS_MAX]; int count; } Facts;

/* What makes a machine the same machine: architecture, cpu.vendor, cpu.family, cpu.model,
 * cpu.stepping, cpu.name, cores, cache.l1d_bytes, cache.l2_bytes, cache.l3_bytes, isa, cpu.flags,
 * memory.class. All have a value; "unknown" or "none" if need be. */
void machine_identity(Facts *out);
/* What this session met: kernel, hypervisor, clock.source, clock.resolution_ns, clock.cost_ns,
 * cpu.governor, huge_pages, load, pressure.cpu, steal.share, schedstat, perf_event,
 * cgroup.cpu_max, memory.available_bytes, cores.usable, tool.valgrind, tool.gnuplot. */
void machine_state(Facts *out);
/* "amd-epyc-2c": what people may call it until they choose a name. */
void machine_alias(char *out, size_t size);

const Fact *fact_find(const Facts *facts, const char *name);   /* NULL: no such fact */

int64_t machine_memory_available(void);       /* bytes; 0: not known */
/* 0: taking so much would end in the death of this process or another. */
int     machine_has_memory(size_t bytes);

int program_exists(const char *program);      /* somewhere in PATH */

/* Steps of the clock that epochs are timed by, and what reading it costs, in ns; measured once. */
typedef struct { double resolution_ns, cost_ns; } Clock;
Clock clock_measured(void);

/* Distinct cores that this process may run on, the idlest since the last call first (core 0 last
 * among equals: it serves interrupts). Returns how many; at most `most`. */
int machine_cpus(int *cpu, int most);

/* Where this thread may run, so that work which pins it can put it back. Opaque: 1024 cores. */
typedef struct { unsigned long bits[16]; int known; } Affinity;
Affinity affinity_now(void);
void     affinity_set(const Affinity *affinity);

/* topology.c, the one file that knows hwloc */
typedef struct {
    int     cores;             /* physical */
    int64_t cache_bytes[4];    /* [1..3]: L1d, L2, L3; 0: none */
    int     cache_cores[4];    /* cores that share one */
} Topology;
const Topology *topology(void);
void topology_set(const Topology *t);          /* a worker is told */

#endif
