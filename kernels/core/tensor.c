/* SPDX-License-Identifier: Apache-2.0 */
#include "tensor.h"
#include "status.h"

#include <math.h>
#include <string.h>

static const struct { const char *name; size_t bytes; } dtypes[DTYPE_END] = {
    [F32] = { "f32", 4 }, [F64] = { "f64", 8 }, [BF16] = { "bf16", 2 }, [I32] = { "i32", 4 },
};

size_t      dtype_bytes(Dtype dtype) { require(dtype < DTYPE_END); return dtypes[dtype].bytes; }
const char *dtype_name(Dtype dtype)  { require(dtype < DTYPE_END); return dtypes[dtype].name; }

int dtype_parse(const char *name, Dtype *out)
{
    for (Dtype d = F32; d < DTYPE_END; d++)
        if (!strcmp(name, dtypes[d].name)) { *out = d; return 1; }
    return 0;
}

int64_t tensor_count(const Tensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++) n *= t->dim[i];
    return n;
}

size_t tensor_bytes(const Tensor *t) { return (size_t)tensor_count(t) * dtype_bytes(t->dtype); }

/* Rounding twice, to float and then to bf16, can go wrong where the float is half way between two
 * bf16. An inexact float is therefore first rounded to odd: then it never is. */
static uint16_t bf16_from_double(double value)
{
    const float near = (float)value;
    uint32_t bits;
    memcpy(&bits, &near, sizeof bits);
    if (fabs((double)near) > fabs(value)) bits--;
    if (isfinite(near) && near != value) bits |= 1;
    float odd;
    memcpy(&odd, &bits, sizeof odd);
    return bf16_from_float(odd);
}

double tensor_get(const Tensor *t, int64_t index)
{
    switch (t->dtype) {
    case F32:  return ((const float *)t->data)[index];
    case F64:  return ((const double *)t->data)[index];
    case BF16: return bf16_to_float(((const uint16_t *)t->data)[index]);
    case I32:  return ((const int32_t *)t->data)[index];
    default:   require_failed("a known dtype", __FILE__, __LINE__);
    }
}

void tensor_set(Tensor *t, int64_t index, double value)
{
    switch (t->dtype) {
    case F32:  ((float *)t->data)[index] = (float)value; return;
    case F64:  ((double *)t->data)[index] = value; return;
    case BF16: ((uint16_t *)t->data)[index] = bf16_from_double(value); return;
    case I32:  ((int32_t *)t->data)[index] = (int32_t)lrint(value); return;
    default:   require_failed("a known dtype", __FILE__, __LINE__);
    }
}

void tensor_convert(Tensor *to, const Tensor *from)
{
    const int64_t n = tensor_count(from);
    require(n == tensor_count(to));
    for (int64_t i = 0; i < n; i++) tensor_set(to, i, tensor_get(from, i));
}

uint16_t bf16_from_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int is_nan = (bits & 0x7fffffffu) > 0x7f800000u;
    if (is_nan) return (uint16_t)(bits >> 16 | 0x40);   /* quiet */
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

float bf16_to_float(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
