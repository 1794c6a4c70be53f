/* SPDX-License-Identifier: Apache-2.0 */
/* The spec as a whole: its keys, its parts, and the profile that changes them. */
#include "spec.h"

#include "figure.h"
#include "tree_build.h"
#include "units.h"

#include <stdlib.h>
#include <string.h>

static const char *const top_keys[] = {
    "experiment", "title", "paper", "compare", "sweep", "fixed", "dtype", "pass", "hardware",
    "instruments", "fast_memory", "limits", "seeds", "epsilon", "blocks", "budget", "cold",
    "profiles", "parts", "figures", NULL,
};
static const char *const part_keys[] = {
    "compare",     "sweep",  "fixed",  "dtype", "pass",     "hardware", "instruments",
    "fast_memory", "blocks", "budget", "cold",  "profiles", NULL,
};
static const char *const hardware_keys[] = { "isa", "threads", NULL };
static const char *const limit_keys[] = { "wall", "memory", NULL };
static const char *const profile_names[] = { "smoke", "quick", "paper", NULL };
/* What a profile may say besides values of parameters. */
static const char *const profile_keys[] = { "blocks", "budget",  "dtype", "pass",
                                            "isa",    "threads", "skip",  NULL };

/* ---- small values --------------------------------------------------------------------- */

static int is_word_of(const char *word, const char *const *list)
{
    for (int i = 0; list[i]; i++)
        if (!strcmp(word, list[i])) return 1;
    return 0;
}

static const char *text_of(SpecReader *r, const Node *root, const char *key, int needed)
{
    const Node *node = node_get(root, key);
    if (node && node->kind == NODE_SCALAR && node->text[0]) return node->text;
    if (node || needed)
        complain(r->complaints, r->tree, node ? node : root, "%s: a text is wanted%s", key,
                 node ? "" : ", and it is missing");
    return "";
}

static void read_duration(SpecReader *r, const Node *node, int64_t *out_ns)
{
    Err err;
    if (!node) return;
    if (node->kind != NODE_SCALAR)
        complain(r->complaints, r->tree, node, "a duration is wanted, as 100ms");
    else if (duration_parse(node->text, out_ns, &err))
        complain(r->complaints, r->tree, node, "%s", err.text);
}

static void read_bytes(SpecReader *r, const Node *node, int64_t *out)
{
    Err err;
    if (!node) return;
    if (node->kind != NODE_SCALAR)
        complain(r->complaints, r->tree, node, "a size is wanted, as 8GiB");
    else if (bytes_parse(node->text, out, &err))
        complain(r->complaints, r->tree, node, "%s", err.text);
}

static int read_map_keys(SpecReader *r, const Node *map, const char *what, const char *const *keys)
{
    if (!map) return 0;
    if (map->kind != NODE_MAP) {
        complain(r->complaints, r->tree, map, "%s: a map is wanted", what);
        return 0;
    }
    complain_unknown_keys(r->complaints, r->tree, map, keys);
    return 1;
}

static void read_limits(SpecReader *r, const Node *root, Spec *spec)
{
    const Node *limits = node_get(root, "limits");
    if (!read_map_keys(r, limits, "limits", limit_keys)) return;
    read_duration(r, node_get(limits, "wall"), &spec->limit_wall_ns);
    read_bytes(r, node_get(limits, "memory"), &spec->limit_memory_bytes);
}

static void read_epsilon(SpecReader *r, const Node *root, Spec *spec)
{
    const Node *node = node_get(root, "epsilon");
    spec->epsilon = 0.02;
    if (node && (!node_number(node, &spec->epsilon) || spec->epsilon < 0 || spec->epsilon > 1))
        complain(r->complaints, r->tree, node,
                 "epsilon: a share from 0 to 1 is wanted, as 2%% or 0.02");
}

