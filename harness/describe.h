/* SPDX-License-Identifier: Apache-2.0 */
/* What the descriptors say, in words: for `attest list`, `attest show` and the site. */
#ifndef DESCRIBE_H
#define DESCRIBE_H

#include "../kernels/core/method.h"

#include <stddef.h>

/* "fwd bwd", "f32 bf16"; returns out. */
const char *describe_passes(unsigned passes, char *out, size_t size);
const char *describe_dtypes(unsigned dtypes, char *out, size_t size);
/* "64", or "as T" where it follows another parameter; returns out. */
const char *describe_default(const Param *param, char *out, size_t size);
const char *describe_role(Role role);
const char *describe_kind(Kind kind);

/* Whether variants[k] is the first of its name: one line a variant, not one an instruction set. */
int      variant_is_first(int k);
unsigned variant_dtypes(const Variant *like);    /* on any instruction set */
unsigned method_passes(const Method *method);    /* of any variant */
/* The names of its variants; returns out. */
const char *describe_variants(const Method *method, char *out, size_t size);
/* The instruction sets that the build has it for: those that run here, or those that don't. */
const char *describe_isas(const Variant *like, int here, char *out, size_t size);

#endif
