/* SPDX-License-Identifier: Apache-2.0 */
#include "telling.h"
#include "verdicts.h"

static Status write_report(Telling *t, const char *db_path, const char *into, Err *err)
{
    Report report = {
        .paper = &t->paper, .judgements = &t->judgements, .figures = &t->figures, .into = into
    };
    Status status = db_open(&report.db, db_path, DB_READ, err);
    if (!status && t->judgements.machine)
        status = db_only_machine(report.db, t->judgements.machine, err);
    if (!status)
        status = report_write(&report, t->markdown, t->html, sizeof t->markdown, err);
    db_close(report.db);
    return status;
}

Status telling_open(Telling *t, const char *paper, const char *db_path, const char *machine,
                    const char *into, Err *err)
{
    *t = (Telling){ 0 };
    Status status = paper_open(&t->paper, paper, err);
    if (!status)
        status = verdicts_give(&t->judgements, &t->paper, db_path, machine, err);
    if (!status)
        status = figures_open(&t->figures, &t->paper, db_path, t->judgements.machine, err);
    if (!status)
        status = figures_draw(&t->figures, &t->paper, db_path, into, err);
    if (!status)
        status = write_report(t, db_path, into, err);
    if (status)
        telling_close(t);
    return status;
}

void telling_close(Telling *t)
{
    figures_close(&t->figures);
    judgements_free(&t->judgements);
    paper_close(&t->paper);
}
