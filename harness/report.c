/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a report, and its two files. */
#include "report.h"
#include "build_info.h"
#include "file.h"
#include "markdown_parts.h"
#include "page.h"
#include "verdicts.h"

#include "../kernels/core/method.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the order ------------------------------------------------------------------------------ */

static void put_methods(FILE *out, const Paper *paper)
{
    int count = 0;
    for (int i = 0; methods[i]; i++)
        if (strcmp(methods[i]->paper, paper->id) == 0)
            fprintf(out, "%s[%s](../method/%s.html)", count++ ? " · " : "Kernels: ",
                    methods[i]->title, methods[i]->name);
    fputs(count ? "\n\n" : "", out);
}

static void put_title(FILE *out, const Report *r)
{
    const Paper *paper = r->paper;
    char tally[300], date[40];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &utc));
    fputs("# ", out);
    md_text(out, paper->title);
    fputs("\n\n", out);
    md_text(out, paper->venue);
    fputs(*paper->venue && *paper->arxiv ? " · " : "", out);
    if (*paper->arxiv)
        md_arxiv(out, "arXiv ", paper->arxiv);
    fprintf(out, "\n\n**%d claims: %s.**", r->judgements->count,
            verdicts_tally(r->judgements, tally, sizeof tally));
    if (*r->judgements->machine_alias) {
        fputs(" Measured on ", out);
        md_text(out, r->judgements->machine_alias);
        fputs(".", out);
    }
    fprintf(out, " Written %s by attest %.12s%s. All of it again: `make reproduce-%s`.\n\n", date,
            build_commit, build_dirty ? " with changes" : "", paper->id);
    if (r->in_site)
        put_methods(out, paper);
    fputs("[Verdicts](#what-the-paper-claims-and-what-we-found) · [Figures](#figures) · [How it "
          "was measured](#how-it-was-measured) · "
          "[Claim by claim](#claim-by-claim) · [Errata](#errata-and-what-is-left-out) · "
          "[Notes](#notes) · [中文说明](#中文说明)\n\n",
          out);
}

/* The style sheet shows one language: English, unless something of the other is linked to. */
static Status put_notes(FILE *out, const Report *r, Err *err)
{
    fputs("\n<div class=\"notes\">\n<p class=\"languages\"><a lang=\"en\" href=\"#notes\">"
          "English</a> <a lang=\"zh\" href=\"#中文说明\">中文</a></p>\n\n"
          "<section lang=\"en\">\n\n## Notes\n\n",
          out);
    Status status = report_notes(out, r, "notes.md", err);
    fputs("\n\n</section>\n\n<section lang=\"zh\">\n\n## 中文说明\n\n", out);
    if (!status)
        status = report_notes(out, r, "notes.zh.md", err);
    fputs("\n\n</section>\n\n</div>\n", out);
    return status;
}

static Status put_report(FILE *out, const Report *r, Err *err)
{
    put_title(out, r);
    report_claims(out, r);
    report_figures(out, r);
    report_measuring(out, r);
    report_details(out, r);
    report_record(out, r);
    const Status status = put_notes(out, r, err);
    return status ? status : db_check(r->db, err);
}

/* ---- the files ------------------------------------------------------------------------------ */

static Status write_pages(Draft *draft, const Report *r, const char *stem, Err *err)
{
    char title[300];
    snprintf(title, sizeof title, "%.240s: what we found", r->paper->title);
    const Page page = {
        .title = title,
        .footer = "Written by attest from its database. Every number here can be recomputed: the "
                  "queries stand beside the figures and the claims.",
        .root = r->in_site ? "../" : NULL,
        .filters = 1,
    };
    const Status status = put_report(draft->out, r, err);
    return status ? status : draft_write(draft, &page, stem, err);
}

Status report_write(const Report *r, char *markdown_path, char *html_path, size_t size, Err *err)
{
    char folder[600];
    Draft draft;
    snprintf(folder, sizeof folder, "%.400s/report/%s", r->into, r->paper->id);
    snprintf(markdown_path, size, "%s.md", folder);
    snprintf(html_path, size, "%s.html", folder);
    Status status = folder_make(folder, err);
    if (!status)
        status = draft_open(&draft, err);
    if (status)
        return status;
    status = write_pages(&draft, r, folder, err);
    draft_close(&draft);
    return status;
}
