/* SPDX-License-Identifier: Apache-2.0 */
/* Cores and caches from hwloc: the one file that includes it. Loading takes some 10 ms, so workers
 * are told by their parent (topology_set) and never ask. */
#include "machine.h"

#include <hwloc.h>
#include <string.h>
#include <unistd.h>

static Topology known;
static int      is_known;

/* The cache of this type below which most cores hang; guests sometimes hide some levels. */
static void read_cache(hwloc_topology_t h, hwloc_obj_type_t type, int level, Topology *out)
{
    const int n = hwloc_get_nbobjs_by_type(h, type);
    if (n <= 0) return;
    const hwloc_obj_t first = hwloc_get_obj_by_type(h, type, 0);
    out->cache_bytes[level] = (int64_t)first->attr->cache.size;
    const int cores = hwloc_get_nbobjs_inside_cpuset_by_type(h, first->cpuset, HWLOC_OBJ_CORE);
    out->cache_cores[level] = cores > 0 ? cores : 1;
}

static void read_hwloc(Topology *out)
{
    hwloc_topology_t h;
    if (hwloc_topology_init(&h)) return;
    hwloc_topology_set_all_types_filter(h, HWLOC_TYPE_FILTER_KEEP_NONE);
    hwloc_topology_set_cache_types_filter(h, HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_type_filter(h, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (!hwloc_topology_load(h)) {
        out->cores = hwloc_get_nbobjs_by_type(h, HWLOC_OBJ_CORE);
        read_cache(h, HWLOC_OBJ_L1CACHE, 1, out);
        read_cache(h, HWLOC_OBJ_L2CACHE, 2, out);
        read_cache(h, HWLOC_OBJ_L3CACHE, 3, out);
    }
    hwloc_topology_destroy(h);
}

const Topology *topology(void)
{
    if (is_known) return &known;
    memset(&known, 0, sizeof known);
    read_hwloc(&known);
    if (known.cores < 1) known.cores = (int)sysconf(_SC_NPROCESSORS_CONF);
    is_known = 1;
    return &known;
}

void topology_set(const Topology *t)
{
    known = *t;
    is_known = 1;
}
