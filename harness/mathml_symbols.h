/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that stand for one sign, and how the sign behaves. */
#ifndef MATHML_SYMBOLS_H
#define MATHML_SYMBOLS_H

typedef enum {
    LETTER,    /* set as an identifier */
    SIGN,      /* an operator, a relation, a fence that does not grow */
    LARGE,     /* its limits stand above and below on a line of its own */
    NAMED,     /* ln x */
    LIMIT,     /* max over what stands below */
    SPACE,
    ACCENT     /* over the atom that follows */
} Kind;

typedef struct { const char *name, *text; Kind kind; } Symbol;

const Symbol *mathml_symbol(const char *name);   /* NULL: not known */

#endif
