/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes: SHA-256 for identities of rows, files and evidence; CRC-32 for stored samples and for
 * records that pass through pipes. Both are the published ones, so that anybody can check. */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

/* SHA-256 (FIPS 180-4). */
enum { SHA256_BYTES = 32, SHA256_TEXT = 65 };

typedef struct {
    uint32_t state[8];
    uint64_t length;           /* bytes so far */
    uint8_t  part[64];         /* of a block that is not full yet */
} Sha256;

void sha256_open(Sha256 *h);
void sha256_add(Sha256 *h, const void *data, size_t size);
void sha256_close(Sha256 *h, uint8_t out[SHA256_BYTES]);
void sha256_text(const uint8_t digest[SHA256_BYTES], char out[SHA256_TEXT]);   /* lower-case hex */

/* An identity made of several fields: each is added with its length, so that ("ab", "c") and
 * ("a", "bc") differ. The id is the first 63 bits of the digest, never negative. */
void identity_text(Sha256 *h, const char *text); /* NULL counts as a field of its own kind */
void    identity_integer(Sha256 *h, int64_t value);
int64_t identity_close(Sha256 *h);

/* CRC-32 of IEEE 802.3 (zlib's). Start with 0; crc32_add(crc32_add(0, a), b) is that of a then b.
 */
uint32_t crc32_add(uint32_t crc, const void *data, size_t size);

#endif
