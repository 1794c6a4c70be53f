/* SPDX-License-Identifier: Apache-2.0 */
/* A page is written once, as Markdown, and becomes two files: STEM.md as it is, and STEM.html in a
 * shell with one built-in style sheet for light, dark and print (page.css). A page loads nothing.
 * The one that has filters also holds the few lines that let them be combined (page.js); as plain
 * links they work without. */
#ifndef PAGE_H
#define PAGE_H

#include "../kernels/core/status.h"

#include <stdio.h>

typedef struct {
    const char *title, *footer;     /* plain text */
    const char *root;               /* of the site it belongs to: "" or "../"; NULL: alone */
    int         filters;            /* 1: holds page.js */
} Page;

/* The Markdown under way. */
typedef struct {
    FILE  *out;
    char  *text;
    size_t size;
} Draft;

Status draft_open(Draft *draft, Err *err);
/* STEM.md and STEM.html; nothing more can be written to the draft then. BAD_INPUT: an equation
 * that cannot be converted, with STEM.md and the line. */
Status draft_write(Draft *draft, const Page *page, const char *stem, Err *err);
void   draft_close(Draft *draft);   /* one of zeros is fine */

#endif