static void read_seeds(SpecReader *r, const Node *root, Spec *spec)
{
    const Node *node = node_get(root, "seeds"), *word[SEEDS_MAX];
    const int count = node ? spec_words(r, node, word, SEEDS_MAX) : 0;
    spec->seed[0] = 1;
    spec->seeds = 1;
    for (int i = 0; i < count; i++) {
        int64_t value = 0;
        if (!node_integer(word[i], &value) || value < 0)
            complain(r->complaints, r->tree, word[i], "seeds: '%s' is no whole number from 0 on",
                     word[i]->text);
        spec->seed[i] = (uint64_t)value;
        spec->seeds = i + 1;
    }
}

/* ---- one part ------------------------------------------------------------------------- */

static int blocks_within(SpecReader *r, const Node *node, int fallback)
{
    int64_t n = fallback;
    if (node && (!node_integer(node, &n) || n < 1 || n > 1000)) {
        complain(r->complaints, r->tree, node, "blocks: a number from 1 to 1000 is wanted");
        return fallback;
    }
    return (int)n;
}

/* blocks: 6, or {least: 6, most: 21}. */
static void read_blocks(SpecReader *r, const Node *node, Part *part)
{
    static const char *const keys[] = { "least", "most", NULL };
    if (!node) return;
    if (node->kind == NODE_MAP) {
        complain_unknown_keys(r->complaints, r->tree, node, keys);
        part->blocks_least = blocks_within(r, node_get(node, "least"), part->blocks_least);
        part->blocks_most = blocks_within(r, node_get(node, "most"), part->blocks_least);
        if (part->blocks_most < part->blocks_least)
            complain(r->complaints, r->tree, node, "blocks: most is less than least");
    } else part->blocks_least = part->blocks_most = blocks_within(r, node, part->blocks_least);
}

static void usual_blocks(const SpecReader *r, Part *part)
{
    const int smoke = !strcmp(r->profile, "smoke"), paper = !strcmp(r->profile, "paper");
    part->blocks_least = smoke ? 2 : 6;
    part->blocks_most = smoke ? 2 : paper ? 21 : 6;
}

static void read_fast_memory(SpecReader *r, const Node *node, Part *part)
{
    const Node *word[FAST_MEMORIES_MAX - 1];
    const int count = node ? spec_words(r, node, word, FAST_MEMORIES_MAX - 1) : 0;
    for (int i = 0; i < count; i++) read_bytes(r, word[i], &part->fast_memory[i]);
}

static void read_flag(SpecReader *r, const Node *node, const char *key, int *out)
{
    int64_t value = 0;
    if (!node) return;
    if (!node_integer(node, &value) || value < 0 || value > 1)
        complain(r->complaints, r->tree, node, "%s: 0 or 1 is wanted", key);
    *out = (int)value;
}

/* What the profile says stands before the part's word, and that before the spec's. */
typedef struct { const Node *top, *part, *profile; } Sources;

static const Node *pick(const Sources *s, const char *key)
{
    const Node *node = node_get(s->profile, key);
    if (!node) node = node_get(s->part, key);
    return node ? node : node_get(s->top, key);
}

static const Node *pick_hardware(const Sources *s, const char *key)
{
    const Node *own = node_get(s->profile, key);
    return own ? own : node_get(pick(s, "hardware"), key);
}

static void read_choices(SpecReader *r, const Sources *s, Part *part)
{
    static const Node best = { .kind = NODE_SCALAR, .text = "best" },
                      one = { .kind = NODE_SCALAR, .text = "1" },
                      f32 = { .kind = NODE_SCALAR, .text = "f32" },
                      fwd = { .kind = NODE_SCALAR, .text = "fwd" },
                      time = { .kind = NODE_SCALAR, .text = "time" };
    const Node *dtype = pick(s, "dtype"), *pass = pick(s, "pass"),
               *instrument = pick(s, "instruments");
    read_map_keys(r, pick(s, "hardware"), "hardware", hardware_keys);
    const Node *isa = pick_hardware(s, "isa"), *threads = pick_hardware(s, "threads");
    spec_dtypes(r, dtype ? dtype : &f32, part);
    spec_passes(r, pass ? pass : &fwd, part);
    spec_instruments(r, instrument ? instrument : &time, part);
    spec_isas(r, isa ? isa : &best, part);
    spec_threads(r, threads ? threads : &one, part);
}

