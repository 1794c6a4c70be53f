/* SPDX-License-Identifier: Apache-2.0 */
#include "isa.h"
#include "status.h"

#include <string.h>

static const char *const names[ISA_END] = {
    [ISA_PORTABLE] = "portable", [ISA_NEON] = "neon", [ISA_AVX2] = "avx2", [ISA_AVX512] = "avx512",
    [ISA_AVX512BF16] = "avx512bf16", [ISA_COUNT] = "count", [ISA_CUDA] = "cuda",
};

const char *isa_name(Isa isa) { require(isa < ISA_END); return names[isa]; }

int isa_parse(const char *name, Isa *out)
{
    for (Isa i = ISA_PORTABLE; i < ISA_END; i++)
        if (!strcmp(name, names[i])) { *out = i; return 1; }
    return 0;
}

/* The compilers' own probes also ask the operating system whether it saves the registers. */
const char *isa_missing(Isa isa)
{
    switch (isa) {
    case ISA_PORTABLE: case ISA_COUNT: return NULL;
#if defined(__x86_64__)
    case ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
                   ? NULL : "the CPU has no AVX2, FMA and BMI";
    case ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512cd")
                   ? NULL : "the CPU has no AVX-512 F, BW, VL, DQ and CD";
    case ISA_AVX512BF16:
        if (isa_missing(ISA_AVX512)) return isa_missing(ISA_AVX512);
        return __builtin_cpu_supports("avx512bf16")
                   ? NULL : "the CPU has no AVX-512 BF16 dot products";
#endif
#if defined(__aarch64__)
    case ISA_NEON: return NULL;
#endif
    case ISA_CUDA: return "attest was built without CUDA";
    default:       return "another processor architecture";
    }
}

int isa_runs_here(Isa isa) { return isa_missing(isa) == NULL; }
