/* SPDX-License-Identifier: Apache-2.0 */
/* attest show: everything that a descriptor says about a method, with the shapes and the cost of
 * one problem. */
#include "bind.h"
#include "cli.h"
#include "describe.h"

#include "../kernels/core/problem.h"

#include <stdlib.h>
#include <string.h>

enum { CELL_MAX = 160, ROWS_MAX = 256, COLUMNS_MAX = 6 };

typedef struct {
    int  columns, rows;
    char cell[ROWS_MAX][COLUMNS_MAX][CELL_MAX];
} Sheet;

/* ---- small texts ----------------------------------------------------------------------------- */

static void print_shape(const Problem *p, int port, char *out, size_t size)
{
    Tensor t;
    size_t n = 0;
    snprintf(out, size, "-");
    if (!port_shape(p, port, &t)) return;
    for (int i = 0; i < t.rank && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%lld", i ? " " : "", (long long)t.dim[i]);
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void start(Sheet *s, int columns, const char *const *heading)
{
    s->columns = columns;
    s->rows = 1;
    for (int c = 0; c < columns; c++) snprintf(s->cell[0][c], CELL_MAX, "%s", heading[c]);
}

static void print_sheet(const Call *call, const Sheet *s, const char *title)
{
    const char *cell[ROWS_MAX * COLUMNS_MAX];
    for (int r = 0; r < s->rows; r++)
        for (int c = 0; c < s->columns; c++) cell[r * s->columns + c] = s->cell[r][c];
    fprintf(call->out, "\n%s%s%s\n", paint(call->out, "1;4"), title, paint(call->out, "0"));
    table_print(call->out, "table", s->columns, s->rows, cell);
}

static void show_params(const Call *call, const Problem *p, Sheet *s)
{
    static const char *const heading[] = { "name", "here", "default", "range", "meaning" };
    start(s, 5, heading);
    for (int i = 0; p->method->param[i].name; i++) {
        const Param *param = &p->method->param[i];
        char (*cell)[CELL_MAX] = s->cell[s->rows++];
        snprintf(cell[0], CELL_MAX, "%s", param->name);
        snprintf(cell[1], CELL_MAX, "%lld", (long long)p->value[i]);
        describe_default(param, cell[2], CELL_MAX);
        snprintf(cell[3], CELL_MAX, "%lld..%lld", (long long)param->low, (long long)param->high);
        snprintf(cell[4], CELL_MAX, "%s", param->help);
    }
    print_sheet(call, s, "parameters");
}

static void show_ports(const Call *call, const Problem *p, Sheet *s)
{
    static const char *const heading[] = { "name", "shape", "here", "kind", "passes", "meaning" };
    start(s, 6, heading);
    for (int i = 0; p->method->port[i].name; i++) {
        const Port *port = &p->method->port[i];
        char (*cell)[CELL_MAX] = s->cell[s->rows++], passes[32];
        describe_passes(port->passes, passes, sizeof passes);
        snprintf(cell[0], CELL_MAX, "%s", port->name);
        snprintf(cell[1], CELL_MAX, "%s", port->shape);
        print_shape(p, i, cell[2], CELL_MAX);
        snprintf(cell[3], CELL_MAX, "%s %s", describe_role(port->role), describe_kind(port->kind));
        snprintf(cell[4], CELL_MAX, "%s", passes);
        snprintf(cell[5], CELL_MAX, "%s%s%s", port->help, port->when ? "; only with " : "",
                 port->when ? port->when : "");
    }
    print_sheet(call, s, "tensors");
}

static void show_variants(const Call *call, const Method *m, Sheet *s)
{
    static const char *const heading[] = { "name", "passes", "runs here on", "not here", "note" };
    start(s, 5, heading);
    for (int k = 0; variants[k]; k++) {
        if (strcmp(variants[k]->method, m->name) || !variant_is_first(k)) continue;
        char (*cell)[CELL_MAX] = s->cell[s->rows++];
        snprintf(cell[0], CELL_MAX, "%s%s", variants[k]->name,
                 strcmp(variants[k]->name, m->usual) ? "" : " (usual)");
        describe_passes(variants[k]->passes, cell[1], CELL_MAX);
        describe_isas(variants[k], 1, cell[2], CELL_MAX);
        describe_isas(variants[k], 0, cell[3], CELL_MAX);
        snprintf(cell[4], CELL_MAX, "%s", variants[k]->note ? variants[k]->note : "");
    }
    print_sheet(call, s, "variants");
}

static int has_pass(const Problem *p)
{
    for (int i = 0; p->method->port[i].name; i++)
        if (p->method->port[i].passes & p->pass) return 1;
    return 0;
}

static void show_cost(const Call *call, const Problem *given, Sheet *s)
{
    static const char *const heading[] = { "pass", "GFLOP", "exponentials", "bytes", "state bytes",
                                           "FLOP/byte" };
    Problem p = *given;
    start(s, 6, heading);
    for (int pass = FWD; pass <= STEP; pass <<= 1) {
        p.pass = (Pass)pass;
        if (!has_pass(&p) || problem_valid(&p, NULL)) continue;
        const Cost cost = p.method->cost(&p);
        char (*cell)[CELL_MAX] = s->cell[s->rows++];
        snprintf(cell[0], CELL_MAX, "%s", pass_name(p.pass));
        snprintf(cell[1], CELL_MAX, "%.4g", cost.flops / 1e9);
        snprintf(cell[2], CELL_MAX, "%.0f", cost.exps);
        snprintf(cell[3], CELL_MAX, "%.0f", cost.bytes);
        snprintf(cell[4], CELL_MAX, "%.0f", cost.state_bytes);
        snprintf(cell[5], CELL_MAX, "%.3g", cost.bytes > 0 ? cost.flops / cost.bytes : 0);
    }
    char text[POINT_TEXT_MAX], title[POINT_TEXT_MAX + 16];
    problem_print(given, text, sizeof text);
    snprintf(title, sizeof title, "cost of %s", text);
    print_sheet(call, s, title);
    fputs("GFLOP counts ", call->out);
    print_wrapped(call->out, p.method->flop_convention, (int)strlen("GFLOP counts "), 0);
}

static void show_laws(const Call *call, const Method *m, Sheet *s)
{
    static const char *const heading[] = { "law", "pass", "says" };
    if (!m->law || !m->law[0].name) return;
    start(s, 3, heading);
    for (const Law *law = m->law; law->name; law++) {
        char (*cell)[CELL_MAX] = s->cell[s->rows++];
        snprintf(cell[0], CELL_MAX, "%s", law->name);
        snprintf(cell[1], CELL_MAX, "%s", pass_name(law->pass));
        snprintf(cell[2], CELL_MAX, "%s", law->says);
    }
    print_sheet(call, s, "laws");
}

static void show_proof(const Call *call, const Method *m)
{
    const Tolerance *t = &m->tolerance;
    int cases = 0;
    while (m->cases && m->cases[cases]) cases++;
    fprintf(call->out, "\n%sproof%s\n", paint(call->out, "1;4"), paint(call->out, "0"));
    char text[1000];
    int used = snprintf(text, sizeof text, "largest error allowed, relative to the largest result: "
                        "f32 %.0e forward, %.0e backward; bf16 %.0e, %.0e\n%d cases", t->f32_fwd,
                        t->f32_bwd, t->bf16_fwd, t->bf16_bwd, cases);
    for (const Golden *g = m->golden; g && g->name && used < (int)sizeof text; g++) {
        char passes[32];
        describe_passes(g->passes, passes, sizeof passes);
        used += snprintf(text + used, sizeof text - (size_t)used, "; golden files of %s (%s)",
                         g->name, passes);
    }
    print_wrapped(call->out, text, 0, 0);
}

static void show_point(const Call *call, const Point *point)
{
    const Variant *v = point->variant;
    char text[POINT_TEXT_MAX];
    if (!v || !strchr(call->argv[0], '/')) return;
    point_print(point, text, sizeof text);
    const char *why = !isa_runs_here(v->isa) ? isa_missing(v->isa)
                    : v->refuses ? v->refuses(&point->problem, point->threads) : NULL;
    const size_t bytes = v->workspace ? v->workspace(&point->problem, point->threads) : 0;
    fprintf(call->out, "\n%s%s%s\n", paint(call->out, "1;4"), text, paint(call->out, "0"));
    fprintf(call->out, "workspace %zu bytes; %s%s\n", bytes,
            why ? "does not run here: " : "runs here", why ? why : "");
}

static void show(const Call *call, const Point *point, Sheet *s)
{
    const Problem *p = &point->problem;
    const Method *m = p->method;
    fprintf(call->out, "%s%s%s: %s (paper: %s)\n", paint(call->out, "1"), m->name,
            paint(call->out, "0"), m->title, m->paper);
    print_wrapped(call->out, m->summary, 0, 0);
    show_params(call, p, s);
    show_ports(call, p, s);
    show_variants(call, m, s);
    show_cost(call, p, s);
    show_laws(call, m, s);
    show_proof(call, m);
    show_point(call, point);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_passes(Json *j, unsigned passes)
{
    json_array(j, "passes");
    for (int pass = FWD; pass <= STEP; pass <<= 1)
        if (passes & (unsigned)pass) json_text(j, NULL, pass_name((Pass)pass));
    json_close(j);
}

static void json_param(Json *j, const Problem *p, int i)
{
    const Param *param = &p->method->param[i];
    json_object(j, NULL);
    json_text(j, "name", param->name);
    json_integer(j, "here", p->value[i]);
    json_integer(j, "default", param->fallback);
    json_text(j, "same_as", param->same_as);
    json_integer(j, "low", param->low);
    json_integer(j, "high", param->high);
    json_text(j, "help", param->help);
    json_close(j);
}

static void json_port(Json *j, const Problem *p, int i)
{
    const Port *port = &p->method->port[i];
    Tensor t;
    json_object(j, NULL);
    json_text(j, "name", port->name);
    json_text(j, "shape", port->shape);
    json_text(j, "role", describe_role(port->role));
    json_text(j, "kind", describe_kind(port->kind));
    json_passes(j, port->passes);
    json_text(j, "when", port->when);
    json_bool(j, "gradient", !port->no_grad && port->kind != KIND_INDEX);
    if (port_shape(p, i, &t)) {
        json_array(j, "here");
        for (int k = 0; k < t.rank; k++) json_integer(j, NULL, t.dim[k]);
        json_close(j);
    }
    json_text(j, "help", port->help);
    json_close(j);
}

static void json_variant(Json *j, const Variant *v)
{
    json_object(j, NULL);
    json_text(j, "name", v->name);
    json_text(j, "isa", isa_name(v->isa));
    json_passes(j, v->passes);
    json_array(j, "dtypes");
    for (Dtype d = F32; d < DTYPE_END; d++)
        if (v->dtypes >> d & 1) json_text(j, NULL, dtype_name(d));
    json_close(j);
    json_bool(j, "runs_here", isa_runs_here(v->isa));
    json_text(j, "missing", isa_missing(v->isa));
    json_text(j, "note", v->note);
    json_close(j);
}

static void json_costs(Json *j, const Problem *given)
{
    Problem p = *given;
    json_object(j, "cost");
    for (int pass = FWD; pass <= STEP; pass <<= 1) {
        p.pass = (Pass)pass;
        if (!has_pass(&p) || problem_valid(&p, NULL)) continue;
        const Cost cost = p.method->cost(&p);
        json_object(j, pass_name(p.pass));
        json_number(j, "flops", cost.flops);
        json_number(j, "exps", cost.exps);
        json_number(j, "bytes", cost.bytes);
        json_number(j, "state_bytes", cost.state_bytes);
        json_close(j);
    }
    json_close(j);
}

static void json_head(Json *j, const Problem *p)
{
    const Method *m = p->method;
    char text[POINT_TEXT_MAX];
    problem_print(p, text, sizeof text);
    json_text(j, "method", m->name);
    json_text(j, "title", m->title);
    json_text(j, "paper", m->paper);
    json_text(j, "summary", m->summary);
    json_text(j, "usual", m->usual);
    json_text(j, "problem", text);
    json_text(j, "flop_convention", m->flop_convention);
}

static void json_lists(Json *j, const Problem *p)
{
    const Method *m = p->method;
    json_array(j, "params");
    for (int i = 0; m->param[i].name; i++) json_param(j, p, i);
    json_close(j);
    json_array(j, "ports");
    for (int i = 0; m->port[i].name; i++) json_port(j, p, i);
    json_close(j);
    json_array(j, "variants");
    for (int i = 0; variants[i]; i++)
        if (!strcmp(variants[i]->method, m->name)) json_variant(j, variants[i]);
    json_close(j);
}

static void json_proof(Json *j, const Method *m)
{
    json_object(j, "tolerance");
    json_number(j, "f32_fwd", m->tolerance.f32_fwd);
    json_number(j, "f32_bwd", m->tolerance.f32_bwd);
    json_number(j, "bf16_fwd", m->tolerance.bf16_fwd);
    json_number(j, "bf16_bwd", m->tolerance.bf16_bwd);
    json_close(j);
    json_array(j, "laws");
    for (const Law *law = m->law; law && law->name; law++) {
        json_object(j, NULL);
        json_text(j, "name", law->name);
        json_text(j, "says", law->says);
        json_close(j);
    }
    json_close(j);
    json_array(j, "golden");
    for (const Golden *g = m->golden; g && g->name; g++) json_text(j, NULL, g->name);
    json_close(j);
    json_array(j, "cases");
    for (int i = 0; m->cases && m->cases[i]; i++) json_text(j, NULL, m->cases[i]);
    json_close(j);
}

static void show_json(const Call *call, const Problem *p)
{
    Json j;
    json_open(&j, call->out);
    json_object(&j, NULL);
    json_head(&j, p);
    json_lists(&j, p);
    json_costs(&j, p);
    json_proof(&j, p->method);
    json_close(&j);
}

/* ---- the command ----------------------------------------------------------------------------- */

/* A method without variants, or a problem without one, can be shown too. */
static Status read_point(const char *text, Point *point, Err *err)
{
    *point = (Point){ .threads = 1 };
    return strpbrk(text, "/@") ? point_parse(point, text, err)
                               : problem_parse(&point->problem, text, err);
}

static int run(const Call *call)
{
    Point point;
    Err err;
    Status status = read_point(call->argv[0], &point, &err);
    if (status) return call_failed(call, status, &err);
    if (call->json) { show_json(call, &point.problem); return EXIT_DONE; }
    Sheet *sheet = calloc(1, sizeof *sheet);
    if (!sheet) return call_failed(call, fail(&err, NO_MEMORY, "no memory"), &err);
    show(call, &point, sheet);
    free(sheet);
    return EXIT_DONE;
}

static const Option options[] = { { 0 } };

const Command command_show = {
    .name = "show", .arguments = "METHOD|POINT", .option = options, .least = 1, .most = 1,
    .run = run, .summary = "all about a method: parameters, tensors, variants, cost, proofs",
    .details = "With a POINT: shapes and cost of that problem; with METHOD/VARIANT also the "
               "workspace that it takes and whether it runs here.",
};