static const Node *profile_of(const SpecReader *r, const Node *map)
{
    return node_get(node_get(map, "profiles"), r->profile);
}

/* 0: the profile leaves this part out. */
static int read_part(SpecReader *r, const Sources *s, Part *part)
{
    int skip = 0;
    const Node *compare = pick(s, "compare");
    if (compare) spec_arms(r, compare, part);
    else
        complain(r->complaints, r->tree, s->part,
                 "compare: the arms are missing, as [attention/blas, flash_attention]");
    spec_sweep(r, pick(s, "sweep"), pick(s, "fixed"), s->profile, part);
    read_choices(r, s, part);
    usual_blocks(r, part);
    read_blocks(r, pick(s, "blocks"), part);
    read_duration(r, pick(s, "budget"), &part->budget_ns);
    read_fast_memory(r, pick(s, "fast_memory"), part);
    read_flag(r, pick(s, "cold"), "cold", &part->cold);
    read_flag(r, node_get(s->profile, "skip"), "skip", &skip);
    if (part->exact) part->blocks_least = part->blocks_most = 1;
    if (r->complaints->count == 0) spec_combinations(r, part);
    return !skip;
}

static void part_free(Part *part)
{
    for (int i = 0; i < part->axes; i++) free(part->axis[i].value);
}

/* ---- profiles: their names, and that each key is something ---------------------------- */

static int sweeps(const Node *map, const char *name)
{
    for (int i = 0; map && map->kind == NODE_MAP && i < map->count; i++) {
        const Node *item = map->item[i];
        if (!strcmp(map->key[i]->text, name)) return 1;
        if (!strcmp(map->key[i]->text, "together") && item->kind == NODE_LIST && item->count &&
            node_get(item->item[0], name)) return 1;
    }
    return 0;
}

static int some_part_sweeps(const Node *root, const char *name)
{
    const Node *parts = node_get(root, "parts");
    int found = sweeps(node_get(root, "sweep"), name) || sweeps(node_get(root, "fixed"), name);
    for (int i = 0; parts && parts->kind == NODE_LIST && i < parts->count; i++)
        found = found || sweeps(node_get(parts->item[i], "sweep"), name) ||
                sweeps(node_get(parts->item[i], "fixed"), name);
    return found;
}

static void check_profile(SpecReader *r, const Node *root, const Node *profile)
{
    if (profile->kind != NODE_MAP) {
        complain(r->complaints, r->tree, profile, "a profile is a map, as {T: {to: 4096}}");
        return;
    }
    for (int i = 0; i < profile->count; i++) {
        const Node *key = profile->key[i];
        if (is_word_of(key->text, profile_keys) || some_part_sweeps(root, key->text)) continue;
        complain(r->complaints, r->tree, key,
                 "a profile changes parameters of the sweep, or blocks, budget, dtype, "
                 "pass, isa, threads, skip; '%s' is none of them%s",
                 key->text, spec_guess(key->text, profile_keys, 7));
    }
}

static void check_profiles(SpecReader *r, const Node *root, const Node *map)
{
    const Node *profiles = node_get(map, "profiles");
    if (!read_map_keys(r, profiles, "profiles", profile_names)) return;
    for (int i = 0; i < profiles->count; i++) check_profile(r, root, profiles->item[i]);
}

/* ---- complaints -------------------------------------------------------------------------------
 */

/* `line`, with its end, is one of those in [text, end). */
static int is_listed(const char *text, const char *end, const char *line, size_t length)
{
    for (; text < end; text += strcspn(text, "\n") + 1)
        if (!strncmp(text, line, length)) return 1;
    return 0;
}

/* What several parts take from the spec's top is complained of for each of them: once is enough. */
static void drop_repeated(Complaints *c, size_t from)
{
    if (c->used == from) return;
    char *first = c->text + from, *out = first;
    for (const char *line = first, *next; *line; line = next) {
        const size_t length = strcspn(line, "\n") + 1;
        next = line + length;
        if (is_listed(first, out, line, length)) { c->count--; continue; }
        memmove(out, line, length);
        out += length;
    }
    *out = 0;
    c->used = (size_t)(out - c->text);
}

