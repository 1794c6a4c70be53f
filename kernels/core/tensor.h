/* SPDX-License-Identifier: Apache-2.0 */
/* A Tensor is a view: it never owns the memory that it points at.
 * Every tensor of attest is dense and row-major: the last dimension is contiguous. */
#ifndef TENSOR_H
#define TENSOR_H

#include <stddef.h>
#include <stdint.h>

typedef enum { F32, F64, BF16, I32, DTYPE_END } Dtype;

enum { RANK_MAX = 5 };

typedef struct {
    void   *data;             /* NULL: this tensor is absent from the problem */
    Dtype   dtype;
    int     rank;
    int64_t dim[RANK_MAX];    /* outermost first */
} Tensor;

size_t      dtype_bytes(Dtype dtype);
const char *dtype_name(Dtype dtype);                    /* "f32", "f64", "bf16", "i32" */
int         dtype_parse(const char *name, Dtype *out);  /* 1 if known */

int64_t tensor_count(const Tensor *t);                  /* elements; 1 for rank 0 */
size_t  tensor_bytes(const Tensor *t);

/* One element by flat index, whatever the dtype; exact for all of them. */
double tensor_get(const Tensor *t, int64_t index);
/* Rounds to the tensor's dtype (to nearest, ties to even). */
void   tensor_set(Tensor *t, int64_t index, double value);

/* Every element, rounded likewise; as many in both. */
void   tensor_convert(Tensor *to, const Tensor *from);

/* bfloat16 is the upper half of a float32. Rounds to nearest, ties to even; NaN stays NaN. */
uint16_t bf16_from_float(float value);
float    bf16_to_float(uint16_t bits);

#endif
