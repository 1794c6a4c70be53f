/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of verifying a bundle tell each other. */
#ifndef BUNDLE_WORK_H
#define BUNDLE_WORK_H

#include "bundle.h"
#include "db_internal.h"

typedef struct {
    Verification *out;
    TarMember     member[BUNDLE_FILES_MAX];
    int           members;
    Db           *db;          /* rows.db, in memory */
    Paper         paper;
    Judgements    judgements;
    int           judged;
} Work;

/* Adds a finding; returns 1 where it agrees. */
int found(Work *w, CheckKind kind, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Trouble with the bundle's content is a finding; a lack of memory is not the bundle's fault. What
 * the database in memory is called there means nothing to anybody. */
Status trouble_is_found(Work *w, const char *what, Status status, const Err *why, Err *err);

const TarMember *member_named(const Work *w, const char *name);     /* NULL: there is none */
int is_text(const TarMember *m, const BundleText *text);

/* Statistics, experiments, claims, verdicts, texts; and what is different about this program. */
Status check_again(Work *w, Err *err);

#endif
