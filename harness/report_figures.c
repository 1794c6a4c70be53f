/* SPDX-License-Identifier: Apache-2.0 */
/* Each figure with the claims that it bears on, its rows as a table and its query. */
#include "report.h"
#include "markdown_parts.h"
#include "verdicts.h"

#include <string.h>

/* The claims that read the same experiment. */
static void put_claims(FILE *out, const Report *r, const Figure *f)
{
    int count = 0;
    for (int i = 0; i < r->judgements->count; i++) {
        const Judgement *j = &r->judgements->item[i];
        char anchor[160];
        if (strcmp(j->claim->experiment, f->experiment) != 0)
            continue;
        markdown_anchor(j->claim->id, anchor, sizeof anchor);
        fprintf(out, "%s<span class=\"verdict %s\">%s</span>&nbsp;[",
                count++ ? ", " : "Bears on ", verdict_name(j->verdict), verdict_sign(j->verdict));
        md_text(out, j->claim->id);
        fprintf(out, "](#%s)", anchor);
    }
    fputs(count ? ".\n\n" : "", out);
}

static void put_figure(FILE *out, const Report *r, const Figure *f)
{
    char anchor[160];
    markdown_anchor(*f->note ? f->note : "Notes", anchor, sizeof anchor);
    fputs("\n### ", out);
    md_text(out, f->title);
    fputs("\n\n[![", out);
    md_text(out, f->title);
    fprintf(out, "](../figures/%s/%s.svg)](../figures/%s/%s.svg)\n\n", r->paper->id, f->name,
            r->paper->id, f->name);
    put_claims(out, r, f);
    fprintf(out,
            "[Explained in the notes](#%s) · [gnuplot source](../figures/%s/%s.gp) · "
            "[PNG](../figures/%s/%s.png)\n",
            anchor, r->paper->id, f->name, r->paper->id, f->name);
    if (f->published_setting) {
        fputs("\nPublished values stand as printed, not rescaled: ", out);
        md_text(out, f->published_setting);
        fputs(".\n", out);
    }
    fputs("\n<details><summary>the same as a table</summary>\n\n", out);
    figure_table(out, f);
    fputs("\n</details>\n\n<details><summary>the query</summary>\n\n", out);
    md_block(out, "sql", f->query);
    if (*f->paper_query) {
        fputs("\nPublished values:\n\n", out);
        md_block(out, "sql", f->paper_query);
    }
    fprintf(out, "\nSHA-256 of its %d rows: `%s`\n\n</details>\n", f->rows, f->rows_hash);
}

void report_figures(FILE *out, const Report *r)
{
    fputs("\n## Figures\n", out);
    if (r->figures->count == 0)
        fprintf(out, "\nNothing has been measured yet: `attest reproduce %s` does it.\n",
                r->paper->id);
    for (int i = 0; i < r->figures->count; i++)
        put_figure(out, r, &r->figures->item[i]);
    if (r->figures->count && r->figures->empty)
        fprintf(out, "\n%d more figures wait for their rows.\n", r->figures->empty);
}
