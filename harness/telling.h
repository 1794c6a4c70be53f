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

/* Judges, draws and reports; `into` is the folder that gets figures/ and report/. */
Status telling_open(Telling *t, const char *paper, const char *db_path, const char *machine,
                    const char *into, Err *err);
void   telling_close(Telling *t);

#endif
