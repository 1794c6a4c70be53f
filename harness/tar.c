/* SPDX-License-Identifier: Apache-2.0 */
#include "tar.h"

#include <string.h>

enum { BLOCK = 512, SIZE_AT = 124, SIZE_DIGITS = 11, SUM_AT = 148 };

static const uint8_t zeros[2 * BLOCK];

static size_t padding(size_t size) { return (BLOCK - size % BLOCK) % BLOCK; }

/* Octal digits without the 0 at their end. */
static void put_octal(uint8_t *at, int digits, uint64_t value)
{
    for (int i = digits; i-- > 0; value >>= 3) at[i] = (uint8_t)('0' + (value & 7));
    require(value == 0);
}

/* name 100, mode 8, uid 8, gid 8, size 12, mtime 12, sum 8, type 1, link 100, "ustar" 6, "00" 2,
 * then owner, group and device, all empty. The sum is taken with blanks in its own place. */
static void make_header(uint8_t header[BLOCK], const char *name, size_t size)
{
    uint64_t sum = 0;
    memset(header, 0, BLOCK);
    strncpy((char *)header, name, TAR_NAME - 1);
    put_octal(header + 100, 7, 0644);
    put_octal(header + 108, 7, 0);
    put_octal(header + 116, 7, 0);
    put_octal(header + SIZE_AT, SIZE_DIGITS, size);
    put_octal(header + 136, 11, 0);
    memset(header + SUM_AT, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, "ustar\0" "00", 8);
    for (int i = 0; i < BLOCK; i++) sum += header[i];
    put_octal(header + SUM_AT, 6, sum);
    header[SUM_AT + 6] = 0;
}

void tar_write(FILE *out, const TarMember *member, int count)
{
    uint8_t header[BLOCK];
    for (int i = 0; i < count; i++) {
        require(member[i].name[0] && memchr(member[i].name, 0, TAR_NAME));
        make_header(header, member[i].name, member[i].size);
        fwrite(header, 1, BLOCK, out);
        fwrite(member[i].data, 1, member[i].size, out);
        fwrite(zeros, 1, padding(member[i].size), out);
    }
    fwrite(zeros, 1, sizeof zeros, out);
}

/* The header is read for name and size only; then it must be the one that these two give. */
static int read_header(const uint8_t *header, TarMember *out)
{
    uint8_t same[BLOCK];
    uint64_t size = 0;
    if (!header[0] || !memchr(header, 0, TAR_NAME)) return 0;
    for (int i = 0; i < SIZE_DIGITS; i++) {
        const int digit = header[SIZE_AT + i] - '0';
        if (digit < 0 || digit > 7) return 0;
        size = size << 3 | (uint64_t)digit;
    }
    strcpy(out->name, (const char *)header);
    out->size = (size_t)size;
    make_header(same, out->name, out->size);
    return !memcmp(header, same, BLOCK);
}

static int read_member(const uint8_t *at, size_t left, TarMember *out)
{
    if (left < BLOCK || !read_header(at, out)) return 0;
    out->data = at + BLOCK;
    return out->size <= left - BLOCK && padding(out->size) <= left - BLOCK - out->size &&
           !memcmp(at + BLOCK + out->size, zeros, padding(out->size));
}

Status tar_read(const void *archive, size_t size, TarMember *member, int most, int *count,
                Err *err)
{
    const uint8_t *at = archive;
    size_t left = size;
    for (*count = 0; left > sizeof zeros; ++*count) {
        TarMember next;
        if (*count == most) return fail(err, BAD_INPUT, "more than %d files are in it", most);
        if (!read_member(at, left, &next))
            return fail(err, BAD_INPUT, "damaged, or no archive of attest's: at byte %zu",
                        size - left);
        member[*count] = next;
        const size_t whole = BLOCK + next.size + padding(next.size);
        at += whole;
        left -= whole;
    }
    if (left == sizeof zeros && !memcmp(at, zeros, left)) return OK;
    return fail(err, BAD_INPUT, "damaged, or no archive of attest's: it has no proper end");
}
