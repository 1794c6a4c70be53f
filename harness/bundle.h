/* SPDX-License-Identifier: Apache-2.0 */
/* A paper's proof as one file that can travel: a plain tar (tar.h), so that anybody can look inside
 * with tools of their own, and `attest verify` can compute everything again without unpacking it.
 *
 *   attest-PAPER/README          what this is and how to check it by hand
 *                manifest.json   machine, environment, builds, sources and object code by hash
 *                paper.yaml      the record, the claims and the published values, as they were read
 *                claims.yaml
 *                published.csv
 *                verdicts.json   as `attest claims --json` prints them
 *                specs/ID.yaml   each experiment whose blocks are in it, as it was read
 *                rows.db         an attest database: raw rows, what was derived, claims, verdicts
 *                SHA256SUMS      of all others, for `sha256sum -c`
 *
 * What is in rows.db: all blocks of one machine that touch a point which was measured for the
 * paper, whatever they were measured for, because the estimates of these points are made of all of
 * them. The verdicts are given on these rows alone. The same rows, papers/ and program give the
 * same bytes: nothing in it depends on when it was made. A flipped bit anywhere is found (every
 * byte is either hashed or prescribed), but a hash is no signature: who invents rows can hash them
 * as well.
 *
 *   bundle.c         makes one                  bundle_text.c   its texts, to write and to compare
 *   bundle_verify.c  checks bytes and rows      bundle_again.c  what follows from the rows
 *   tar.c            the archive */
#ifndef BUNDLE_H
#define BUNDLE_H

#include "judge.h"
#include "tar.h"

enum { BUNDLE_FORMAT = 1, BUNDLE_FILES_MAX = 256 };

typedef struct {
    char   *data;              /* the archive; owned */
    size_t  size;
    char    machine[80];
    int64_t blocks, runs, sessions;
    int     claims, files;
    char    other[256];        /* claims that the database judges otherwise; "": none */
} Bundle;

/* machine: an alias, or NULL as for judge_machine(). BAD_INPUT: no such paper or machine, or
 * nothing was measured for it there. The database is only read. */
Status bundle_make(Bundle *out, const char *paper, const char *db_path, const char *machine,
                   Err *err);
void   bundle_free(Bundle *bundle);
/* Does the file start as a bundle does? */
int    bundle_is(const char *path);
/* A bundle's rows as a database in memory, for db_attach(). BAD_INPUT: damaged. */
Status bundle_open_rows(Db **rows, const char *path, Err *err);
/* The bytes of a file that may be a bundle: not of a pipe or a device, which may have no end. */
Status bundle_read(const char *path, char **data, size_t *size, Err *err);

/* ---- bundle_verify.c ---------------------------------------------------------------------- */

typedef enum { CHECK_AGREES, CHECK_DIFFERS, CHECK_NOTE } CheckKind;
typedef struct {
    CheckKind   kind;          /* a note says what is different here, and breaks nothing */
    const char *what;          /* "archive", "hashes", "rows", "statistics", "verdicts", ... */
    char        text[400];
} Check;

enum { CHECKS_MAX = 32 };
typedef struct {
    char  paper[64];
    Check check[CHECKS_MAX];
    int   checks, differ;
} Verification;

/* Checks the bytes of a bundle; whatever is wrong with them is a check that differs. Everything
 * happens in memory, and nothing of the bundle is run but its claims' SELECTs, which can only read.
 * Not OK: no memory. */
Status bundle_verify(Verification *out, const void *data, size_t size, Err *err);

/* ---- bundle_text.c -------------------------------------------------------------------------- */

typedef struct { char *text; size_t size; } BundleText;      /* free text */

Status bundle_manifest(Db *db, BundleText *out, Err *err);
Status bundle_verdicts(const Paper *paper, const Judgements *judgements, BundleText *out, Err *err);
Status bundle_readme(const char *paper, BundleText *out, Err *err);
/* Of all members but SHA256SUMS itself. */
Status bundle_sums(const TarMember *member, int count, BundleText *out, Err *err);
/* What follows "attest-PAPER/". */
const char *bundle_file(const TarMember *member);

#endif