/* ---- the whole ------------------------------------------------------------------------ */

static void read_parts(SpecReader *r, const Node *root, Spec *spec)
{
    const Node *parts = node_get(root, "parts");
    const int listed = parts && parts->kind == NODE_LIST, count = listed ? parts->count : 1;
    if (parts && (!listed || count == 0 || count > PARTS_MAX)) {
        complain(r->complaints, r->tree, parts, "parts: a list of 1 to %d maps is wanted",
                 PARTS_MAX);
        return;
    }
    spec->part = calloc((size_t)count, sizeof *spec->part);
    if (!spec->part) { r->status = NO_MEMORY; return; }
    for (int i = 0; i < count; i++) {
        const Node *own = listed ? parts->item[i] : root, *profile = profile_of(r, root);
        if (listed && !read_map_keys(r, own, "a part", part_keys)) continue;
        if (listed) check_profiles(r, root, own);
        if (listed && profile_of(r, own)) profile = profile_of(r, own);
        const Sources s = { root, own, profile };
        Part *part = &spec->part[spec->parts];
        if (read_part(r, &s, part)) spec->parts++;
        else {
            part_free(part);
            *part = (Part){ .arms = 0 };
        }
    }
}

static void read_figures(SpecReader *r, const Node *root, Spec *spec)
{
    const Node *figures = node_get(root, "figures");
    if (!figures) return;
    if (figures->kind != NODE_LIST) {
        complain(r->complaints, r->tree, figures, "figures: a list of maps is wanted");
        return;
    }
    for (int i = 0; i < figures->count; i++) figure_check(r->tree, figures->item[i], r->complaints);
    spec->figures = figures;
}

static void read_root(SpecReader *r, const Node *root, Spec *spec)
{
    if (root->kind != NODE_MAP) {
        complain(r->complaints, r->tree, root,
                 "an experiment is a map: experiment, compare, sweep, ...");
        return;
    }
    complain_unknown_keys(r->complaints, r->tree, root, top_keys);
    spec->name = text_of(r, root, "experiment", 1);
    spec->title = text_of(r, root, "title", 1);
    spec->paper = text_of(r, root, "paper", 0);
    spec_check_name(r, root, "experiment");
    spec_check_name(r, root, "paper");
    read_limits(r, root, spec);
    read_epsilon(r, root, spec);
    read_seeds(r, root, spec);
    check_profiles(r, root, root);
    read_parts(r, root, spec);
    read_figures(r, root, spec);
}

static Status read_text(Spec *spec, const char *path, Err *err)
{
    size_t size;
    Status status = tree_read_file(path, &spec->text, &size, err);
    if (status) return status;
    spec->path = malloc(strlen(path) + 1);
    if (!spec->path) return fail(err, NO_MEMORY, "%s: no memory to read it", path);
    strcpy(spec->path, path);
    return tree_parse_yaml(&spec->tree, path, spec->text, size, err);
}

Status spec_open(Spec *spec, const char *path, const char *profile, Complaints *complaints,
                 Err *err)
{
    const int before = complaints->count;
    const size_t used = complaints->used;
    *spec = (Spec){ .name = "", .title = "", .paper = "" };
    const Status status = read_text(spec, path, err);
    if (status) return status;
    SpecReader r = { .complaints = complaints, .tree = spec->tree, .profile = profile };
    read_root(&r, tree_root(spec->tree), spec);
    drop_repeated(complaints, used);
    if (r.status) return fail(err, r.status, "%s: no memory to read it", path);
    if (complaints->count == before) return OK;
    return fail(err, BAD_INPUT, "%s: %d complaint%s", path, complaints->count - before,
                complaints->count - before == 1 ? "" : "s");
}

void spec_close(Spec *spec)
{
    for (int i = 0; i < spec->parts; i++) part_free(&spec->part[i]);
    free(spec->part);
    free(spec->path);
    free(spec->text);
    tree_close(spec->tree);
    *spec = (Spec){ .name = "" };
}
