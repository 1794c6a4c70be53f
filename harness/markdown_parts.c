/* SPDX-License-Identifier: Apache-2.0 */
#include "markdown_parts.h"
#include "verdicts.h"

#include <string.h>

/* ---- verdicts ------------------------------------------------------------------------------ */

void md_verdict(FILE *out, Verdict verdict)
{
    fprintf(out, "<span class=\"verdict %s\">%s %s</span>", verdict_name(verdict),
            verdict_sign(verdict), verdict_name(verdict));
}

/* ---- tables --------------------------------------------------------------------------------- */

static void put_heading(FILE *out, const Query *q, const char *heading)
{
    fprintf(out, "\n**%s**\n\n|", heading);
    for (int i = 0; i < query_columns(q); i++)
        fprintf(out, " %s |", query_name(q, i));
    fputs("\n|", out);
    for (int i = 0; i < query_columns(q); i++) {
        const ValueType type = column_type(q, i);
        fputs(type == VALUE_REAL || type == VALUE_INTEGER ? "---:|" : "---|", out);
    }
    fputs("\n", out);
}

static void put_row(FILE *out, const Query *q)
{
    fputs("|", out);
    for (int i = 0; i < query_columns(q); i++) {
        fputs(" ", out);
        if (column_type(q, i) == VALUE_REAL)
            fprintf(out, "%.4g", column_real(q, i));
        else
            md_text(out, column_text(q, i));
        fputs(" |", out);
    }
    fputs("\n", out);
}

void md_table(FILE *out, Db *db, const char *heading, const char *sql)
{
    int rows = 0;
    Query *q = query_open(db, sql, NO_VALUES);
    while (query_row(q)) {
        if (rows++ == 0)
            put_heading(out, q, heading);
        put_row(out, q);
    }
    query_close(q);
}

/* ---- filters -------------------------------------------------------------------------------- */

void claims_add(ClaimCounts *found, const Judgements *judgements)
{
    for (int i = 0; i < judgements->count; i++) {
        const Judgement *j = &judgements->item[i];
        found->all++;
        found->verdict[j->verdict]++;
        for (int k = 0; k < CLAIM_KINDS; k++)
            found->kind[k] += strcmp(j->claim->kind, claim_kinds[k]) == 0;
    }
}

/* One block of HTML, which an empty line would end. */
void md_filters(FILE *out, const ClaimCounts *found)
{
    fprintf(out, "\n<div class=\"filters\">\n<a id=\"verdict=all\" href=\"#verdict=all\">all "
                 "<b>%d</b></a>\n", found->all);
    for (Verdict v = 0; v < VERDICTS; v++)
        if (found->verdict[v])
            fprintf(out, "<a class=\"verdict %s\" id=\"verdict=%s\" href=\"#verdict=%s\">%s %s "
                         "<b>%d</b></a>\n", verdict_name(v), verdict_name(v), verdict_name(v),
                    verdict_sign(v), verdict_name(v), found->verdict[v]);
    fputs("<span>by kind</span>\n", out);
    for (int k = 0; k < CLAIM_KINDS; k++)
        if (found->kind[k])
            fprintf(out, "<a id=\"kind=%s\" href=\"#kind=%s\">%s <b>%d</b></a>\n", claim_kinds[k],
                    claim_kinds[k], claim_kinds[k], found->kind[k]);
    fputs("</div>\n\n", out);
}
