/* SPDX-License-Identifier: Apache-2.0 */
/* The queries of `attest query --preset NAME`. */
#ifndef QUERY_PRESETS_H
#define QUERY_PRESETS_H

typedef struct { const char *name, *help, *sql; } Preset;

extern const Preset presets[];
extern const int    preset_count;
const Preset *preset_find(const char *name);   /* NULL: there is none */

#endif
