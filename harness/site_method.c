/* SPDX-License-Identifier: Apache-2.0 */
/* A page a method: everything that its descriptors say, and how close to the limit each variant was
 * measured. A new method's page is there by the method being there. */
#include "describe.h"
#include "site.h"

#include "../kernels/core/problem.h"

#include <string.h>

enum { WORDS = 200 };

/* ---- what the descriptors say --------------------------------------------------------------- */

static void put_title(FILE *out, const Method *m, const char *into)
{
    fprintf(out, "# %s\n\n`%s` · source: `kernels/%s/`, a file a variant", m->title, m->name,
            m->name);
    if (site_tells(into, m->paper))
        fprintf(out, " · [verdicts and notes](../report/%s.html)", m->paper);
    fputs("\n\n", out);
    md_text(out, m->summary);
    fputs(" FLOPs: ", out);
    md_text(out, m->flop_convention);
    fputs(".\n", out);
}

static void put_variants(FILE *out, const Method *m)
{
    char passes[WORDS], dtypes[WORDS], here[WORDS], not_here[WORDS];
    fputs("\n## Variants\n\n"
          "| variant | what it does | passes | dtypes | runs here on | not here |\n"
          "|---|---|---|---|---|---|\n", out);
    for (int k = 0; variants[k]; k++) {
        const Variant *v = variants[k];
        if (strcmp(v->method, m->name) != 0 || !variant_is_first(k))
            continue;
        fprintf(out, "| `%s`%s | ", v->name, strcmp(v->name, m->usual) == 0 ? " (usual)" : "");
        md_text(out, v->note ? v->note : "");
        fprintf(out, " | %s | %s | %s | %s |\n", describe_passes(v->passes, passes, sizeof passes),
                describe_dtypes(variant_dtypes(v), dtypes, sizeof dtypes),
                describe_isas(v, 1, here, sizeof here),
                describe_isas(v, 0, not_here, sizeof not_here));
    }
}

static void put_ports(FILE *out, const Method *m)
{
    char passes[WORDS];
    fputs("\n## Tensors\n\n| name | shape | role | kind | passes | meaning |\n|---|---|---|---|---|"
          "---|\n", out);
    for (const Port *port = m->port; port->name; port++) {
        fprintf(out, "| `%s` | `%s` | %s | %s | %s | ", port->name, port->shape,
                describe_role(port->role), describe_kind(port->kind),
                describe_passes(port->passes, passes, sizeof passes));
        md_text(out, port->help ? port->help : "");
        if (port->when)
            fprintf(out, "; only with `%s`", port->when);
        fputs(" |\n", out);
    }
}

static void put_params(FILE *out, const Method *m)
{
    char fallback[WORDS];
    fputs("\n## Parameters\n\n| name | default | from | to | meaning |\n|---|---:|---:|---:|---|\n",
          out);
    for (const Param *param = m->param; param->name; param++) {
        fprintf(out, "| `%s` | %s | %lld | %lld | ", param->name,
                describe_default(param, fallback, sizeof fallback), (long long)param->low,
                (long long)param->high);
        md_text(out, param->help);
        fputs(" |\n", out);
    }
}

static void put_proof(FILE *out, const Method *m)
{
    const Tolerance *t = &m->tolerance;
    char passes[WORDS];
    int cases = 0;
    while (m->cases && m->cases[cases])
        cases++;
    fprintf(out, "\n## How it is checked\n\n"
            "- Every variant, instruction set, dtype and pass on %d awkward problems against "
            "float64. Largest error allowed, relative to the largest result: f32 %.0e forward and "
            "%.0e backward, bf16 %.0e and %.0e.\n",
            cases, t->f32_fwd, t->f32_bwd, t->bf16_fwd, t->bf16_bwd);
    for (const Golden *g = m->golden; g && g->name; g++)
        fprintf(out, "- The float64 reference against golden files of `%s` (%s).\n", g->name,
                describe_passes(g->passes, passes, sizeof passes));
    for (const Law *law = m->law; law && law->name; law++) {
        fprintf(out, "- A law, %s: ", pass_name(law->pass));
        md_text(out, law->says);
        fputs(".\n", out);
    }
    fprintf(out, "\n```\nattest check '%s*'\nattest show %s\nattest bench %s\n```\n", m->name,
            m->name, m->name);
}

