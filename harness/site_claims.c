/* SPDX-License-Identifier: Apache-2.0 */
/* All claims of a paper at a glance, each a link to its place in the report; and the guide, whose
 * entries are the papers to come. */
#include "home.h"
#include "site.h"
#include "verdicts.h"

#include <string.h>

/* ---- papers × claims ------------------------------------------------------------------------ */

/* A link with what is claimed as its tip. It holds no line's end, which would end the row. */
static void put_claim(FILE *out, const Telling *t, const Judgement *j)
{
    char anchor[160];
    markdown_anchor(j->claim->id, anchor, sizeof anchor);
    fprintf(out, " <span class=\"claim %s kind-%s\" title=\"", verdict_name(j->verdict),
            j->claim->kind);
    md_attribute(out, j->claim->says);
    fprintf(out, "\">%s [", verdict_sign(j->verdict));
    md_text(out, j->claim->id);
    fprintf(out, "](report/%s.html#%s)</span>", t->paper.id, anchor);
}

static void put_cell(FILE *out, const Telling *t, Verdict verdict, const char *kind)
{
    for (int i = 0; i < t->judgements.count; i++) {
        const Judgement *j = &t->judgements.item[i];
        if (j->verdict == verdict && strcmp(j->claim->kind, kind) == 0)
            put_claim(out, t, j);
    }
}

static void put_verdict_row(FILE *out, const Telling *t, Verdict verdict)
{
    fputs("| ", out);
    md_verdict(out, verdict);
    fputs(" |", out);
    for (int k = 0; k < CLAIM_KINDS; k++) {
        put_cell(out, t, verdict, claim_kinds[k]);
        fputs(" |", out);
    }
    fputs("\n", out);
}

void site_claims(FILE *out, const Telling *t)
{
    ClaimCounts found = { 0 };
    claims_add(&found, &t->judgements);
    fputs("\n### ", out);
    md_text(out, t->paper.title);
    fputs("\n\n<div class=\"matrix\">\n\n| |", out);
    for (int k = 0; k < CLAIM_KINDS; k++)
        fprintf(out, " %s |", claim_kinds[k]);
    fputs("\n|---|---|---|---|---|\n", out);
    for (Verdict v = 0; v < VERDICTS; v++)
        if (found.verdict[v])
            put_verdict_row(out, t, v);
    fputs("\n</div>\n", out);
}

/* ---- the guide ------------------------------------------------------------------------------ */

static void put_entry(FILE *out, const Node *entry, const char *into)
{
    const char *paper = node_text(entry, "paper", ""), *arxiv = node_text(entry, "arxiv", "");
    fputs("| ", out);
    md_text(out, node_text(entry, "section", ""));
    fputs(" | ", out);
    md_text(out, node_text(entry, "title", ""));
    if (*arxiv) {
        fputs(" (", out);
        md_arxiv(out, "", arxiv);
        fputs(")", out);
    }
    fputs(" | ", out);
    md_text(out, node_text(entry, "wrong", ""));
    if (site_tells(into, paper))
        fprintf(out, " | [verdicts and notes](report/%s.html) |\n", paper);
    else
        fputs(" | planned |\n", out);
}

Status site_list_guide(FILE *out, const char *into, Err *err)
{
    Tree *tree = NULL;
    char guide[HOME_PATH];
    home_path(guide, "papers/guide.yaml");
    const Status status = tree_open_yaml(&tree, guide, err);
    if (status)
        return status;
    const Node *entries = node_get(tree_root(tree), "entries");
    fputs("\n## The guide's entries\n\n"
          "| section | the record | what is wrong with the entry | here |\n|---|---|---|---|\n",
          out);
    for (int i = 0; entries && entries->kind == NODE_LIST && i < entries->count; i++)
        put_entry(out, entries->item[i], into);
    tree_close(tree);
    return OK;
}
