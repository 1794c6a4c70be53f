/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters and their values: lists, ranges, rows of several parameters that change together,
 * and what a profile makes of them. */
#include "spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const range_keys[] = { "from", "to", "factor", "step", NULL };

typedef struct {
    int64_t value[AXIS_VALUES_MAX];
    int     count;
} Values;

/* ---- names ---------------------------------------------------------------------------- */

int spec_has_param(const Part *part, const char *name)
{
    for (int i = 0; i < part->arms; i++)
        if (param_index(part->arm[i].method, name) >= 0) return 1;
    return 0;
}

static int known_params(const Part *part, const char **known, int most)
{
    int n = 0;
    for (int a = 0; a < part->arms; a++) {
        const Param *p = part->arm[a].method->param;
        for (int i = 0; p[i].name; i++) {
            int seen = 0;
            for (int k = 0; k < n && !seen; k++) seen = !strcmp(known[k], p[i].name);
            if (!seen && n < most) known[n++] = p[i].name;
        }
    }
    return n;
}

/* A parameter that only some arms have is left out for the others; one that none has is a slip. */
static int check_name(SpecReader *r, const Node *key, const Part *part)
{
    const char *known[2 * PARAM_MAX];
    if (part->arms == 0 || spec_has_param(part, key->text)) return 1;
    const int n = known_params(part, known, 2 * PARAM_MAX);
    const char *hint = spec_guess(key->text, known, n);
    complain(r->complaints, r->tree, key, "no arm has a parameter '%s'%s", key->text, hint);
    return 0;
}

/* ---- values -----------------------------------------------------------------------------------
 */

static int check_range(SpecReader *r, const Node *at, const char *name, int64_t value,
                       const Part *part)
{
    for (int a = 0; a < part->arms; a++) {
        const int i = param_index(part->arm[a].method, name);
        if (i < 0) continue;
        const Param *p = &part->arm[a].method->param[i];
        if (value >= p->low && value <= p->high) continue;
        complain(r->complaints, r->tree, at, "%s = %lld is outside %lld..%lld of %s", name,
                 (long long)value, (long long)p->low, (long long)p->high,
                 part->arm[a].method->name);
        return 0;
    }
    return 1;
}

static void add_value(SpecReader *r, const Node *at, const char *name, const Part *part,
                      Values *out)
{
    int64_t value;
    if (!node_integer(at, &value)) {
        complain(r->complaints, r->tree, at, "%s: '%s' is no whole number", name,
                 at->kind == NODE_SCALAR ? at->text : at->kind == NODE_LIST ? "a list" : "a map");
        return;
    }
    for (int i = 0; i < out->count; i++) {
        if (out->value[i] != value) continue;
        complain(r->complaints, r->tree, at, "%s = %lld is there already", name, (long long)value);
        return;
    }
    if (out->count == AXIS_VALUES_MAX)
        complain(r->complaints, r->tree, at, "%s has more than %d values", name, AXIS_VALUES_MAX);
    else if (check_range(r, at, name, value, part)) out->value[out->count++] = value;
}

/* 1: the key is there and holds a whole number of at least `least`. */
static int range_part(SpecReader *r, const Node *map, const char *key, int64_t least, int64_t *out)
{
    const Node *node = node_get(map, key);
    if (!node) return 0;
    if (node_integer(node, out) && *out >= least) return 1;
    complain(r->complaints, r->tree, node, "%s: a whole number of at least %lld is wanted", key,
             (long long)least);
    return 0;
}

/* {from: 128, to: 16384, factor: 2} or {from: 0, to: 100, step: 10}; `to` is the last if it is hit.
 */
static void read_range(SpecReader *r, const Node *map, const char *name, const Part *part,
                       Values *out)
{
    int64_t from = 0, to = 0, factor = 0, step = 0;
    const int before = r->complaints->count;
    complain_unknown_keys(r->complaints, r->tree, map, range_keys);
    const int has_from = range_part(r, map, "from", INT64_MIN, &from);
    const int has_to = range_part(r, map, "to", INT64_MIN, &to);
    const int has_factor = range_part(r, map, "factor", 2, &factor);
    const int has_step = range_part(r, map, "step", 1, &step);
    if (r->complaints->count > before) return;
    if (!has_from || !has_to || has_factor == has_step || (has_factor && from < 1)) {
        complain(r->complaints, r->tree, map,
                 "%s: a range is {from: A, to: B, factor: F} with A of at least 1, "
                 "or {from: A, to: B, step: S}",
                 name);
        return;
    }
    if (from > to) {
        complain(r->complaints, r->tree, map, "%s: from %lld to %lld is empty", name,
                 (long long)from, (long long)to);
        return;
    }
    if (!check_range(r, map, name, from, part) || !check_range(r, map, name, to, part)) return;
    for (int64_t value = from;; value = has_factor ? value * factor : value + step) {
        if (out->count == AXIS_VALUES_MAX) {
            complain(r->complaints, r->tree, map, "%s has more than %d values", name,
                     AXIS_VALUES_MAX);
            return;
        }
        out->value[out->count++] = value;
        if (has_factor ? value > to / factor : step > to - value) return;
    }
}

