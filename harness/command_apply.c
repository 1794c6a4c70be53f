/* SPDX-License-Identifier: Apache-2.0 */
/* attest apply: a kernel on somebody's own tensors. */
#include "build_info.h"
#include "cli.h"
#include "golden.h"
#include "machine.h"

#include "../kernels/core/parallel.h"
#include "../kernels/core/problem.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 2 * PORT_MAX };

typedef struct {
    const Call *call;
    Point       point;
    SafeFile    in;
    Device     *device;
    Bound       bound;
    Team       *team;
    char       *arena;
    size_t      arena_bytes;
    SafeEntry   entry[ENTRIES_MAX];
    char        name[ENTRIES_MAX][40];
    int         entries;
} Apply;

/* ---- what the point says --------------------------------------------------------------------- */

static int has_field(const char *text, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = strchr(text, ':'); at; at = strchr(at + 1, ':'))
        if (!strncmp(at + 1, word, length) && (!at[1 + length] || at[1 + length] == ':')) return 1;
    return 0;
}

/* Bits of the parameters that the text sets. */
static uint32_t params_given(const Method *m, const char *text)
{
    uint32_t given = 0;
    for (int i = 0; m->param[i].name; i++) {
        const size_t length = strlen(m->param[i].name);
        for (const char *at = strpbrk(text, ":,"); at; at = strpbrk(at + 1, ":,"))
            if (!strncmp(at + 1, m->param[i].name, length) && at[1 + length] == '=')
                given |= 1u << i;
    }
    return given;
}

/* bf16 if every tensor of floats in the file is, f32 otherwise. */
static Dtype dtype_of_file(const SafeFile *file)
{
    int halves = 0;
    for (int i = 0; i < file->tensors; i++) {
        const SafeDtype d = file->tensor[i].dtype;
        if (d == SAFE_F64 || d == SAFE_F32 || d == SAFE_F16) return F32;
        halves += d == SAFE_BF16;
    }
    return halves ? BF16 : F32;
}

static Status read_point(Apply *a, Err *err)
{
    const char *text = a->call->argv[0];
    Point *point = &a->point;
    Problem *p = &point->problem;
    Status status = point_parse(point, text, err);
    if (status) return status;
    if (call_option(a->call, "reference")) point->variant = NULL;
    if (!has_field(text, "f32") && !has_field(text, "bf16") && !has_field(text, "f64"))
        p->dtype = dtype_of_file(&a->in);
    status = golden_problem(&a->in, p, params_given(p->method, text), err);
    if (!point->variant) p->dtype = F64;
    return status;
}

static Status check_variant(const Apply *a, Err *err)
{
    const Variant *v = a->point.variant;
    const Problem *p = &a->point.problem;
    if (!v) return OK;
    char name[128];
    snprintf(name, sizeof name, "%s/%s@%s", v->method, v->name, isa_name(v->isa));
    if (!isa_runs_here(v->isa))
        return fail(err, UNSUPPORTED, "%s cannot run here: %s", name, isa_missing(v->isa));
    if (!(v->passes & p->pass))
        return fail(err, UNSUPPORTED, "%s has no pass %s", name, pass_name(p->pass));
    if (!(v->dtypes >> p->dtype & 1))
        return fail(err, UNSUPPORTED, "%s cannot compute in %s; --reference computes in f64", name,
                    dtype_name(p->dtype));
    const char *why = v->refuses ? v->refuses(p, a->point.threads) : NULL;
    return why ? fail(err, UNSUPPORTED, "%s refuses: %s", name, why) : OK;
}

/* ---- running --------------------------------------------------------------------------------- */

/* The forward outputs that a backward pass reads: the user's, or the reference's. */
static Status give_outputs(Apply *a, Err *err)
{
    Bound *b = &a->bound, f = { 0 };
    const Port *port = b->problem.method->port;
    Status status = bound_open(&f, &b->problem, F64, 1, a->device, err);
    if (!status) bound_fill(&f);
    if (!status) status = golden_inputs(&a->in, &f, err);
    if (!status) {
        reference_outputs(&f.problem, &f.args);
        bound_forward(b, &f);
    }
    for (int i = 0; port[i].name && !status; i++) {
        const SafeTensor *t = golden_tensor(&a->in, &port[i], 0);
        if (port[i].role == PORT_OUT && t && b->x[i].data)
            status = golden_load(&a->in, t, &b->x[i], err);
    }
    bound_close(&f);
    return status;
}

static Status run_variant(Apply *a, Err *err)
{
    const Variant *v = a->point.variant;
    const int threads = a->point.threads;
    a->arena_bytes = v->workspace ? workspace_round(v->workspace(&a->bound.problem, threads)) : 0;
    if (machine_has_memory(a->arena_bytes)) a->arena = backend_cpu.take(a->device, a->arena_bytes);
    if (!a->arena)
        return fail(err, NO_MEMORY, "no memory for %zu bytes of workspace", a->arena_bytes);
    Status status = threads > 1 ? team_open(&a->team, threads, NULL, err) : OK;
    if (status) return status;
    Workspace ws = { .base = a->arena, .size = a->arena_bytes };
    Ctx ctx = { .ws = &ws, .team = a->team, .threads = threads };
    status = v->run(&a->bound.problem, &a->bound.args, &ctx);
    if (status) return fail(err, status, "the call failed");
    const char *broken = bound_guard_broken(&a->bound);
    return broken ? fail(err, DEVICE_FAILED, "the kernel wrote beyond tensor %s", broken) : OK;
}

