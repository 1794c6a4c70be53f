/* SPDX-License-Identifier: Apache-2.0 */
/* Each tensor has an array that says for each of its lines in which slot of the fast memory it
 * lies; the slots form a list in the order of use. So a touch costs a few loads, whatever M is. */
#include "lru.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t line;
    int32_t before, after;     /* in the order of use; the newest has before = NONE */
    int16_t tensor;
    int16_t dirty;
} Slot;

enum { NONE = -1 };

struct Lru {
    int64_t    line_bytes;
    int32_t    slots, used, newest, oldest;
    Slot      *slot;
    int32_t   *where[LRU_TENSORS_MAX];   /* slot + 1 of each line; 0: not in fast memory */
    int64_t    lines[LRU_TENSORS_MAX];
    LruTraffic traffic;
    int        out_of_memory;
};

Status lru_open(Lru **out, int64_t capacity_bytes, int64_t line_bytes, Err *err)
{
    require(line_bytes > 0 && (line_bytes & (line_bytes - 1)) == 0);
    const int64_t slots = capacity_bytes / line_bytes;
    if (slots < 1 || slots > INT32_MAX - 1)
        return fail(err, BAD_INPUT,
                    "a fast memory of %lld bytes cannot be modelled in lines of %lld bytes",
                    (long long)capacity_bytes, (long long)line_bytes);
    Lru *lru = calloc(1, sizeof *lru);
    Slot *slot = malloc((size_t)slots * sizeof *slot);
    if (!lru || !slot) {
        free(lru);
        free(slot);
        return fail(err, NO_MEMORY, "no memory to model %lld lines", (long long)slots);
    }
    *lru = (Lru){ .line_bytes = line_bytes, .slots = (int32_t)slots, .slot = slot, .newest = NONE,
                  .oldest = NONE };
    *out = lru;
    return OK;
}

void lru_close(Lru *lru)
{
    if (!lru) return;
    for (int t = 0; t < LRU_TENSORS_MAX; t++) free(lru->where[t]);
    free(lru->slot);
    free(lru);
}

/* ---- the list ------------------------------------------------------------------------ */

static void unlink_slot(Lru *lru, int32_t i)
{
    const Slot *s = &lru->slot[i];
    if (s->before == NONE) lru->newest = s->after;
    else                   lru->slot[s->before].after = s->after;
    if (s->after == NONE)  lru->oldest = s->before;
    else                   lru->slot[s->after].before = s->before;
}

static void link_newest(Lru *lru, int32_t i)
{
    lru->slot[i].before = NONE;
    lru->slot[i].after = lru->newest;
    if (lru->newest == NONE) lru->oldest = i;
    else                     lru->slot[lru->newest].before = i;
    lru->newest = i;
}

static void write_back(Lru *lru, Slot *s)
{
    if (s->dirty) lru->traffic.written_bytes += lru->line_bytes;
    s->dirty = 0;
}

static int32_t free_slot(Lru *lru)
{
    if (lru->used < lru->slots) return lru->used++;
    const int32_t i = lru->oldest;
    Slot *s = &lru->slot[i];
    write_back(lru, s);
    lru->where[s->tensor][s->line] = 0;
    unlink_slot(lru, i);
    return i;
}

/* ---- touching ------------------------------------------------------------------------ */

static int know_line(Lru *lru, int tensor, int64_t line)
{
    if (line < lru->lines[tensor]) return 1;
    int64_t lines = lru->lines[tensor] ? lru->lines[tensor] : 1024;
    while (lines <= line) lines *= 2;
    int32_t *more = realloc(lru->where[tensor], (size_t)lines * sizeof *more);
    if (!more) {
        lru->out_of_memory = 1;
        return 0;
    }
    memset(more + lru->lines[tensor], 0, (size_t)(lines - lru->lines[tensor]) * sizeof *more);
    lru->where[tensor] = more;
    lru->lines[tensor] = lines;
    return 1;
}

static void touch_line(Lru *lru, int tensor, int64_t line, int writes, int whole)
{
    int32_t *where = &lru->where[tensor][line];
    int32_t i = *where - 1;
    if (i < 0) {
        i = free_slot(lru);
        lru->slot[i] = (Slot){ .line = line, .tensor = (int16_t)tensor };
        *where = i + 1;
        if (!writes || !whole) lru->traffic.read_bytes += lru->line_bytes;
    } else {
        unlink_slot(lru, i);
    }
    lru->slot[i].dirty |= (int16_t)(writes != 0);
    link_newest(lru, i);
}

void lru_touch(Lru *lru, int tensor, int64_t offset_bytes, int64_t bytes, int writes)
{
    require(tensor >= 0 && tensor < LRU_TENSORS_MAX && offset_bytes >= 0 && bytes >= 0);
    const int64_t size = lru->line_bytes, end = offset_bytes + bytes;
    if (!bytes || lru->out_of_memory || !know_line(lru, tensor, (end - 1) / size)) return;
    for (int64_t line = offset_bytes / size; line * size < end; line++)
        touch_line(lru, tensor, line, writes,
                   line * size >= offset_bytes && (line + 1) * size <= end);
}

Status lru_finish(Lru *lru, LruTraffic *out, Err *err)
{
    if (lru->out_of_memory)
        return fail(err, NO_MEMORY, "no memory to model every line of the tensors");
    for (int32_t i = 0; i < lru->used; i++) write_back(lru, &lru->slot[i]);
    *out = lru->traffic;
    return OK;
}
