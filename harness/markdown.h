/* SPDX-License-Identifier: Apache-2.0 */
/* Markdown as a readable page: GitHub's dialect, with equations as MathML, headings that can be
 * linked to and tables that scroll by themselves on a narrow screen. page.h puts it into a
 * shell. */
#ifndef MARKDOWN_H
#define MARKDOWN_H

#include "../kernels/core/status.h"

#include <stddef.h>
#include <stdio.h>

/* &, <, > and " as entities: fit for text and for attributes in double quotes. */
void html_escape(FILE *out, const char *text);

/* at: a "<" of HTML. Writes the tag if it is harmless, else "&lt;"; returns where to go on. */
const char *html_tag(FILE *out, const char *at);

/* Text inside Markdown, with everything that Markdown would read as its own made harmless. */
void md_text(FILE *out, const char *text);
/* In backticks, whatever it holds. */
void md_code(FILE *out, const char *text);
/* Text for an attribute in double quotes of a tag within a table's cell. */
void md_attribute(FILE *out, const char *text);
/* Lines of code, in a fence that they cannot end. */
void md_block(FILE *out, const char *language, const char *text);
/* For between the parentheses of a link. */
void md_url(FILE *out, const char *url);
/* "[PREFIX id](https://arxiv.org/abs/id)" */
void md_arxiv(FILE *out, const char *prefix, const char *id);

/* Writes the body's HTML for UTF-8 Markdown with a 0 behind it; of the tags in it only harmless
 * ones. Headings get the id that GitHub gives them (a second one of the same text ends in -1). An
 * equation that cannot be converted is shown as its source, and the first such makes the result
 * BAD_INPUT with `name` and the line; the rest of the text is written all the same. */
Status markdown_to_html(FILE *out, const char *text, size_t size, const char *name, Err *err);

/* The id that markdown_to_html gives the first heading with this text; size >= 1, cut to fit. */
void markdown_anchor(const char *heading, char *id, size_t size);

#endif
