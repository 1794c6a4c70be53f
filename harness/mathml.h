/* SPDX-License-Identifier: Apache-2.0 */
/* The LaTeX of the notes as MathML, so that equations are readable in a page that runs no script
 * and loads nothing. It knows the subset that the notes use; anything else is an error that names
 * the command, never a silent gap, and the tests convert every note. */
#ifndef MATHML_H
#define MATHML_H

#include "../kernels/core/status.h"

#include <stddef.h>
#include <stdio.h>

/* Writes <math>...</math> for `size` bytes of LaTeX without its dollars. display: 1 for a line of
 * its own. BAD_INPUT: an unknown command, an unpaired brace or fence, nesting over 64. Known:
 * scripts and primes, { }, \frac \sqrt[n] \left \right, \text \mathrm \operatorname \mathbb
 * \mathcal \mathbf, \bar \hat \tilde \vec \overline \underbrace, \boxed, \textstyle \displaystyle,
 * environments cases, aligned, matrix, pmatrix, bmatrix, Greek, relations, arrows, big operators,
 * named functions and spaces. */
Status mathml_write(FILE *out, const char *latex, size_t size, int display, Err *err);

#endif
