/* SPDX-License-Identifier: Apache-2.0 */
/* The hidden command by which attest starts itself: without arguments as a worker (worker.h), with
 * two as what a simulator watches (cachegrind.h). */
#include "cachegrind.h"
#include "cli.h"
#include "worker.h"

static int run(const Call *call)
{
    return call->argc == 2 ? cachegrind_subject(call->argv[0], call->argv[1]) : worker_serve();
}

extern const Command command_worker;
const Command command_worker = {
    .name = "worker", .arguments = "", .summary = "", .most = 2, .run = run,
    .details = "Measures one block for another attest process. Not for people.",
};
