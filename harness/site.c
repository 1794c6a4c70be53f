/* SPDX-License-Identifier: Apache-2.0 */
/* The front page, and what all pages of a site share. */
#include "site.h"
#include "file.h"
#include "verdicts.h"

#include <sys/stat.h>

enum { PATH_SIZE = 700 };

/* ---- opening -------------------------------------------------------------------------------- */

Status site_open(Site *site, const char *into, const char *db_path, Err *err)
{
    static const char *const folders[] = { "report", "method", "machine" };
    Status status = OK;
    *site = (Site){ .into = into };
    for (size_t i = 0; i < sizeof folders / sizeof *folders && !status; i++) {
        char folder[PATH_SIZE];
        snprintf(folder, sizeof folder, "%.600s/%s", into, folders[i]);
        status = folder_make(folder, err);
    }
    if (!status)
        status = draft_open(&site->tallies, err);
    if (!status)
        status = draft_open(&site->claims, err);
    if (!status)
        status = db_open(&site->db, db_path, DB_READ, err);
    if (status)
        site_close(site);
    return status;
}

void site_close(Site *site)
{
    draft_close(&site->tallies);
    draft_close(&site->claims);
    db_close(site->db);
    *site = (Site){ 0 };
}

Status site_page(const Site *site, Draft *draft, const char *title, const char *folder,
                 const char *name, FILE *told, Err *err)
{
    char stem[PATH_SIZE], heading[200];
    snprintf(stem, sizeof stem, "%.400s/%s%s%.200s", site->into, folder, *folder ? "/" : "", name);
    snprintf(heading, sizeof heading, "attest: %.180s", title);
    const Page page = {
        .title = heading,
        .footer = "Written by attest from its database; nothing here is typed by hand.",
        .root = *folder ? "../" : "",
        .filters = !*folder,
    };
    Status status = db_check(site->db, err);
    if (!status)
        status = draft_write(draft, &page, stem, err);
    if (!status)
        fprintf(told, "%s.html\n", stem);
    return status;
}

int site_tells(const char *into, const char *paper)
{
    char report[PATH_SIZE];
    struct stat found;
    snprintf(report, sizeof report, "%.500s/report/%.100s.html", into, paper);
    return name_is_plain(paper) && stat(report, &found) == 0;
}

/* ---- papers, with a column for each verdict that decides ------------------------------------- */

static void put_tally(FILE *out, const Telling *t)
{
    ClaimCounts found = { 0 };
    claims_add(&found, &t->judgements);
    fputs("| [", out);
    md_text(out, t->paper.title);
    fprintf(out, "](report/%s.html) |", t->paper.id);
    int rest = found.all;
    for (Verdict v = 0; v < UNDER_SPECIFIED; rest -= found.verdict[v++])
        if (found.verdict[v])
            fprintf(out, " [%d](report/%s.html#verdict=%s) |", found.verdict[v], t->paper.id,
                    verdict_name(v));
        else
            fputs(" |", out);
    fprintf(out, " %d |\n", rest);
}

void site_add(Site *site, const Telling *t)
{
    claims_add(&site->counts, &t->judgements);
    put_tally(site->tallies.out, t);
    site_claims(site->claims.out, t);
}

/* ---- the front page ------------------------------------------------------------------------- */

static void put_papers(FILE *out, Site *site)
{
    fputs("# What efficient-attention papers claim, and what we found\n\n"
          "Each method of the survey runs as a C kernel, is checked against a float64 reference "
          "and is measured in interleaved processes. Each claim of its paper is then judged on the "
          "stored rows: the whole interval against a band that was written down before the first "
          "result. A paper's page shows the verdicts, the figures with the published values beside "
          "ours, how and on what it was measured, and notes in English and Chinese.\n\n"
          "## Papers\n\n| paper |",
          out);
    for (Verdict v = 0; v < UNDER_SPECIFIED; v++) {
        fputs(" ", out);
        md_verdict(out, v);
        fputs(" |", out);
    }
    fputs(" not decided |\n|---|", out);
    fputs("---:|---:|---:|---:|---:|", out);
    fflush(site->tallies.out);
    fprintf(out, "\n%s\n## Every claim\n", site->tallies.text);
    md_filters(out, &site->counts);
    fflush(site->claims.out);
    fputs(site->claims.text, out);
}

Status site_index(Site *site, FILE *told, Err *err)
{
    Draft draft;
    Status status = draft_open(&draft, err);
    if (status)
        return status;
    put_papers(draft.out, site);
    site_list_methods(draft.out, site->db);
    site_list_machines(draft.out, site->db);
    status = site_list_guide(draft.out, site->into, err);
    if (!status)
        status = site_page(site, &draft, "what efficient-attention papers claim", "", "index",
                           told, err);
    draft_close(&draft);
    return status;
}
