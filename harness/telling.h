/* SPDX-License-Identifier: Apache-2.0 */
/* From stored rows to verdicts, figures and a report: what `report` and `reproduce` do for a
 * paper. */
#ifndef TELLING_H
#define TELLING_H

#include "report.h"

typedef struct {
    Paper      paper;
    Judgements judgements;
    Figures    figures;
    char       markdown[700], html[700];   /* paths of the report */
} Telling;

typedef struct {
    const char *db_path, *machine;   /* machine: an alias, or NULL for judge_machine()'s choice */
    const char *into;                /* the folder that gets figures/ and report/ */
    int         in_site;             /* 1: it becomes a site */
} TellingOf;

/* Judges, draws and reports. */
Status telling_open(Telling *t, const char *paper, const TellingOf *of, Err *err);
void   telling_close(Telling *t);

#endif
