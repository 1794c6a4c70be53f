/* SPDX-License-Identifier: Apache-2.0 */
#include "isa.h"
#include "status.h"

#include <stdlib.h>
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
static const char *processor_lacks(Isa isa)
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
        if (processor_lacks(ISA_AVX512)) return processor_lacks(ISA_AVX512);
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

/* A word that names no instruction set masks all of them: nobody shall believe that it worked. */
static int is_masked(Isa isa)
{
    const char *word = getenv("ATTEST_ISA");
    if (!word || !*word || isa == ISA_PORTABLE || isa == ISA_COUNT) return 0;
    Isa widest;
    return !isa_parse(word, &widest) || isa > widest;
}

const char *isa_missing(Isa isa)
{
    const char *lack = processor_lacks(isa);
    return lack ? lack : is_masked(isa) ? "masked by ATTEST_ISA" : NULL;
}

int isa_runs_here(Isa isa) { return isa_missing(isa) == NULL; }
