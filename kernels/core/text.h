/* SPDX-License-Identifier: Apache-2.0 */
/* Text that came from a file, and what a terminal would obey in it: escape sequences, and
 * characters that turn the order of reading round. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* Bytes of the well-formed UTF-8 character that starts here; 0: none does. */
size_t text_sequence(const char *text);
/* Bytes of the control character, or of the part of none, that starts here; 0: neither does. Line
 * ends and tabs are text. */
size_t text_control(const char *text);
/* Bytes of the character, or the part of one, that starts here; at least 1. */
size_t text_step(const char *text);
/* Each control character becomes a '?'. Returns text. */
char  *text_clean(char *text);

#endif
