/* SPDX-License-Identifier: Apache-2.0 */
/* Raw epochs as bytes that any program can read (layout in results/README.md): magic, count,
 * epochs, CRC-32; little-endian whatever the machine is. */
#include "db.h"

#include <stdlib.h>
#include <string.h>

static const char magic[4] = { 'A', 'T', 'S', '1' };

static uint8_t *put(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
    return to + bytes;
}

static uint64_t get(const uint8_t **from, int bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)(*from)[i] << 8 * i;
    *from += bytes;
    return value;
}

static int32_t get32(const uint8_t **from) { return (int32_t)(uint32_t)get(from, 4); }

void *sample_pack(const Epoch *epoch, int count, size_t *size)
{
    require(count >= 0 && (epoch || count == 0));
    *size = SAMPLE_FRAME_BYTES + (size_t)count * SAMPLE_EPOCH_BYTES;
    uint8_t *data = malloc(*size), *at = data;
    if (!data) return NULL;
    memcpy(at, magic, sizeof magic);
    at = put(at + sizeof magic, (uint32_t)count, 4);
    for (int i = 0; i < count; i++) {
        const Epoch *e = &epoch[i];
        at = put(at, (uint64_t)e->wall_ns, 8);
        at = put(at, (uint64_t)e->cpu_ns, 8);
        at = put(at, (uint64_t)e->delay_ns, 8);
        const int32_t small[] = { e->switches, e->calls, e->round, e->position, e->warmup };
        for (int k = 0; k < 5; k++) at = put(at, (uint32_t)small[k], 4);
    }
    at = put(at, crc32_add(0, data, (size_t)(at - data)), 4);
    require(at == data + *size);
    return data;
}

static void unpack_epoch(const uint8_t **at, Epoch *e)
{
    e->wall_ns = (int64_t)get(at, 8);
    e->cpu_ns = (int64_t)get(at, 8);
    e->delay_ns = (int64_t)get(at, 8);
    e->switches = get32(at);
    e->calls = get32(at);
    e->round = get32(at);
    e->position = get32(at);
    e->warmup = get32(at);
}

Status sample_unpack(const void *data, size_t size, Epoch **epoch, int *count, Err *err)
{
    const uint8_t *at = data;
    if (size < SAMPLE_FRAME_BYTES || memcmp(at, magic, sizeof magic))
        return fail(err, BAD_INPUT, "stored samples do not start with ATS1");
    at += sizeof magic;
    const uint64_t n = get(&at, 4);
    if (size != SAMPLE_FRAME_BYTES + n * SAMPLE_EPOCH_BYTES)
        return fail(err, BAD_INPUT, "stored samples have %zu bytes, not those of %llu epochs",
                    size, (unsigned long long)n);
    const uint8_t *tail = (const uint8_t *)data + size - 4;
    if (get(&tail, 4) != crc32_add(0, data, size - 4))
        return fail(err, BAD_INPUT, "stored samples are damaged: their checksum is wrong");
    Epoch *out = malloc(n ? n * sizeof *out : 1);
    if (!out) return fail(err, NO_MEMORY, "no memory for %llu epochs", (unsigned long long)n);
    for (uint64_t i = 0; i < n; i++) unpack_epoch(&at, &out[i]);
    *epoch = out;
    *count = (int)n;
    return OK;
}
