/* SPDX-License-Identifier: Apache-2.0 */
/* The long noise certificate, for people and for programs. */
#ifndef AA_TELL_H
#define AA_TELL_H

#include "aa.h"
#include "cli.h"

/* A table a kernel, from equal arms to the first difference that is found. */
void aa_print(FILE *out, const AaReport report[NOISE_KERNELS]);
/* The object "aa". */
void aa_json(Json *json, const AaPlan *plan, const AaReport report[NOISE_KERNELS]);

#endif
