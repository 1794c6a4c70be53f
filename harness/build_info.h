/* SPDX-License-Identifier: Apache-2.0 */
/* What this binary was made of; written by the Makefile into build/.../build_info.c. */
#ifndef BUILD_INFO_H
#define BUILD_INFO_H

extern const char build_commit[];      /* git's, or "unknown" */
/* SHA-256 of what `find kernels harness Makefile -type f | LC_ALL=C sort | xargs sha256sum` prints
 * in the tree that it was built from: says what the commit does not where the tree had changes. */
extern const char build_sources[];
extern const int  build_dirty;         /* 1: the tree had changes */
extern const char build_compiler[];    /* first line of --version */
extern const char build_flags[];

typedef struct { const char *symbol, *sha256; } CodeHash;
/* SHA-256 of each variant's object code, by symbol (attention_blas_avx2); ends with NULL. */
extern const CodeHash code_hashes[];

#endif
