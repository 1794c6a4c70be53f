/* SPDX-License-Identifier: Apache-2.0 */
/* The hidden command by which attest starts itself as a worker (worker.h). */
#include "cli.h"
#include "worker.h"

static int run(const Call *call)
{
    (void)call;
    return worker_serve();
}

extern const Command command_worker;
const Command command_worker = {
    .name = "worker", .arguments = "", .summary = "", .run = run,
    .details = "Measures one block for another attest process. Not for people.",
};
