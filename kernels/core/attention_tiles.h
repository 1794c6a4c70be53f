/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys the rows of a tile see: by index where that settles a whole tile, lane by
 * lane only where the edge of a mask runs through it. Shared by the forward and the
 * backward pass, and by every method whose mask is a range of keys a row, cut by blocks. */
#ifndef ATTENTION_TILES_H
#define ATTENTION_TILES_H

#include "simd.h"
#include "softmax_attention.h"

/* A 0/1 mask over blocks of Br queries and Bc keys; mask == NULL: everything is kept. */
typedef struct {
    const int32_t *mask;                   /* [.., rows, columns]; not 0: kept */
    int64_t Br, Bc, columns;
    int64_t batch_stride, head_stride;     /* 0 where the mask is shared */
} AttentionBlocks;

typedef struct {
    const Attention       *at;
    const AttentionBlocks *blocks;         /* NULL: none */
    int64_t b, h;
    int64_t i0, rows, j0, keys;            /* rows i0.. and keys j0.. of it; rows are no padding */
} AttentionTile;

typedef enum { TILE_HIDDEN, TILE_MIXED, TILE_SEEN } TileSight;

static inline const int32_t *tile_blocks_(const AttentionTile *t)
{
    const AttentionBlocks *k = t->blocks;
    return k->mask + t->b * k->batch_stride + t->h * k->head_stride;
}

/* Of the blocks that the tile meets: all kept, none, or some. */
static inline TileSight tile_blocks_sight_(const AttentionTile *t)
{
    const AttentionBlocks *k = t->blocks;
    const int32_t *mask = tile_blocks_(t);
    int64_t kept = 0, met = 0;
    for (int64_t r = t->i0 / k->Br; r <= (t->i0 + t->rows - 1) / k->Br; r++)
        for (int64_t c = t->j0 / k->Bc; c <= (t->j0 + t->keys - 1) / k->Bc; c++, met++)
            kept += mask[r * k->columns + c] != 0;
    return kept == 0 ? TILE_HIDDEN : kept == met ? TILE_SEEN : TILE_MIXED;
}

/* Neither end of attention_keys() falls from a row to the next: the first and the last
 * row say what all of them see. */
static inline TileSight tile_sight(const AttentionTile *t)
{
    const KeyRange top = attention_keys(t->at, t->b, t->i0);
    const KeyRange low = attention_keys(t->at, t->b, t->i0 + t->rows - 1);
    const int64_t end = t->j0 + t->keys;
    if (top.first >= end || low.end <= t->j0) return TILE_HIDDEN;
    const TileSight range = low.first <= t->j0 && top.end >= end ? TILE_SEEN : TILE_MIXED;
    if (!t->blocks || !t->blocks->mask) return range;
    const TileSight sight = tile_blocks_sight_(t);
    return sight == TILE_SEEN ? range : sight;
}

typedef struct { int64_t first, end; const int32_t *blocks; } TileRow;

/* What row r of the tile sees of its columns. */
static inline TileRow tile_row(const AttentionTile *t, int64_t r)
{
    const KeyRange see = attention_keys(t->at, t->b, t->i0 + r);
    int64_t first = see.first - t->j0, end = see.end - t->j0;
    first = first < 0 ? 0 : first;
    end = end > t->keys ? t->keys : end;
    const AttentionBlocks *k = t->blocks;
    TileRow row = { first, end < first ? first : end, NULL };
    if (k && k->mask) row.blocks = tile_blocks_(t) + (t->i0 + r) / k->Br * k->columns;
    return row;
}

/* Lane l: does the row see column j + l of the tile? */
static inline vm tile_seen(const AttentionTile *t, TileRow row, int64_t j)
{
    const int64_t end = row.end - j, first = row.first - j;
    const vm before = vm_first(first < VL ? (int)first : VL);
    const vm seen = vm_and(vm_first(end < VL ? (int)end : VL), vm_not(before));
    if (!row.blocks) return seen;
    int32_t kept[VL];
    for (int l = 0; l < VL; l++) {
        const int64_t key = t->j0 + j + l;
        kept[l] = key < t->at->Tk && row.blocks[key / t->blocks->Bc] ? 1 : 0;
    }
    return vm_and(seen, vi_lt(vi_set1(0), vi_load(kept)));
}

#endif
