/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a report, and its two files. */
#include "report.h"
#include "build_info.h"
#include "file.h"
#include "markdown.h"
#include "verdicts.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

void md_verdict(FILE *out, Verdict verdict)
{
    fprintf(out, "<span class=\"verdict %s\">%s %s</span>", verdict_name(verdict),
            verdict_sign(verdict), verdict_name(verdict));
}

/* ---- the order ------------------------------------------------------------------------------ */

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
    fprintf(out, " Written %s by attest %.12s%s.\n\n", date, build_commit,
            build_dirty ? " with changes" : "");
    fputs("[Verdicts](#what-the-paper-claims-and-what-we-found) · [Figures](#figures) · [How it "
          "was measured](#how-it-was-measured) · "
          "[Claim by claim](#claim-by-claim) · [Errata](#errata-and-what-is-left-out) · "
          "[Notes](#notes) · [中文说明](#中文说明)\n\n",
          out);
}

static Status put_notes(FILE *out, const Report *r, Err *err)
{
    fputs("\n## Notes\n\n<section lang=\"en\">\n\n", out);
    Status status = report_notes(out, r, "notes.md", err);
    fputs("\n\n</section>\n\n## 中文说明\n\n<section lang=\"zh\">\n\n", out);
    if (!status)
        status = report_notes(out, r, "notes.zh.md", err);
    fputs("\n\n</section>\n", out);
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

static Status write_page(const Report *r, const char *path, const char *text, size_t size, Err *err)
{
    char title[300], *html = NULL;
    size_t html_size = 0;
    FILE *out = open_memstream(&html, &html_size);
    if (!out)
        return fail(err, NO_MEMORY, "no memory for a page");
    snprintf(title, sizeof title, "%.240s: what we found", r->paper->title);
    page_open(out, &(Page){ .title = title, .language = "en" });
    Status status = markdown_to_html(out, text, size, err);
    page_close(out, "Written by attest from its database. Every number here can be recomputed: the "
                    "queries stand beside the figures and the claims.");
    fclose(out);
    const Status written = file_write(path, html, html_size, status ? NULL : err);
    free(html);
    return status ? status : written;
}

Status report_write(const Report *r, char *markdown_path, char *html_path, size_t size, Err *err)
{
    char folder[600], *text = NULL;
    size_t length = 0;
    snprintf(folder, sizeof folder, "%.400s/report/%s", r->into, r->paper->id);
    snprintf(markdown_path, size, "%s.md", folder);
    snprintf(html_path, size, "%s.html", folder);
    Status status = folder_make(folder, err);
    if (status)
        return status;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return fail(err, NO_MEMORY, "no memory for a report");
    status = put_report(out, r, err);
    fclose(out);
    if (!status)
        status = file_write(markdown_path, text, length, err);
    if (!status)
        status = write_page(r, html_path, text, length, err);
    free(text);
    return status;
}
