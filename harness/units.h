/* SPDX-License-Identifier: Apache-2.0 */
/* Durations and sizes as people write them. */
#ifndef UNITS_H
#define UNITS_H

#include "../kernels/core/status.h"

#include <stddef.h>
#include <stdint.h>

/* "500us", "100ms", "2s", "10m", "1h"; fractions are fine. More than 0, at most a year. */
Status duration_parse(const char *text, int64_t *out_ns, Err *err);
/* "4096", "32KiB", "8GiB", also "8G"; powers of 1024. More than 0. */
Status bytes_parse(const char *text, int64_t *out, Err *err);

enum { UNITS_TEXT = 24 };
/* Three or four digits and a unit: "12.3 us", "1.23 s". */
void   duration_print(char out[UNITS_TEXT], double time_ns);
void   bytes_print(char out[UNITS_TEXT], double bytes);       /* "1.50 MiB" */

#endif
