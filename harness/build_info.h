/* SPDX-License-Identifier: Apache-2.0 */
/* What this binary was made of; written by the Makefile into build/.../build_info.c. */
#ifndef BUILD_INFO_H
#define BUILD_INFO_H

extern const char build_commit[];      /* git's, or "unknown" */
extern const int  build_dirty;         /* 1: the tree had changes */
extern const char build_compiler[];    /* first line of --version */
extern const char build_flags[];

typedef struct { const char *symbol, *sha256; } CodeHash;
/* SHA-256 of each variant's object code, by symbol (attention_blas_avx2); ends with NULL. */
extern const CodeHash code_hashes[];

#endif
