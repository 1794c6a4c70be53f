/* SPDX-License-Identifier: Apache-2.0 */
/* Cache misses of the real program in valgrind's simulated caches. Valgrind knows no AVX-512, is
 * some fifty times slower than the machine and does not count what is written back; so this stands
 * beside the model of lru.h for small problems and says whether the schedule is what the code
 * really does. */
#ifndef CACHEGRIND_H
#define CACHEGRIND_H

#include "bench.h"

/* Adds its metrics to the arm, or the reason why there are none. */
void cachegrind_measure(const Bench *b, Arm *arm);

/* `attest worker POINT CALLS`: what runs under valgrind; the exit code. */
int  cachegrind_subject(const char *point, const char *calls);

#endif
