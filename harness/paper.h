/* SPDX-License-Identifier: Apache-2.0 */
/* What papers/NAME/ says: the record (paper.yaml) and the claims (claims.yaml) as structs. The keys
 * are described in papers/README.md. Everything that is wrong in a file is complained of in one
 * go. */
#ifndef PAPER_H
#define PAPER_H

#include "tree.h"

#include <stddef.h>

typedef enum {
    EXPECT_NONE,
    EXPECT_AT_LEAST,
    EXPECT_AT_MOST,
    EXPECT_BETWEEN,
    EXPECT_EQUALS
} ExpectKind;

/* A band of values. `low` and `high` hold the tolerance already: at_least x with tolerance t is
 * [x - t|x|, inf). They are infinite where the band is open, both for EXPECT_NONE. */
typedef struct {
    ExpectKind kind;
    double     low, high;
    double     asked_low, asked_high;   /* without the tolerance */
    double     tolerance;               /* relative, 0: none */
} Expect;

/* "at least 20.4 (-2 %)", "between 1.8 and 2.2", ""; returns out. */
const char *expect_print(const Expect *e, char *out, size_t size);

typedef struct {
    const char *id, *where, *says, *kind;
    const char *paper_value, *paper_unit, *paper_setting;   /* as printed; "" where there is none */
    const char *experiment, *evidence;                      /* "" where there is none */
    const char *band, *baseline, *protocol, *flop_convention, *substitution;
    const char *not_testable, *under_specified;             /* the reason, or "" */
    Expect expect, direction; /* direction: EXPECT_NONE where there is none */
    int         line;
    const Node *entry;
} Claim;

enum { CLAIM_KINDS = 4 };
extern const char *const claim_kinds[];   /* what a claim's `kind` may be; ends with NULL */

typedef struct { const char *paper, *ours; } SeriesPair;

typedef struct {
    char        id[64];
    char       *folder;         /* "papers/flashattention" */
    Tree       *record, *list;  /* own all text */
    const char *title, *arxiv, *venue, *year;
    Claim      *claim;
    int         claims;
    SeriesPair *series;
    int         series_count;
} Paper;

/* BAD_INPUT: no such paper (with what there is), or complaints, one a line. */
Status paper_open(Paper *paper, const char *id, Err *err);
/* The same from texts that came some other way. */
typedef struct { const char *text; size_t size; } PaperFile;
Status paper_parse(Paper *paper, const char *id, PaperFile record, PaperFile claims, Err *err);
void   paper_close(Paper *paper);

/* The arm that stands beside a published series, or NULL. */
const char *paper_ours(const Paper *paper, const char *published_series);

/* BAD_INPUT with as many whole complaints as an Err holds, and how many more there are. */
Status complaints_fail(const Complaints *complaints, Err *err);

/* Papers that have claims.yaml, sorted; free with papers_free. */
Status papers_list(char ***ids, int *count, Err *err);
void   papers_free(char **ids, int count);

#endif
