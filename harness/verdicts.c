/* SPDX-License-Identifier: Apache-2.0 */
#include "verdicts.h"
#include "told.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH_PIPED = 100, INDENT = 20 };

/* ---- judging -------------------------------------------------------------------------------- */

/* Everything that the judge reads must be in the file before it is opened for reading. */
static Status prepare(const Paper *paper, const char *db_path, const char *alias, Judgements *about,
                      Err *err)
{
    Db *db = NULL;
    Status status = db_open(&db, db_path, DB_WRITE, err);
    if (!status)
        status = told_published(db, paper, err);
    if (!status)
        status = told_claims(db, paper, err);
    if (!status)
        status = judge_machine(db, alias, &about->machine, about->machine_alias,
                               sizeof about->machine_alias, err);
    db_close(db);
    return status;
}

Status verdicts_give(Judgements *out, const Paper *paper, const char *db_path, const char *machine,
                     Err *err)
{
    Judgements about = { 0 };
    Db *db = NULL;
    Status status = prepare(paper, db_path, machine, &about, err);
    if (!status)
        status = judge_paper(out, paper, db_path, about.machine, err);
    if (status)
        return status;
    memcpy(out->machine_alias, about.machine_alias, sizeof out->machine_alias);
    status = db_open(&db, db_path, DB_WRITE, err);
    if (!status)
        status = told_verdicts(db, paper, out, err);
    db_close(db);
    if (status)
        judgements_free(out);
    return status;
}

/* ---- words ---------------------------------------------------------------------------------- */

const char *verdicts_tally(const Judgements *judgements, char *out, size_t size)
{
    int count[VERDICTS] = { 0 };
    *out = '\0';
    for (int i = 0; i < judgements->count; i++)
        count[judgements->item[i].verdict]++;
    for (int v = 0; v < VERDICTS; v++) {
        const size_t used = strlen(out);
        if (count[v])
            snprintf(out + used, size - used, "%s%d %s", used ? ", " : "", count[v],
                     verdict_name((Verdict)v));
    }
    return out;
}

const char *verdict_value(const Judgement *j, char *out, size_t size)
{
    if (isnan(j->value))
        snprintf(out, size, "%s", "");
    else if (isnan(j->low) || isnan(j->high) || j->low == j->high)
        snprintf(out, size, "%.4g", j->value);
    else
        snprintf(out, size, "%.3g [%.3g, %.3g]", j->value, j->low, j->high);
    return out;
}

const char *verdict_sign(Verdict verdict)
{
    static const char *const signs[VERDICTS] = { "✓", "◐", "✗", "?", "…", "–", "·" };
    return signs[verdict];
}

static const char *colour_of(Verdict verdict)
{
    static const char *const colours[VERDICTS] = { "1;32", "1;33", "1;31", "1;36", "2", "2", "2" };
    return colours[verdict];
}

/* ---- on the terminal ------------------------------------------------------------------------ */

static void put_spaces(FILE *out, int count)
{
    fprintf(out, "%*s", count > 0 ? count : 0, "");
}

/* Breaks at spaces; a word longer than the line stands out. */
static void put_wrapped(FILE *out, const char *text, int width)
{
    int used = 0;
    for (const char *at = text; *at;) {
        const size_t length = strcspn(at, " \n");
        char word[256];
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        const int wide = text_width(word);
        if (used && used + 1 + wide > width - INDENT) {
            fputs("\n", out);
            used = 0;
        }
        if (used == 0)
            put_spaces(out, INDENT);
        fputs(used ? " " : "", out);
        text_put(out, at, length, terminal_utf8());
        used += (used != 0) + wide;
        at += length;
        at += strspn(at, " \n");
    }
    fputs("\n", out);
}

static void put_claim(FILE *out, const Judgement *j, int width)
{
    const Claim *claim = j->claim;
    char ours[80], text[1400];
    const char *name = verdict_name(j->verdict);
    const char *sign = verdict_sign(j->verdict);
    fputs(paint(out, colour_of(j->verdict)), out);
    text_put(out, sign, strlen(sign), terminal_utf8());
    fprintf(out, " %s%s", name, paint(out, "0"));
    put_spaces(out, INDENT - 2 - (int)strlen(name));
    fprintf(out, "%s%s%s  %s\n", paint(out, "1"), claim->id, paint(out, "0"), claim->where);
    put_wrapped(out, claim->says, width);
    verdict_value(j, ours, sizeof ours);
    snprintf(text, sizeof text, "paper: %s %s%s%s%s%s", claim->paper_value, claim->paper_unit,
             *ours ? " · here: " : "", ours, *j->expected ? " · expected: " : "", j->expected);
    put_wrapped(out, text, width);
    if (!*j->reason)
        return;
    fputs(paint(out, "2"), out);
    put_wrapped(out, j->reason, width);
    fputs(paint(out, "0"), out);
}

void verdicts_print(FILE *out, const Paper *paper, const Judgements *judgements)
{
    char tally[300];
    const int terminal = terminal_width(out), width = terminal > 40 ? terminal
                                                      : terminal    ? 40
                                                                    : WIDTH_PIPED;
    fprintf(out, "%s%s%s\n", paint(out, "1"), paper->title, paint(out, "0"));
    fprintf(out, "%s\n\n",
            *judgements->machine_alias ? judgements->machine_alias
                                       : "nothing has been measured yet");
    for (int i = 0; i < judgements->count; i++)
        put_claim(out, &judgements->item[i], width);
    fprintf(out, "\n%s: %s\n", paper->id, verdicts_tally(judgements, tally, sizeof tally));
}

/* ---- for programs --------------------------------------------------------------------------- */

static void put_object(Json *json, const Paper *paper, const Judgement *j)
{
    json_object(json, NULL);
    json_text(json, "paper", paper->id);
    json_text(json, "id", j->claim->id);
    json_text(json, "where", j->claim->where);
    json_text(json, "says", j->claim->says);
    json_text(json, "kind", j->claim->kind);
    json_text(json, "verdict", verdict_name(j->verdict));
    json_text(json, "reason", j->reason);
    json_number(json, "value", j->value);
    json_number(json, "low", j->low);
    json_number(json, "high", j->high);
    json_text(json, "expected", *j->expected ? j->expected : NULL);
    json_array(json, "points");
    for (int i = 0; i < j->points; i++)
        json_text(json, NULL, j->point[i]);
    json_close(json);
    json_close(json);
}

void verdicts_json(Json *json, const Paper *paper, const Judgements *judgements)
{
    for (int i = 0; i < judgements->count; i++)
        put_object(json, paper, &judgements->item[i]);
}
