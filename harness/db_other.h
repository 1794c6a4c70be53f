/* SPDX-License-Identifier: Apache-2.0 */
/* Databases besides the one that is open: another file attached for reading, and whole databases
 * in memory, whose bytes travel. Neither can change a file: what is attached is opened for reading
 * only, and what must be brought up to date first is brought up to date as a copy in memory. */
#ifndef DB_OTHER_H
#define DB_OTHER_H

#include "db.h"

/* Attaches another file of attest's as schema `theirs`, outside a transaction. An older one is
 * copied and migrated in memory (up to 1 GiB); BAD_INPUT: none of attest's, of a newer attest, or
 * the database itself. */
Status db_attach(Db *db, const char *path, Err *err);
void   db_detach(Db *db);

/* An empty database in memory, or one whose file has these bytes (BAD_INPUT: they are none of
 * attest's); it is brought up to date as a file would be. As long as it is open, its db_path() can
 * be opened by db_open() and db_attach() in this process. */
Status db_open_memory(Db **db, const void *image, size_t size, Err *err);
/* The bytes of a database as a file of its own would have them; free() them. */
Status db_image(Db *db, void **image, size_t *size, Err *err);

#endif
