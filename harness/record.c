/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdlib.h>

const char *outcome_name(Outcome outcome)
{
    static const char *const name[OUTCOME_END] = {
        [OUTCOME_OK] = "ok", [OUTCOME_WRONG] = "wrong", [OUTCOME_SKIPPED] = "skipped",
        [OUTCOME_UNSUPPORTED] = "unsupported", [OUTCOME_CRASHED] = "crashed",
        [OUTCOME_TIMEOUT] = "timeout", [OUTCOME_OUT_OF_MEMORY] = "out-of-memory",
        [OUTCOME_IMPOSSIBLE] = "impossible", [OUTCOME_NONDETERMINISTIC] = "nondeterministic",
    };
    require((unsigned)outcome < OUTCOME_END);
    return name[outcome];
}

void block_free(BlockRecord *block)
{
    for (int i = 0; i < block->runs; i++) {
        free(block->run[i].epoch);
        free(block->run[i].metric);
    }
    free(block->run);
    block->run = NULL;
    block->runs = 0;
}
