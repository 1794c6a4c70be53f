/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include <math.h>

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c[4] = { counter[0], counter[1], counter[2], counter[3] };
    uint32_t k[2] = { key[0], key[1] };
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c[0], b = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t next[4] = { (uint32_t)(b >> 32) ^ c[1] ^ k[0], (uint32_t)b,
                             (uint32_t)(a >> 32) ^ c[3] ^ k[1], (uint32_t)a };
        for (int i = 0; i < 4; i++) c[i] = next[i];
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    for (int i = 0; i < 4; i++) out[i] = c[i];
}

uint64_t random_u64(uint64_t seed, uint64_t stream, uint64_t index)
{
    const uint32_t counter[4] = { (uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream,
                                  (uint32_t)(stream >> 32) };
    const uint32_t key[2] = { (uint32_t)seed, (uint32_t)(seed >> 32) };
    uint32_t out[4];
    philox4x32(counter, key, out);
    return (uint64_t)out[1] << 32 | out[0];
}

double random_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    return ((double)(random_u64(seed, stream, index) >> 11) + 0.5) * 0x1p-53;
}

double random_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_t bits = random_u64(seed, stream, index);
    double radius = ((double)(uint32_t)bits + 0.5) * 0x1p-32;
    double angle = (double)(bits >> 32) * 0x1p-32;
    return sqrt(-2 * log(radius)) * cos(6.283185307179586 * angle);
}

int64_t random_below(uint64_t seed, uint64_t stream, uint64_t index, int64_t n)
{
    return (int64_t)(random_uniform(seed, stream, index) * (double)n);
}
