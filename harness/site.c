/* SPDX-License-Identifier: Apache-2.0 */
/* Written as Markdown and converted like a report, so that both look and read alike. */
#include "site.h"
#include "file.h"
#include "home.h"
#include "markdown.h"
#include "verdicts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

Status site_open(Site *site, Err *err)
{
    *site = (Site){ 0 };
    site->out = open_memstream(&site->text, &site->size);
    if (!site->out)
        return fail(err, NO_MEMORY, "no memory for a front page");
    fputs("| paper | reproduced | partly | contradicted | inconclusive | not decided | figures |\n"
          "|---|---:|---:|---:|---:|---:|---:|\n", site->out);
    return OK;
}

void site_add(Site *site, const Telling *t)
{
    int count[VERDICTS] = { 0 };
    for (int i = 0; i < t->judgements.count; i++)
        count[t->judgements.item[i].verdict]++;
    fputs("| [", site->out);
    md_text(site->out, t->paper.title);
    fprintf(site->out, "](report/%s.html) | %d | %d | %d | %d | %d | %d |\n", t->paper.id,
            count[REPRODUCED], count[PARTLY], count[CONTRADICTED], count[INCONCLUSIVE],
            count[UNDER_SPECIFIED] + count[NOT_TESTABLE] + count[NOT_YET_MEASURED],
            t->figures.count);
}

/* ---- the guide ------------------------------------------------------------------------------ */

static void put_entry(FILE *out, const Node *entry, const char *into)
{
    const char *paper = node_text(entry, "paper", ""), *arxiv = node_text(entry, "arxiv", "");
    char report[700];
    struct stat found;
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
    snprintf(report, sizeof report, "%.500s/report/%.100s.html", into, paper);
    if (name_is_plain(paper) && stat(report, &found) == 0)
        fprintf(out, " | [verdicts and notes](report/%s.html) |\n", paper);
    else
        fputs(" | planned |\n", out);
}

static Status put_guide(FILE *out, const char *into, Err *err)
{
    Tree *tree = NULL;
    char guide[HOME_PATH];
    home_path(guide, "papers/guide.yaml");
    const Status status = tree_open_yaml(&tree, guide, err);
    if (status)
        return status;
    const Node *entries = node_get(tree_root(tree), "entries");
    fputs("\n## The guide's entries\n\n| section | the record | what is wrong with the entry | "
          "here |\n"
          "|---|---|---|---|\n",
          out);
    for (int i = 0; entries && entries->kind == NODE_LIST && i < entries->count; i++)
        put_entry(out, entries->item[i], into);
    tree_close(tree);
    return OK;
}

/* ---- the page
 * --------------------------------------------------------------------------------- */

static Status put_page(FILE *out, const Site *site, const char *into, Err *err)
{
    fputs("# What efficient-attention papers claim, and what we found\n\n"
          "Each method of the survey runs as a C kernel, is checked against a float64 reference "
          "and is "
          "measured in interleaved processes. Each claim of its paper is then judged on the stored "
          "rows: the whole interval against a band that was written down before the first result. "
          "A report shows the verdicts, the figures with the published values beside ours, how and "
          "on what it was measured, and notes in English and Chinese.\n\n",
          out);
    fputs(site->text, out);
    return put_guide(out, into, err);
}

static Status convert(FILE *out, const char *text, size_t size, Err *err)
{
    page_open(
        out, &(Page){ .title = "attest: what efficient-attention papers claim", .language = "en" });
    const Status status = markdown_to_html(out, text, size, err);
    page_close(out, "Written by attest from its database; nothing here is typed by hand.");
    return status;
}

Status site_write(Site *site, const char *into, char *path, size_t size, Err *err)
{
    char *text = NULL, *html = NULL;
    size_t text_size = 0, html_size = 0;
    fflush(site->out);
    FILE *out = open_memstream(&text, &text_size), *page = open_memstream(&html, &html_size);
    Status status = out && page ? OK : fail(err, NO_MEMORY, "no memory for a front page");
    if (!status)
        status = put_page(out, site, into, err);
    if (out)
        fclose(out);
    if (!status)
        status = convert(page, text, text_size, err);
    if (page)
        fclose(page);
    snprintf(path, size, "%s/index.md", into);
    if (!status)
        status = file_write(path, text, text_size, err);
    snprintf(path, size, "%s/index.html", into);
    if (!status)
        status = file_write(path, html, html_size, err);
    free(text);
    free(html);
    return status;
}

void site_close(Site *site)
{
    if (site->out)
        fclose(site->out);
    free(site->text);
    *site = (Site){ 0 };
}
