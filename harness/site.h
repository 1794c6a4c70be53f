/* SPDX-License-Identifier: Apache-2.0 */
/* One static folder that is opened as it is, from a disk or a server:
 *
 *   INTO/index.html          papers × verdicts, every claim, methods, machines, the guide's entries
 *   INTO/report/PAPER.html   by report.h
 *   INTO/method/NAME.html    what the descriptor says, and how close to the limit it was measured
 *   INTO/machine/NAME.html   what it is, what it can do, how quiet it is, what it lacks
 *
 * each beside the Markdown that it was made of. No number in it is typed by hand. */
#ifndef SITE_H
#define SITE_H

#include "markdown_parts.h"
#include "page.h"
#include "telling.h"

#include "../kernels/core/method.h"

typedef struct {
    const char *into;
    Db         *db;              /* for reading, all machines */
    Draft       tallies, claims; /* parts of the front page, in the making as papers are told */
    ClaimCounts counts;
} Site;

/* Makes the folders. The file of the database must be there. */
Status site_open(Site *site, const char *into, const char *db_path, Err *err);
void   site_close(Site *site);

/* Adds a paper that was just told. */
void   site_add(Site *site, const Telling *t);
/* Writes method/ and machine/, each path told one a line to `told`. */
Status site_methods(const Site *site, FILE *told, Err *err);
Status site_machines(const Site *site, FILE *told, Err *err);
/* Writes index.md and index.html, once everything else is there. */
Status site_index(Site *site, FILE *told, Err *err);

/* ---- parts (site_*.c) ------------------------------------------------------------------------ */

/* INTO/FOLDER/NAME.md and .html. */
Status site_page(const Site *site, Draft *draft, const char *title, const char *folder,
                 const char *name, FILE *told, Err *err);
/* The claims of a paper: a row a verdict, a column a kind. */
void   site_claims(FILE *out, const Telling *t);
/* Whether the site has a report of this paper. */
int    site_tells(const char *into, const char *paper);
/* Tables for the front page, under their headings. */
void   site_list_methods(FILE *out, Db *db);
void   site_list_machines(FILE *out, Db *db);
Status site_list_guide(FILE *out, const char *into, Err *err);

#endif
