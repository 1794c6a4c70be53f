/* SPDX-License-Identifier: Apache-2.0 */
/* An experiment's YAML: read in every profile, and planned if it makes sense. */
#include "../../harness/plan.h"
#include "fuzz.h"

static void read_and_plan(const char *path, const char *profile)
{
    Spec spec;
    Plan plan = { 0 };
    Complaints complaints = { 0 };
    Err err = { "" };
    const Status status = spec_open(&spec, path, profile, &complaints, &err);
    require((status != OK) == (err.text[0] != 0));
    require((complaints.count == 0) == (complaints.text == NULL));
    if (!status) {
        if (plan_open(&plan, &spec, 1, NULL, &err)) require(err.text[0]);
        plan_close(&plan);
    }
    spec_close(&spec);
    complaints_free(&complaints);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file("spec.yaml", data, size);
    read_and_plan(path, "smoke");
    read_and_plan(path, "quick");
    read_and_plan(path, "paper");
    return 0;
}
