/* SPDX-License-Identifier: Apache-2.0 */
/* A file of tensors: every value is read, and every method is asked whether it could be bound. */
#include "../../harness/bind.h"
#include "../../harness/golden.h"
#include "fuzz.h"

enum { MEMORY_MAX = 16 << 20 };

static double read_all(const SafeFile *file)
{
    double sum = 0;
    for (int i = 0; i < file->tensors; i++) {
        const SafeTensor *t = &file->tensor[i];
        require(safe_find(file, t->name));
        for (int64_t k = 0; t->dtype != SAFE_OTHER && k < safe_count(t); k++) sum += safe_get(t, k);
    }
    return sum;
}

static int is_small(const Problem *p)
{
    double bytes = 0;
    for (int i = 0; p->method->port[i].name; i++) {
        Tensor t;
        if (port_shape(p, i, &t)) bytes += 2 * (double)tensor_bytes(&t);
    }
    return bytes < MEMORY_MAX;
}

static void bind(const SafeFile *file, const Method *method, Pass pass)
{
    Problem problem;
    Device *device = NULL;
    Bound bound;
    Err err = { "" };
    problem_default(&problem, method);
    problem.pass = pass;
    if (golden_problem(file, &problem, 0, &err)) { require(err.text[0]); return; }
    if (!is_small(&problem) || backend_cpu.open(&device, &err)) return;
    if (!bound_open(&bound, &problem, F64, 1, device, &err)) {
        bound_fill(&bound);
        if (golden_inputs(file, &bound, &err)) require(err.text[0]);
        require(!bound_guard_broken(&bound));
        bound_close(&bound);
    }
    backend_cpu.close(device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SafeFile file;
    Err err = { "" };
    if (safe_open(&file, fuzz_file("in.safetensors", data, size), &err)) {
        require(err.text[0]);
        return 0;
    }
    read_all(&file);
    golden_number(&file, "float32_reference_err", "o", 0);
    for (int i = 0; methods[i]; i++)
        for (int pass = FWD; pass <= STEP; pass <<= 1) bind(&file, methods[i], (Pass)pass);
    safe_close(&file);
    return 0;
}
