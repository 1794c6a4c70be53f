/* SPDX-License-Identifier: Apache-2.0 */
/* Which ISAs' ceiling loops this build has: those of its architecture, as in the Makefile. */
#include "ceiling.h"

extern const CeilingLoops core_ceiling_portable;
#if defined(__x86_64__)
extern const CeilingLoops core_ceiling_avx2, core_ceiling_avx512, core_ceiling_avx512bf16;
#elif defined(__aarch64__)
extern const CeilingLoops core_ceiling_neon;
#endif

const CeilingLoops *ceiling_loops(Isa isa)
{
    switch (isa) {
    case ISA_PORTABLE:   return &core_ceiling_portable;
#if defined(__x86_64__)
    case ISA_AVX2:       return &core_ceiling_avx2;
    case ISA_AVX512:     return &core_ceiling_avx512;
    case ISA_AVX512BF16: return &core_ceiling_avx512bf16;
#elif defined(__aarch64__)
    case ISA_NEON:       return &core_ceiling_neon;
#endif
    default:             return NULL;
    }
}
