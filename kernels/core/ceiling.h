/* SPDX-License-Identifier: Apache-2.0 */
/* The loops whose speed is this machine's limit: arithmetic without memory and memory without
 * arithmetic. ceiling.v.c is compiled once per ISA, as kernels are, so each ISA's own peak is
 * measured by its own instructions. harness/ceiling.c times them. */
#ifndef CORE_CEILING_H
#define CORE_CEILING_H

#include "isa.h"

#include <stddef.h>
#include <stdint.h>

typedef struct {
    Isa   isa;
    int   lanes;                                 /* floats in a vector */
    /* Independent chains of fused multiply-adds in registers. Returns the FLOPs done (2 per lane
     * and instruction); *sink keeps the result alive. */
    int64_t (*fma)(int64_t rounds, float *sink);
    /* The same with dot products of bf16 pairs into f32 (4 FLOPs per 32-bit lane); NULL: the ISA
     * has none. */
    int64_t (*dot)(int64_t rounds, float *sink);
    /* Reads `bytes` (a multiple of 1024, 64-byte aligned) `passes` times over. */
    void    (*read)(const void *from, size_t bytes, int64_t passes, float *sink);
    /* a = b + s c (STREAM's triad), `bytes` of each array, `passes` times over; likewise
     * aligned. */
    void    (*triad)(float *a, const float *b, const float *c, size_t bytes, int64_t passes);
} CeilingLoops;

/* NULL: not built for this architecture. */
const CeilingLoops *ceiling_loops(Isa isa);

#endif
