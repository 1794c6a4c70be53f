/* SPDX-License-Identifier: Apache-2.0 */
/* What papers say and what we say about it, kept in the database beside the measurements: published
 * values, claims, verdicts and figures. All of it can be made again from papers/ and the rows. */
#ifndef TOLD_H
#define TOLD_H

#include "db.h"
#include "figure.h"
#include "judge.h"

/* Reads papers/NAME/published.csv into paper_value; does nothing while the file is the one read
 * last. BAD_INPUT with line and column for a line that has not as many fields as the first, or no
 * number where one should stand. A paper without the file has no published values. */
Status told_published(Db *db, const Paper *paper, Err *err);
/* The same from a text; path: what complaints call it. */
Status told_published_text(Db *db, const Paper *paper, const char *path, const char *published,
                           size_t size, Err *err);

/* The claims as they stand; entries that have changed or gone are kept, but are not current. */
Status told_claims(Db *db, const Paper *paper, Err *err);

/* The verdicts of this judging. One that says what the stored one says is not stored again. */
Status told_verdicts(Db *db, const Paper *paper, const Judgements *judgements, Err *err);

Status told_figure(Db *db, const char *paper, const Figure *figure, Err *err);

#endif
