/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that everybody asks, ready to be run, and to be read as examples of how to ask. Each
 * starts from what an index gives at once, so that it answers a large file quickly too. */
#include "query_presets.h"

#include <string.h>

/* preset_NAME.sql, embedded by the build */
extern const char preset_accuracy_sql[], preset_claims_sql[], preset_crossover_sql[];
extern const char preset_failures_sql[], preset_fastest_sql[], preset_history_sql[];
extern const char preset_limits_sql[];

const Preset presets[] = {
    { "fastest", "the fastest arm of each of the last 200 comparisons", preset_fastest_sql },
    { "crossover", "where one arm overtakes another as T grows", preset_crossover_sql },
    { "accuracy", "the worst error of each variant, and where", preset_accuracy_sql },
    { "limits", "the share of the measured limit that each variant reaches", preset_limits_sql },
    { "failures", "the last 200 runs that did not end well, and why", preset_failures_sql },
    { "history", "points whose code has changed: before and after", preset_history_sql },
    { "claims", "every claim, with its latest verdict", preset_claims_sql },
};

const int preset_count = sizeof presets / sizeof *presets;

const Preset *preset_find(const char *name)
{
    for (int i = 0; i < preset_count; i++)
        if (!strcmp(presets[i].name, name)) return &presets[i];
    return NULL;
}
