/* SPDX-License-Identifier: Apache-2.0 */
/* What figure_rows.c asks of figure_query.c: an entry's SQL, and what its quantity is called. */
#ifndef FIGURE_QUERY_H
#define FIGURE_QUERY_H

#include "figure.h"

/* The entry's own query, or the one that its x, y, series, facet and where ask for. */
void figure_put_query(FILE *out, const Node *entry, const char *experiment);
/* The same for published values; writes nothing where the entry wants none. paper may be NULL. */
void figure_put_paper_query(FILE *out, const Node *entry, const Paper *paper);

const char *figure_default_label(const Node *entry);   /* "time of one call (ms)" */
double      figure_default_scale(const Node *entry);   /* from the view's unit to the label's */

#endif
