/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include "../kernels/core/problem.h"

#include <stdio.h>
#include <string.h>

static void join(char *out, size_t size, const char *word)
{
    const size_t used = strlen(out);
    snprintf(out + used, size - used, "%s%s", used ? " " : "", word);
}

const char *describe_passes(unsigned passes, char *out, size_t size)
{
    *out = 0;
    for (int pass = FWD; pass <= STEP; pass <<= 1)
        if (passes & (unsigned)pass) join(out, size, pass_name((Pass)pass));
    return out;
}

const char *describe_dtypes(unsigned dtypes, char *out, size_t size)
{
    *out = 0;
    for (Dtype d = F32; d < DTYPE_END; d++)
        if (dtypes >> d & 1) join(out, size, dtype_name(d));
    return out;
}

const char *describe_default(const Param *param, char *out, size_t size)
{
    if (param->same_as) snprintf(out, size, "as %s", param->same_as);
    else snprintf(out, size, "%lld", (long long)param->fallback);
    return out;
}

const char *describe_role(Role role)
{
    static const char *const roles[] = {
        [PORT_IN] = "in", [PORT_OUT] = "out", [PORT_STATE] = "state",
    };
    return roles[role];
}

const char *describe_kind(Kind kind)
{
    static const char *const kinds[] = {
        [KIND_VALUE] = "value", [KIND_WIDE] = "f32", [KIND_INDEX] = "i32",
    };
    return kinds[kind];
}

/* But for the instruction set. */
static int variant_same(const Variant *a, const Variant *b)
{
    return !strcmp(a->method, b->method) && !strcmp(a->name, b->name);
}

int variant_is_first(int k)
{
    for (int i = 0; i < k; i++)
        if (variant_same(variants[i], variants[k])) return 0;
    return 1;
}

const char *describe_isas(const Variant *like, int here, char *out, size_t size)
{
    *out = 0;
    for (int i = 0; variants[i]; i++) {
        const Variant *v = variants[i];
        if (variant_same(v, like) && v->isa != ISA_COUNT && isa_runs_here(v->isa) == here)
            join(out, size, isa_name(v->isa));
    }
    return out;
}

unsigned variant_dtypes(const Variant *like)
{
    unsigned dtypes = 0;
    for (int i = 0; variants[i]; i++)
        if (variant_same(variants[i], like)) dtypes |= variants[i]->dtypes;
    return dtypes;
}

unsigned method_passes(const Method *method)
{
    unsigned passes = 0;
    for (int i = 0; variants[i]; i++)
        if (!strcmp(variants[i]->method, method->name)) passes |= variants[i]->passes;
    return passes;
}

const char *describe_variants(const Method *method, char *out, size_t size)
{
    *out = 0;
    for (int i = 0; variants[i]; i++)
        if (!strcmp(variants[i]->method, method->name) && variant_is_first(i))
            join(out, size, variants[i]->name);
    return out;
}
