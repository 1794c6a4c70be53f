/* SPDX-License-Identifier: Apache-2.0 */
/* The front page above the reports: every paper with its tally, and the guide's entries with what
 * is right about them. A static folder that needs no network and no script. */
#ifndef SITE_H
#define SITE_H

#include "telling.h"

typedef struct {
    char *text;      /* of the front page's table, one line a paper */
    size_t size;
    FILE *out;
} Site;

Status site_open(Site *site, Err *err);
/* Adds a paper that was just told. */
void   site_add(Site *site, const Telling *t);
/* Writes INTO/index.md and index.html; the path of the page comes back in `path`. */
Status site_write(Site *site, const char *into, char *path, size_t size, Err *err);
void   site_close(Site *site);

#endif
