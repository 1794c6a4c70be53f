/* SPDX-License-Identifier: Apache-2.0 */
/* What is claimed and what we found: the table of verdicts, then each claim in full. */
#include "report.h"
#include "markdown_parts.h"
#include "verdicts.h"

#include <math.h>
#include <string.h>

/* Whether rows or the paper's own numbers said anything. */
static int decided(const Judgement *j)
{
    return j->verdict == REPRODUCED || j->verdict == PARTLY || j->verdict == CONTRADICTED ||
           j->verdict == INCONCLUSIVE;
}

static void put_paper_value(FILE *out, const Claim *claim)
{
    md_text(out, claim->paper_value);
    if (strlen(claim->paper_unit) <= 16) {
        fputs(" ", out);
        md_text(out, claim->paper_unit);
    }
}

static void put_row(FILE *out, const Judgement *j)
{
    char ours[80], anchor[160];
    markdown_anchor(j->claim->id, anchor, sizeof anchor);
    fputs("| ", out);
    md_verdict(out, j->verdict);
    fputs(" | [", out);
    md_text(out, j->claim->id);
    fprintf(out, "](#%s) <small class=\"kind-%s\">%s</small> | ", anchor, j->claim->kind,
            j->claim->kind);
    md_text(out, j->claim->says);
    fputs(" <small>", out);
    md_text(out, j->reason);
    fputs("</small> | ", out);
    put_paper_value(out, j->claim);
    fprintf(out, " | %s |\n", verdict_value(j, ours, sizeof ours));
}

static void put_rows_of(FILE *out, const Report *r, int which)
{
    for (int i = 0; i < r->judgements->count; i++)
        if (decided(&r->judgements->item[i]) == which)
            put_row(out, &r->judgements->item[i]);
}

void report_claims(FILE *out, const Report *r)
{
    ClaimCounts found = { 0 };
    claims_add(&found, r->judgements);
    fputs("\n## What the paper claims, and what we found\n\n"
          "The whole 95 % interval in brackets is held against what was expected, which was "
          "written down before the first result: inside it is *reproduced*; in the same direction "
          "but wholly outside *partly*; wholly on the other side *contradicted*; across an edge "
          "*inconclusive*. A verdict about times must come out the same on the earlier and on the "
          "later half of the processes. What no row here can decide stands below, with the "
          "reason.\n",
          out);
    md_filters(out, &found);
    fputs("<div class=\"claims\">\n\n| verdict | claim | the paper says, and why this verdict | "
          "paper | here |\n|---|---|---|---:|---:|\n",
          out);
    put_rows_of(out, r, 1);
    put_rows_of(out, r, 0);
    fputs("\n</div>\n", out);
}

/* ---- one claim ------------------------------------------------------------------------------ */

static void put_fact(FILE *out, const char *name, const char *text)
{
    if (!*text)
        return;
    fprintf(out, "- *%s*: ", name);
    md_text(out, text);
    fputs("\n", out);
}

static void put_rows(FILE *out, const Report *r, const Judgement *j)
{
    fprintf(out,
            "\n<details><summary>%d point%s behind it, and how to measure one again</summary>\n\n"
            "| `attest bench` point | ms | 95 %% interval | processes | of the limit | error "
            "|\n|---|---:|---:|---:|---:|---:|\n",
            j->points, j->points == 1 ? "" : "s");
    for (int i = 0; i < j->points; i++) {
        Query *q = query_open(r->db,
                              "SELECT median_ns / 1e6, low_ns / 1e6, high_ns / 1e6, blocks, 100 * "
                              "fraction_of_limit, error_rel FROM v_time WHERE point = ?",
                              VALUES(val_text(j->point[i])));
        fputs("| ", out);
        md_code(out, j->point[i]);
        if (query_row(q)) {
            fprintf(out, " | %.4g | ", column_real(q, 0));
            if (column_type(q, 1) != VALUE_NULL)
                fprintf(out, "%.4g to %.4g", column_real(q, 1), column_real(q, 2));
            fprintf(out, " | %lld | ", (long long)column_integer(q, 3));
            if (column_type(q, 4) != VALUE_NULL)
                fprintf(out, "%.0f %%", column_real(q, 4));
            fputs(" | ", out);
            if (column_type(q, 5) != VALUE_NULL)
                fprintf(out, "%.1e", column_real(q, 5));
            fputs(" |\n", out);
        } else {
            fputs(" | | | | | |\n", out);
        }
        query_close(q);
    }
    fputs("\n</details>\n", out);
}

static void put_query(FILE *out, const Judgement *j)
{
    if (!*j->claim->evidence)
        return;
    fputs("\n<details><summary>the query that decides it</summary>\n\n", out);
    md_block(out, "sql", j->claim->evidence);
    fprintf(out, "\nSHA-256 of query, result and runs: `%s`\n\n</details>\n", j->rows_hash);
}

static void put_claim(FILE *out, const Report *r, const Judgement *j)
{
    const Claim *claim = j->claim;
    char ours[80], text[300];
    fputs("\n### ", out);
    md_text(out, claim->id);
    fputs("\n\n", out);
    md_verdict(out, j->verdict);
    fputs(" · ", out);
    md_text(out, claim->where);
    fputs(": ", out);
    md_text(out, claim->says);
    fputs(".\n\n", out);
    snprintf(text, sizeof text, "%s %s%s%s%s", claim->paper_value, claim->paper_unit,
             *claim->paper_setting ? " (" : "", claim->paper_setting,
             *claim->paper_setting ? ")" : "");
    put_fact(out, "paper", text);
    put_fact(out, "here", verdict_value(j, ours, sizeof ours));
    put_fact(out, "expected", j->expected);
    put_fact(out, "why this band", claim->band);
    put_fact(out, "verdict", j->reason);
    put_fact(out, "baseline", claim->baseline);
    put_fact(out, "protocol", claim->protocol);
    put_fact(out, "FLOPs", claim->flop_convention);
    put_fact(out, "what differs here", claim->substitution);
    if (*claim->experiment)
        fprintf(out, "- *again*: `attest run experiments/%s.yaml && attest claims %s`\n",
                claim->experiment, r->paper->id);
    if (j->points)
        put_rows(out, r, j);
    put_query(out, j);
}

void report_details(FILE *out, const Report *r)
{
    fprintf(out,
            "\n## Claim by claim\n\nEverything again, from the first block to this page: `make "
            "reproduce-%s`, or `attest reproduce %s --profile quick`.\n",
            r->paper->id, r->paper->id);
    for (int i = 0; i < r->judgements->count; i++)
        put_claim(out, r, &r->judgements->item[i]);
}
