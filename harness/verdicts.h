/* SPDX-License-Identifier: Apache-2.0 */
/* The judge's whole day for one paper: published values and claims go into the database, every
 * claim is judged on one machine's rows, and the verdicts are stored. And how verdicts are shown on
 * a terminal. */
#ifndef VERDICTS_H
#define VERDICTS_H

#include "cli.h"
#include "judge.h"

/* machine: an alias, or NULL for the one that judge_machine() chooses. */
Status verdicts_give(Judgements *out, const Paper *paper, const char *db_path, const char *machine,
                     Err *err);

/* "7 reproduced, 5 partly, 1 contradicted, ..." of those there are; returns out. */
const char *verdicts_tally(const Judgements *judgements, char *out, size_t size);

/* "2.31 [2.25, 2.36]", "20.4", or "" where there is no value; returns out. */
const char *verdict_value(const Judgement *j, char *out, size_t size);

const char *verdict_sign(Verdict verdict);     /* "✓": told apart without colours too */

/* One claim after the other, wrapped to the terminal, with the tally below. */
void verdicts_print(FILE *out, const Paper *paper, const Judgements *judgements);
void verdicts_json(Json *json, const Paper *paper, const Judgements *judgements);

#endif
