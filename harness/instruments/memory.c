/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes: what the problem's tensors take, what the variant asks for beside them, and what the whole
 * worker had at its peak. All but the last are exact. */
#include "../bench.h"

#include <sys/resource.h>

static double port_bytes(const Bound *b, Role role)
{
    double bytes = 0;
    for (int i = 0; b->problem.method->port[i].name; i++)
        if (b->problem.method->port[i].role == role && b->x[i].data)
            bytes += (double)tensor_bytes(&b->x[i]);
    return bytes;
}

static void report(Arm *arm)
{
    const Bound *b = &arm->set[0];
    struct rusage usage;
    bench_metric(arm, "memory", "tensor_bytes", "B", (double)b->tensor_bytes);
    bench_metric(arm, "memory", "output_bytes", "B", port_bytes(b, PORT_OUT));
    bench_metric(arm, "memory", "state_bytes", "B", port_bytes(b, PORT_STATE));
    bench_metric(arm, "memory", "workspace_bytes", "B", (double)arm->workspace_bytes);
    bench_metric(arm, "memory", "workspace_used_bytes", "B", (double)arm->ws.high_water);
    bench_metric(arm, "memory", "total_bytes", "B",
                 (double)b->tensor_bytes + (double)arm->ws.high_water);
    if (!getrusage(RUSAGE_SELF, &usage))
        bench_metric(arm, "memory", "worker_peak_bytes", "B", (double)usage.ru_maxrss * 1024);
}

static Status measure(Bench *b, Err *err)
{
    (void)err;
    for (int i = 0; i < b->arms; i++)
        if (arm_lives(&b->arm[i]) && arm_prepare(b, &b->arm[i], 1)) report(&b->arm[i]);
    return OK;
}

extern const Instrument instrument_memory;
const Instrument instrument_memory = {
    .name = "memory",
    .stage = STAGE_CHECK,
    .measure = measure,
    .summary = "bytes of tensors, workspace and states; peak of the worker process",
    .yields = "tensor_bytes (inputs, outputs, states, gradients), output_bytes, state_bytes, "
              "workspace_bytes (asked for), workspace_used_bytes (high-water mark), total_bytes, "
              "worker_peak_bytes (all arms and input sets)",
};
