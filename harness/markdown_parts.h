/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that reports and sites are made of, in Markdown. */
#ifndef MARKDOWN_PARTS_H
#define MARKDOWN_PARTS_H

#include "db.h"
#include "judge.h"
#include "markdown.h"

#include <stdio.h>

void md_verdict(FILE *out, Verdict verdict);
/* A table of a query's rows under a bold heading; nothing at all where there are none. */
void md_table(FILE *out, Db *db, const char *heading, const char *sql);

/* ---- claims that can be filtered ------------------------------------------------------------ */

typedef struct { int all, verdict[VERDICTS], kind[CLAIM_KINDS]; } ClaimCounts;

void claims_add(ClaimCounts *found, const Judgements *judgements);
/* A line of links, each with how many there are. They work on what is below: claims of class
 * `claim` within `matrix`, rows of a table within `claims`, both marked by their verdict and by
 * kind-KIND. */
void md_filters(FILE *out, const ClaimCounts *found);

#endif