static void read_values(SpecReader *r, const Node *node, const char *name, const Part *part,
                        Values *out)
{
    out->count = 0;
    if (node->kind == NODE_MAP) read_range(r, node, name, part, out);
    else if (node->kind == NODE_SCALAR) add_value(r, node, name, part, out);
    else {
        if (node->count == 0) complain(r->complaints, r->tree, node, "%s: the list is empty", name);
        for (int i = 0; i < node->count; i++) add_value(r, node->item[i], name, part, out);
    }
}

/* ---- axes ----------------------------------------------------------------------------- */

static Axis *new_axis(SpecReader *r, Part *part, int columns, int rows, const Node *at)
{
    if (part->axes == AXES_MAX) {
        complain(r->complaints, r->tree, at, "more than %d parameters", AXES_MAX);
        return NULL;
    }
    Axis *axis = &part->axis[part->axes];
    *axis = (Axis){ .columns = columns, .rows = rows, .at = at };
    axis->value = malloc((size_t)columns * (size_t)rows * sizeof *axis->value);
    if (!axis->value) { r->status = NO_MEMORY; return NULL; }
    part->axes++;
    return axis;
}

static void add_axis(SpecReader *r, Part *part, const Node *key, const Values *values)
{
    Axis *axis = values->count ? new_axis(r, part, 1, values->count, key) : NULL;
    if (!axis) return;
    axis->name[0] = key->text;
    memcpy(axis->value, values->value, (size_t)values->count * sizeof *axis->value);
}

/* together: [{B: 32, T: 512}, {B: 16, T: 1024}] */
static void read_together(SpecReader *r, const Node *list, Part *part)
{
    const int before = r->complaints->count;
    if (list->kind != NODE_LIST || list->count == 0 || list->item[0]->kind != NODE_MAP ||
        list->item[0]->count == 0 || list->item[0]->count > AXES_MAX) {
        complain(r->complaints, r->tree, list,
                 "together: a list of maps is wanted, as [{B: 2, T: 64}, {B: 1, T: 128}]");
        return;
    }
    const Node *first = list->item[0];
    Axis *axis = new_axis(r, part, first->count, list->count, list);
    for (int c = 0; axis && c < first->count; c++) {
        axis->name[c] = first->key[c]->text;
        if (!check_name(r, first->key[c], part)) continue;
        for (int i = 0; i < list->count; i++) {
            const Node *row = list->item[i], *cell = node_get(row, axis->name[c]);
            Values one = { .count = 0 };
            if (!cell || row->count != first->count)
                complain(r->complaints, r->tree, row,
                         "together: each row needs the same parameters as the first");
            else add_value(r, cell, axis->name[c], part, &one);
            axis->value[i * first->count + c] = one.value[0];
        }
    }
    if (axis && r->complaints->count > before) {
        free(axis->value);
        part->axes--;
    }
}

/* ---- profiles: a list replaces the values, {from, to} keeps those within -------------- */

static int is_window(const Node *node)
{
    return node->kind == NODE_MAP && !node_get(node, "factor") && !node_get(node, "step");
}

static int within(const Node *window, int64_t value)
{
    int64_t from = INT64_MIN, to = INT64_MAX;
    if (node_get(window, "from")) node_integer(node_get(window, "from"), &from);
    if (node_get(window, "to")) node_integer(node_get(window, "to"), &to);
    return value >= from && value <= to;
}

static void keep_rows(Axis *axis, int column, const Node *window, const Values *list)
{
    int kept = 0;
    for (int i = 0; i < axis->rows; i++) {
        const int64_t *row = axis->value + i * axis->columns;
        int keep = window && within(window, row[column]);
        for (int k = 0; !window && k < list->count && !keep; k++)
            keep = row[column] == list->value[k];
        if (keep)
            memmove(axis->value + kept++ * axis->columns, row, (size_t)axis->columns * sizeof *row);
    }
    axis->rows = kept;
}

/* Rows of several parameters can only be chosen from, so there a list does not replace. */
static void change_axis(SpecReader *r, const Node *key, const Node *change, Part *part, Axis *axis,
                        int column)
{
    Values values = { .count = 0 };
    int64_t unused;
    if (is_window(change)) {
        static const char *const keys[] = { "from", "to", NULL };
        complain_unknown_keys(r->complaints, r->tree, change, keys);
        range_part(r, change, "from", INT64_MIN, &unused);
        range_part(r, change, "to", INT64_MIN, &unused);
        keep_rows(axis, column, change, NULL);
    } else {
        read_values(r, change, key->text, part, &values);
        if (axis->columns > 1) keep_rows(axis, column, NULL, &values);
        else if (values.count > 0) {
            int64_t *value = malloc((size_t)values.count * sizeof *value);
            if (!value) { r->status = NO_MEMORY; return; }
            memcpy(value, values.value, (size_t)values.count * sizeof *value);
            free(axis->value);
            axis->value = value;
            axis->rows = values.count;
        }
    }
    if (axis->rows == 0)
        complain(r->complaints, r->tree, change, "%s: nothing of the sweep is left in this profile",
                 key->text);
}

