/* SPDX-License-Identifier: Apache-2.0 */
#include "telling.h"
#include "verdicts.h"

static Status write_report(Telling *t, const TellingOf *of, Err *err)
{
    Report report = { .paper = &t->paper, .judgements = &t->judgements, .figures = &t->figures,
                      .into = of->into, .in_site = of->in_site };
    Status status = db_open(&report.db, of->db_path, DB_READ, err);
    if (!status && t->judgements.machine)
        status = db_only_machine(report.db, t->judgements.machine, err);
    if (!status)
        status = report_write(&report, t->markdown, t->html, sizeof t->markdown, err);
    db_close(report.db);
    return status;
}

Status telling_open(Telling *t, const char *paper, const TellingOf *of, Err *err)
{
    *t = (Telling){ 0 };
    Status status = paper_open(&t->paper, paper, err);
    if (!status)
        status = verdicts_give(&t->judgements, &t->paper, of->db_path, of->machine, err);
    if (!status)
        status = figures_open(&t->figures, &t->paper, of->db_path, t->judgements.machine, err);
    if (!status)
        status = figures_draw(&t->figures, &t->paper, of->db_path, of->into, err);
    if (!status)
        status = write_report(t, of, err);
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
