/* SPDX-License-Identifier: Apache-2.0 */
#include "workspace.h"
#include "status.h"

size_t workspace_round(size_t bytes)
{
    return (bytes + WORKSPACE_ALIGN - 1) & ~(size_t)(WORKSPACE_ALIGN - 1);
}

void *workspace_take(Workspace *ws, size_t bytes)
{
    void *p = ws->base + ws->used;
    ws->used += workspace_round(bytes);
    require(ws->used <= ws->size);
    if (ws->used > ws->high_water) ws->high_water = ws->used;
    return p;
}

void workspace_reset(Workspace *ws) { ws->used = 0; }
