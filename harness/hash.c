/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 as FIPS 180-4 writes it, and the bitwise-table CRC-32. */
#include "hash.h"

#include "../kernels/core/status.h"

#include <stdio.h>
#include <string.h>

/* ---- SHA-256 -------------------------------------------------------------------------- */

/* FIPS 180-4, 4.2.2: fractions of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void schedule(const uint8_t *block, uint32_t w[64])
{
    for (int t = 0; t < 16; t++)
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    for (int t = 16; t < 64; t++) {
        const uint32_t s0 = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ w[t - 15] >> 3;
        const uint32_t s1 = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64], v[8];
    schedule(block, w);
    memcpy(v, state, sizeof v);
    for (int t = 0; t < 64; t++) {
        const uint32_t a = v[0], b = v[1], c = v[2], e = v[4], f = v[5], g = v[6];
        const uint32_t t1 = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) +
                            K[t] + w[t];
        const uint32_t t2 =
            (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) state[i] += v[i];
}

void sha256_open(Sha256 *h)
{
    *h = (Sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void sha256_add(Sha256 *h, const void *data, size_t size)
{
    const uint8_t *byte = data;
    while (size > 0) {
        const size_t have = h->length % 64, take = size < 64 - have ? size : 64 - have;
        memcpy(h->part + have, byte, take);
        h->length += take;
        byte += take;
        size -= take;
        if (have + take == 64) compress(h->state, h->part);
    }
}

void sha256_close(Sha256 *h, uint8_t out[SHA256_BYTES])
{
    const uint64_t bits = 8 * h->length;
    static const uint8_t padding[64] = { 0x80 };
    uint8_t tail[8];
    for (int i = 0; i < 8; i++) tail[i] = (uint8_t)(bits >> (56 - 8 * i));
    sha256_add(h, padding, 1 + (119 - h->length % 64) % 64);
    sha256_add(h, tail, sizeof tail);
    require(h->length % 64 == 0);
    for (int i = 0; i < SHA256_BYTES; i++)
        out[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_text(const uint8_t digest[SHA256_BYTES], char out[SHA256_TEXT])
{
    for (int i = 0; i < SHA256_BYTES; i++) sprintf(out + 2 * i, "%02x", digest[i]);
}

/* ---- identities ----------------------------------------------------------------------- */

/* Kind and length in front make every sequence of fields a different text. */
static void field(Sha256 *h, char kind, const void *data, size_t size)
{
    uint8_t head[9] = { (uint8_t)kind };
    for (int i = 0; i < 8; i++) head[1 + i] = (uint8_t)((uint64_t)size >> 8 * i);
    sha256_add(h, head, sizeof head);
    sha256_add(h, data, size);
}

void identity_text(Sha256 *h, const char *text)
{
    if (text) field(h, 't', text, strlen(text));
    else field(h, '0', "", 0);
}

void identity_integer(Sha256 *h, int64_t value)
{
    uint8_t byte[8];
    for (int i = 0; i < 8; i++) byte[i] = (uint8_t)((uint64_t)value >> 8 * i);
    field(h, 'i', byte, sizeof byte);
}

int64_t identity_close(Sha256 *h)
{
    uint8_t digest[SHA256_BYTES];
    uint64_t id = 0;
    sha256_close(h, digest);
    for (int i = 0; i < 8; i++) id = id << 8 | digest[i];
    return (int64_t)(id >> 1);
}

/* ---- CRC-32 --------------------------------------------------------------------------- */

/* Four bits at a time: the table is short enough to be read, and fast enough for samples. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t size)
{
    static const uint32_t step[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *byte = data;
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc = crc >> 4 ^ step[(crc ^ byte[i]) & 15];
        crc = crc >> 4 ^ step[(crc ^ byte[i] >> 4) & 15];
    }
    return ~crc;
}