/* ---- what was measured ---------------------------------------------------------------------- */

static void put_share_heading(FILE *out, const char *machine)
{
    fputs("\n**", out);
    md_text(out, machine);
    fputs("**\n\n| variant | instructions | dtype | pass | threads | points | share of the limit | "
          "GFLOP/s | where |\n|---|---|---|---|---:|---:|---:|---:|---|\n", out);
}

static void put_share_row(FILE *out, const Query *q)
{
    const double percent = column_real(q, 6);
    const char *point = column_text(q, 9), *problem = strchr(point, ':');
    fprintf(out, "| `%s` | %s | %s | %s | %lld | %lld | <meter max=\"100\" value=\"%.0f\">"
                 "</meter> %.0f %% | %.4g | ",
            column_text(q, 1), column_text(q, 2), column_text(q, 3), column_text(q, 4),
            (long long)column_integer(q, 5), (long long)column_integer(q, 8), percent, percent,
            column_real(q, 7));
    md_code(out, problem ? problem + 1 : point);
    fputs(" |\n", out);
}

static void put_shares(FILE *out, Db *db, const Method *m)
{
    char machine[WORDS] = "";
    /* Of the group's rows, SQLite gives the point from the one that has the maximum. */
    Query *q = query_open(db,
                          "SELECT machine, variant, isa, dtype, pass, threads, "
                          "100 * max(fraction_of_limit), gflops, count(*), point "
                          "FROM v_time WHERE method = ? AND fraction_of_limit IS NOT NULL "
                          "GROUP BY machine, variant, isa, dtype, pass, threads "
                          "ORDER BY machine, instr('fwd bwd step', pass), variant, dtype, threads, "
                          "max(fraction_of_limit) DESC",
                          VALUES(val_text(m->name)));
    fputs("\n## How close to the limit\n\n"
          "The limit of a point is what its useful FLOPs take at the measured peak, or its least "
          "bytes at the measured bandwidth, whichever is longer. A row tells of its best point.\n",
          out);
    while (query_row(q)) {
        if (strcmp(machine, column_text(q, 0)) != 0)
            put_share_heading(out, column_text(q, 0));
        snprintf(machine, sizeof machine, "%s", column_text(q, 0));
        put_share_row(out, q);
    }
    query_close(q);
    if (!*machine)
        fprintf(out, "\nNothing has been measured yet: `attest bench %s` does it.\n", m->name);
}

/* ---- pages ---------------------------------------------------------------------------------- */

static Status write_method(const Site *site, const Method *m, FILE *told, Err *err)
{
    Draft draft;
    Status status = draft_open(&draft, err);
    if (status)
        return status;
    put_title(draft.out, m, site->into);
    put_variants(draft.out, m);
    put_shares(draft.out, site->db, m);
    put_ports(draft.out, m);
    put_params(draft.out, m);
    put_proof(draft.out, m);
    status = site_page(site, &draft, m->title, "method", m->name, told, err);
    draft_close(&draft);
    return status;
}

Status site_methods(const Site *site, FILE *told, Err *err)
{
    Status status = OK;
    for (int i = 0; methods[i] && !status; i++)
        status = write_method(site, methods[i], told, err);
    return status;
}

void site_list_methods(FILE *out, Db *db)
{
    char names[WORDS], passes[WORDS];
    fputs("\n## Methods\n\n| method | passes | variants | points measured | best share of its "
          "limit |\n|---|---|---|---:|---:|\n", out);
    for (int i = 0; methods[i]; i++) {
        const Method *m = methods[i];
        fprintf(out, "| [%s](method/%s.html) | %s | %s |", m->title, m->name,
                describe_passes(method_passes(m), passes, sizeof passes),
                describe_variants(m, names, sizeof names));
        Query *q = query_open(db, "SELECT count(*), 100 * max(fraction_of_limit) FROM v_time "
                                  "WHERE method = ?", VALUES(val_text(m->name)));
        if (query_row(q) && column_type(q, 1) != VALUE_NULL)
            fprintf(out, " %lld | %.0f %% |\n", (long long)column_integer(q, 0), column_real(q, 1));
        else
            fputs(" 0 | |\n", out);
        query_close(q);
    }
}
