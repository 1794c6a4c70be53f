/* SPDX-License-Identifier: Apache-2.0 */
/* Names for a file that is compiled once per ISA.
 *
 * The build passes -DMETHOD=attention -DALGO=blas -DISA=avx2 (unquoted words);
 * the file's one public object is then VARIANT, here attention_blas_avx2, so no
 * name is typed twice. "count" is the portable code with every operation counted
 * (count.h): an instrumented build as one more ISA. */
#ifndef ISA_H
#define ISA_H

typedef enum {
    ISA_PORTABLE, ISA_NEON, ISA_AVX2, ISA_AVX512, ISA_AVX512BF16, ISA_COUNT, ISA_CUDA, ISA_END
} Isa;

const char *isa_name(Isa isa);                         /* "avx512bf16" */
int         isa_parse(const char *name, Isa *out);     /* 1 if known */
/* Can this machine (CPU and operating system) run it, and may it? ATTEST_ISA=avx2 in the
 * environment masks whatever comes after avx2 in the list above, but count, so that one
 * machine can stand for a lesser one. It reaches this project's code only: OpenBLAS listens
 * to OPENBLAS_CORETYPE. */
int         isa_runs_here(Isa isa);
/* Why not, in a few words; NULL if it runs. */
const char *isa_missing(Isa isa);

#define ISA_ID_portable   ISA_PORTABLE
#define ISA_ID_neon       ISA_NEON
#define ISA_ID_avx2       ISA_AVX2
#define ISA_ID_avx512     ISA_AVX512
#define ISA_ID_avx512bf16 ISA_AVX512BF16
#define ISA_ID_count      ISA_COUNT
#define ISA_ID_cuda       ISA_CUDA

#define JOIN_(a, b) a##b
#define JOIN(a, b)  JOIN_(a, b)
#define TEXT_(a)    #a
#define TEXT(a)     TEXT_(a)

#define VARIANT_SYMBOL JOIN(JOIN(JOIN(METHOD, _), JOIN(ALGO, _)), ISA)
#ifdef __cplusplus   /* .cu files: const alone would hide the symbol, and C++ would mangle it */
#define VARIANT    extern "C" { extern const Variant VARIANT_SYMBOL; } const Variant VARIANT_SYMBOL
#else
#define VARIANT    extern const Variant VARIANT_SYMBOL; const Variant VARIANT_SYMBOL
#endif
#define VARIANT_ID .method = TEXT(METHOD), .name = TEXT(ALGO), .isa = JOIN(ISA_ID_, ISA)

#endif
