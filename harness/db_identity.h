/* SPDX-License-Identifier: Apache-2.0 */
/* Are the ids of a file's rows the hashes of what the rows say? A changed row has an id that is not
 * its own any more, so that rows from elsewhere can be told from rows that were edited. (Who
 * invents rows can invent their ids as well: this finds accidents and careless hands, no forger.)
 *
 * A session's id holds a random number and cannot be computed again; nor can what a metric or an
 * epoch says, which are of no row's identity: for those a bundle has the hash of the whole. */
#ifndef DB_IDENTITY_H
#define DB_IDENTITY_H

#include "db.h"

typedef struct {
    int64_t     rows;          /* whose ids were computed again */
    int64_t     wrong;
    const char *table;         /* of the first wrong one; NULL: there is none */
    int64_t     id;
} Identities;

/* schema: "main" or "theirs". */
Status db_identities(Db *db, const char *schema, Identities *out, Err *err);

#endif