static Status run_point(Apply *a, Err *err)
{
    const Problem *p = &a->point.problem;
    Status status = bound_open(&a->bound, p, p->dtype, 0, a->device, err);
    if (status) return status;
    bound_fill(&a->bound);
    status = golden_inputs(&a->in, &a->bound, err);
    if (!status && p->pass == BWD) status = golden_upstream(&a->in, &a->bound, err);
    if (!status && p->pass == BWD && a->point.variant) status = give_outputs(a, err);
    if (status) return status;
    if (a->point.variant) return run_variant(a, err);
    reference_run(&a->bound.problem, &a->bound.args, F64);
    return OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void add_entry(Apply *a, const char *name, const Tensor *t)
{
    snprintf(a->name[a->entries], sizeof a->name[0], "%s", name);
    a->entry[a->entries] = (SafeEntry){ a->name[a->entries], t };
    a->entries++;
}

static Status write_outputs(Apply *a, const char *path, Err *err)
{
    char text[POINT_TEXT_MAX];
    point_print(&a->point, text, sizeof text);
    for (int i = 0; a->bound.problem.method->port[i].name; i++) {
        const Tensor *t = bound_written(&a->bound, i);
        if (t) add_entry(a, bound_written_name(&a->bound.problem, i), t);
    }
    const SafePair pairs[] = {
        { "point", text }, { "made_with", "attest" }, { "commit", build_commit }, { NULL, NULL },
    };
    return safe_write(path, pairs, a->entry, a->entries, err);
}

static void print_shape(FILE *out, const Tensor *t)
{
    for (int i = 0; i < t->rank; i++) fprintf(out, "%s%lld", i ? "," : "", (long long)t->dim[i]);
}

static void print_plain(const Apply *a, const char *path)
{
    char text[POINT_TEXT_MAX];
    FILE *out = a->call->out;
    point_print(&a->point, text, sizeof text);
    fprintf(out, "%s\n%s:\n", text, path);
    for (int i = 0; i < a->entries; i++) {
        fprintf(out, "  %-12s %-5s ", a->entry[i].name, dtype_name(a->entry[i].tensor->dtype));
        print_shape(out, a->entry[i].tensor);
        fputc('\n', out);
    }
}

static void print_json(const Apply *a, const char *path)
{
    char text[POINT_TEXT_MAX];
    Json j;
    point_print(&a->point, text, sizeof text);
    json_open(&j, a->call->out);
    json_object(&j, NULL);
    json_text(&j, "point", text);
    json_text(&j, "file", path);
    json_array(&j, "tensors");
    for (int i = 0; i < a->entries; i++) {
        const Tensor *t = a->entry[i].tensor;
        json_object(&j, NULL);
        json_text(&j, "name", a->entry[i].name);
        json_text(&j, "dtype", dtype_name(t->dtype));
        json_array(&j, "shape");
        for (int k = 0; k < t->rank; k++) json_integer(&j, NULL, t->dim[k]);
        json_close(&j);
        json_close(&j);
    }
    json_close(&j);
    json_close(&j);
}

/* ---- the command ----------------------------------------------------------------------------- */

static Status apply(Apply *a, const char *in, const char *out, Err *err)
{
    Status status = safe_open(&a->in, in, err);
    if (!status) status = read_point(a, err);
    if (!status) status = check_variant(a, err);
    if (!status) status = backend_cpu.open(&a->device, err);
    if (!status) status = run_point(a, err);
    if (!status) status = write_outputs(a, out, err);
    return status;
}

static void clean_up(Apply *a)
{
    team_close(a->team);
    if (a->arena) backend_cpu.give(a->device, a->arena, a->arena_bytes);
    bound_close(&a->bound);
    if (a->device) backend_cpu.close(a->device);
    safe_close(&a->in);
}

static int run(const Call *call)
{
    const char *in = call_option(call, "in"), *out = call_option(call, "out");
    Err err;
    if (!in || !out)
        return call_failed(call, fail(&err, BAD_INPUT, "--in F.safetensors and --out G.safetensors "
                                      "are needed"), &err);
    Apply *a = calloc(1, sizeof *a);
    if (!a) return call_failed(call, fail(&err, NO_MEMORY, "no memory"), &err);
    a->call = call;
    const Status status = apply(a, in, out, &err);
    if (!status && call->json) print_json(a, out);
    else if (!status && !call->quiet) print_plain(a, out);
    clean_up(a);
    free(a);
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

static const Option options[] = {
    { "in", 'i', "FILE", "safetensors with the inputs", NULL },
    { "out", 'o', "FILE", "safetensors for the results", NULL },
    { "reference", 'r', NULL, "compute in float64, by the method's definition", NULL },
    { 0 }
};

const Command command_apply = {
    .name = "apply", .arguments = "POINT --in FILE --out FILE", .option = options,
    .least = 1, .most = 1, .run = run,
    .summary = "run a kernel on tensors of your own",
    .details =
        "The tensors of the input file are named and shaped as the method's ports ('attest show "
        "METHOD'), in F64, F32, F16 or BF16, lengths and masks in any integer type; leading "
        "dimensions of 1 may be left out. Sizes are taken from the shapes, other parameters from "
        "POINT. Without a dtype in POINT it is bf16 if all floats of the file are, else f32.\n\n"
        "fwd and step write their outputs (and the state), bwd writes d<name> for each input; it "
        "wants d<name> of an output (those missing are 0), and computes the outputs by the "
        "reference where the file has none. The result's metadata name the point.\n\n"
        "  attest apply flash_attention:causal=1:f32:fwd --in qkv.safetensors --out o.safetensors",
};
