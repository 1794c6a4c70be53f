/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors of a safetensors file that are named as a method's ports: golden values, or a user's own.
 * A gradient is called "d" and its port's name. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include "bind.h"
#include "safetensors.h"

/* The problem that the file's tensors are one of: parameters from the metadata (`parameters` or
 * `params`, JSON; by Param.name or Param.golden) and from the shapes of the tensors of p->pass. p
 * must hold method and pass; parameters set in `given` are left as they are.
 * BAD_INPUT: shapes that contradict each other, or values out of range. */
Status golden_problem(const SafeFile *file, Problem *p, uint32_t given, Err *err);

/* What a port of the problem is called in the file and what the file has of it; NULL: absent. */
const SafeTensor *golden_tensor(const SafeFile *file, const Port *port, int gradient);

/* Is the gradient of this output given (upstream), or one of the results? */
int    golden_is_upstream(const SafeFile *file, const Port *port);

/* BAD_INPUT: another shape (leading 1s may be left out), a dtype that does not fit. */
Status golden_load(const SafeFile *file, const SafeTensor *from, Tensor *to, Err *err);

/* Inputs and upstream gradients of b from the file, rounded to b's dtype; upstream gradients that
 * are absent are 0. BAD_INPUT: an input is absent. */
Status golden_inputs(const SafeFile *file, Bound *b, Err *err);

/* BAD_INPUT: the file has no upstream gradient at all. */
Status golden_upstream(const SafeFile *file, const Bound *b, Err *err);

/* A number of the metadata's JSON object `key` (float32_reference_err, ...); fallback: none. */
double golden_number(const SafeFile *file, const char *key, const char *name, double fallback);

#endif