static void apply_profile(SpecReader *r, const Node *profile, Part *part)
{
    for (int i = 0; profile && profile->kind == NODE_MAP && i < profile->count; i++) {
        const Node *key = profile->key[i];
        for (int a = 0; a < part->axes; a++)
            for (int c = 0; c < part->axis[a].columns; c++)
                if (!strcmp(part->axis[a].name[c], key->text))
                    change_axis(r, key, profile->item[i], part, &part->axis[a], c);
    }
}

/* ---- sweep and fixed ------------------------------------------------------------------ */

static void check_once(SpecReader *r, const Node *key, const Part *part)
{
    int times = 0;
    for (int a = 0; a < part->axes; a++)
        for (int c = 0; c < part->axis[a].columns; c++)
            times += !strcmp(part->axis[a].name[c], key->text);
    if (times > 1) complain(r->complaints, r->tree, key, "'%s' is swept or fixed twice", key->text);
}

static void read_map(SpecReader *r, const Node *map, const char *what, Part *part)
{
    Values values;
    if (!map) return;
    if (map->kind != NODE_MAP) {
        complain(r->complaints, r->tree, map,
                 "%s: a map of parameters is wanted, as {T: [128, 256]}", what);
        return;
    }
    for (int i = 0; i < map->count; i++) {
        const Node *key = map->key[i];
        if (!strcmp(key->text, "together")) { read_together(r, map->item[i], part); continue; }
        if (!check_name(r, key, part)) continue;
        read_values(r, map->item[i], key->text, part, &values);
        if (!strcmp(what, "fixed") && values.count > 1)
            complain(r->complaints, r->tree, map->item[i],
                     "fixed: %s has %d values; put it into sweep", key->text, values.count);
        add_axis(r, part, key, &values);
        check_once(r, key, part);
    }
}

void spec_sweep(SpecReader *r, const Node *sweep, const Node *fixed, const Node *profile,
                Part *part)
{
    read_map(r, sweep, "sweep", part);
    read_map(r, fixed, "fixed", part);
    apply_profile(r, profile, part);
}

/* ---- combinations --------------------------------------------------------------------- */

int spec_next(const Part *part, int *row)
{
    for (int a = part->axes; a-- > 0;) {
        if (++row[a] < part->axis[a].rows) return 1;
        row[a] = 0;
    }
    return 0;
}

Status spec_problem(const Part *part, const SpecArm *arm, const int *row, Dtype dtype, Pass pass,
                    Problem *out, Err *err)
{
    uint32_t given = arm->given;
    problem_default(out, arm->method);
    for (int a = 0; a < part->axes; a++) {
        const Axis *axis = &part->axis[a];
        for (int c = 0; c < axis->columns; c++) {
            const int i = param_index(arm->method, axis->name[c]);
            if (i < 0) continue;
            out->value[i] = axis->value[row[a] * axis->columns + c];
            given |= 1u << i;
        }
    }
    for (int i = 0; arm->method->param[i].name; i++)
        if (arm->given & 1u << i) out->value[i] = arm->value[i];
    problem_follow(out, given);
    out->dtype = dtype;
    out->pass = pass;
    return problem_valid(out, err);
}

static void check_combination(SpecReader *r, const Part *part, const SpecArm *arm, const int *row,
                              Err *said)
{
    Problem problem;
    Err err;
    for (int p = 0; p < part->passes; p++) {
        if (!spec_problem(part, arm, row, F32, part->pass[p], &problem, &err)) continue;
        if (!strcmp(said->text, err.text)) continue;
        complain(r->complaints, r->tree, arm->at,
                 "%s makes no sense for some values of the sweep: %s", arm->at->text, err.text);
        *said = err;
    }
}

/* 0: there are none, or so many that nobody would live to see them measured. */
static int can_be_combined(SpecReader *r, const Part *part)
{
    int64_t combinations = 1;
    for (int a = 0; a < part->axes; a++) {
        combinations *= part->axis[a].rows;
        if (combinations <= COMBINATIONS_MAX) continue;
        complain(r->complaints, r->tree, part->axis[a].at,
                 "up to here the sweep has %lld combinations; at most %d are tried",
                 (long long)combinations, COMBINATIONS_MAX);
        return 0;
    }
    return combinations > 0;
}

/* The same sentence for each of a thousand combinations helps nobody: once an arm. */
void spec_combinations(SpecReader *r, const Part *part)
{
    if (!can_be_combined(r, part)) return;
    for (int i = 0; i < part->arms; i++) {
        int row[AXES_MAX] = { 0 };
        Err said = { "" };
        const int before = r->complaints->count;
        do check_combination(r, part, &part->arm[i], row, &said);
        while (spec_next(part, row) && r->complaints->count < before + 3);
    }
}
