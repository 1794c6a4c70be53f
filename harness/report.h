/* SPDX-License-Identifier: Apache-2.0 */
/* The report of a paper, written once as Markdown and turned into a page that loads nothing:
 *
 *   INTO/report/PAPER.md, PAPER.html   and in INTO/report/PAPER/ the drawings of its notes
 *
 * What the paper claims and what we found, figures with their rows as tables, how and on what it
 * was measured, each claim in full with the commands that repeat its rows, errata, the notes in
 * English and in Chinese. No number in it is typed by hand: they come from the database and from
 * papers/. */
#ifndef REPORT_H
#define REPORT_H

#include "figures.h"
#include "judge.h"

typedef struct {
    const Paper      *paper;
    const Judgements *judgements;
    const Figures    *figures;    /* drawn */
    Db               *db;         /* for reading, one machine's views */
    const char       *into;       /* "results" */
    int               in_site;    /* 1: links to the other pages of the site that INTO becomes */
} Report;

/* Paths come back as given to the caller's buffers, `size` bytes each. */
Status report_write(const Report *report, char *markdown_path, char *html_path, size_t size,
                    Err *err);

/* ---- parts, each a function of what it shows (report_*.c)
 * ------------------------------------------ */

void report_claims(FILE *out, const Report *r);       /* the table of verdicts */
void report_figures(FILE *out, const Report *r);
void report_measuring(FILE *out, const Report *r);    /* protocol, machine, what was measured */
void report_machine(FILE *out, Db *db);               /* of the one machine that `db` shows */
void report_details(FILE *out, const Report *r);      /* claim by claim, with the rows behind */
void report_record(FILE *out, const Report *r);       /* errata, what is left out, links */
Status report_notes(FILE *out, const Report *r, const char *file,
                    Err *err); /* notes.md, headings one level lower */

#endif
