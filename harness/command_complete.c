/* SPDX-License-Identifier: Apache-2.0 */
/* The hidden command that the shells' completion asks; see complete.h. */
#include "cli.h"
#include "complete.h"

static int run(const Call *call)
{
    complete(call->out, call->argc, (const char *const *)call->argv);
    return EXIT_DONE;
}

extern const Command command_complete;
const Command command_complete = {
    .name = "complete", .arguments = "-- WORD...", .summary = "", .most = -1, .run = run,
    .details = "What may stand for the last WORD. Not for people.",
};
