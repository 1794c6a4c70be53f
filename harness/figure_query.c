/* SPDX-License-Identifier: Apache-2.0 */
/* From a `figures:` entry to SQL, written out in full: a figure shows its query, and anybody can
 * paste it into `attest query`. */
#include "figure_query.h"

#include <string.h>

/* What `y` may name. Rows of `failing` views also show the points that never got a value. */
static const struct {
    const char *name, *view, *y, *low, *high, *label;
    double      scale;
    int         failing;
} quantities[] = {
    { "time", "v_time", "median_ns", "low_ns", "high_ns", "time of one call (ms)", 1e-6, 1 },
    { "gflops", "v_time", "gflops", "flops / high_ns", "flops / low_ns", "useful GFLOP/s", 1, 1 },
    { "limit", "v_time", "100 * fraction_of_limit", "100 * fraction_of_limit * median_ns / high_ns",
      "100 * fraction_of_limit * median_ns / low_ns", "share of this machine's measured limit (%)",
      1, 1 },
    { "speedup", "v_speedup", "ratio", "low", "high", "times faster", 1, 0 },
    { "memory", "v_memory", "total_bytes", "total_bytes", "total_bytes",
      "tensors and workspace (MiB)", 1.0 / 1048576, 1 },
    { "workspace", "v_memory", "workspace_bytes", "workspace_bytes", "workspace_bytes",
      "workspace (MiB)", 1.0 / 1048576, 1 },
    { "error", "v_accuracy", "error_rel", "error_rel", "error_rel",
      "largest error / largest value, against float64", 1, 1 },
    { "rmse", "v_accuracy", "rmse", "rmse", "rmse", "root mean square error against float64", 1,
      1 },
    { "traffic", "v_cache", "slow_bytes", "slow_bytes", "slow_bytes",
      "moved between the two memories, a head (MiB)", 1.0 / 1048576, 0 },
    { "work", "v_count", "counted", "counted", "counted", "operations counted (millions)", 1e-6,
      0 },
    { "lap", "v_lap", "time_ns", "low_ns", "high_ns", "time of one call (ms)", 1e-6, 0 },
};
enum { QUANTITIES = sizeof quantities / sizeof *quantities };

/* Columns that stand for themselves; any other name is a parameter. */
static const char *const columns[] = { "variant",    "isa",       "dtype",   "pass",
                                       "phase",      "name",      "at",      "fast_bytes",
                                       "b_method",   "b_variant", "b_isa",   "clock",
                                       "limit_name", "machine",   "threads", NULL };

static const char *const entry_keys[] = { "name",    "title",       "kind",         "x",
                                          "y",       "series",      "facet",        "where",
                                          "query",   "paper_query", "paper_series", "log",
                                          "x_label", "y_label",     "scale",        "reference",
                                          "fit",     "stack",       "note",         NULL };

static int listed(const char *const *list, const char *text)
{
    for (; *list; list++)
        if (strcmp(*list, text) == 0)
            return 1;
    return 0;
}

static int quantity_of(const char *name)
{
    for (int i = 0; i < QUANTITIES; i++)
        if (strcmp(quantities[i].name, name) == 0)
            return i;
    return -1;
}

/* ---- checking ------------------------------------------------------------------------------- */

static void check_choice(Complaints *c, const Tree *tree, const Node *entry, const char *key,
                         const char *const *choices)
{
    static const Node *const none = NULL;
    const Node *node = node_get(entry, key);
    if (node == none)
        return;
    if (node->kind != NODE_SCALAR || !listed(choices, node->text))
        complain(c, tree, node, "%s is one of %s, %s%s%s", key, choices[0], choices[1],
                 choices[2] ? ", " : "", choices[2] ? choices[2] : "");
}

/* A name enters the SQL as it is, so it must be a name. */
static void check_name(Complaints *c, const Tree *tree, const Node *node)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const size_t length = node->kind == NODE_SCALAR ? strspn(node->text, letters) : 0;
    if (length == 0 || node->text[length])
        complain(c, tree, node, "a parameter's or a column's name should stand here");
}

static void check_names(Complaints *c, const Tree *tree, const Node *node)
{
    if (!node)
        return;
    for (int i = 0; node->kind == NODE_LIST && i < node->count; i++)
        check_name(c, tree, node->item[i]);
    if (node->kind != NODE_LIST)
        check_name(c, tree, node);
}

static void check_length(Complaints *c, const Tree *tree, const Node *entry, const char *key,
                         size_t most)
{
    if (strlen(node_text(entry, key, "")) > most)
        complain(c, tree, node_get(entry, key), "%s: at most %zu bytes fit into a figure", key,
                 most);
}

void figure_check(const Tree *tree, const Node *entry, Complaints *c)
{
    static const char *const kinds[] = { "line", "bars", "scatter", NULL },
                             *const logs[] = { "x", "y", "xy", "none", NULL },
                             *const fits[] = { "line", "none", NULL },
                             *const truths[] = { "true", "false", NULL };
    if (entry->kind != NODE_MAP) {
        complain(c, tree, entry, "a figure is a map with name, kind, x and y");
        return;
    }
    complain_unknown_keys(c, tree, entry, entry_keys);
    if (!*node_text(entry, "name", ""))
        complain(c, tree, entry, "a figure needs name");
    check_choice(c, tree, entry, "kind", kinds);
    check_choice(c, tree, entry, "log", logs);
    check_choice(c, tree, entry, "fit", fits);
    check_choice(c, tree, entry, "stack", truths);
    check_names(c, tree, node_get(entry, "name"));
    check_length(c, tree, entry, "name", 60);
    for (const char *const *key =
             (const char *const[]){ "title", "x_label", "y_label", "note", NULL }; *key; key++)
        check_length(c, tree, entry, *key, 200);
    if (node_get(entry, "query"))
        return;
    for (const char *const *key = (const char *const[]){ "x", "y", "series", "facet", NULL }; *key;
         key++)
        check_names(c, tree, node_get(entry, *key));
    if (!node_get(entry, "x") || !node_get(entry, "y"))
        complain(c, tree, entry, "a figure needs x and y, or query");
    else if (quantity_of(node_text(entry, "y", "")) < 0)
        complain(c, tree, node_get(entry, "y"),
                 "y is one of time, gflops, limit, speedup, memory, workspace, error, rmse, "
                 "traffic, work, lap");
}

/* ---- writing the query ---------------------------------------------------------------------- */

static void put_literal(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'')
            fputc('\'', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

/* The value that a series or a panel is named by: "flash_attention/online", "avx2", "causal=1". */
static void put_part(FILE *out, const char *name)
{
    if (strcmp(name, "method") == 0)
        fputs("method || '/' || variant", out);
    else if (strcmp(name, "threads") == 0)
        fputs("'threads=' || threads", out);
    else if (strcmp(name, "fast_bytes") == 0)
        fputs("CAST(fast_bytes / 1024 AS INTEGER) || ' KiB'", out);
    else if (listed(columns, name))
        fputs(name, out);
    else
        fprintf(out, "'%s=' || (p->>'%s')", name, name);
}

static void put_parts(FILE *out, const Node *names)
{
    if (!names) {
        fputs("''", out);
    } else if (names->kind == NODE_SCALAR) {
        put_part(out, names->text);
    } else {
        for (int i = 0; i < names->count; i++) {
            fputs(i ? " || ', ' || " : "", out);
            put_part(out, names->item[i]->text);
        }
        fputs(names->count ? "" : "''", out);
    }
}

static void put_x(FILE *out, const char *name)
{
    if (strcmp(name, "method") == 0)
        put_part(out, name);
    else if (listed(columns, name))
        fputs(name, out);
    else
        fprintf(out, "p->>'%s'", name);
}

static void put_select(FILE *out, const Node *entry, const char *view, const char *y,
                       const char *low, const char *high)
{
    fputs("SELECT ", out);
    put_parts(out, node_get(entry, "facet"));
    fputs(" AS facet, ", out);
    put_parts(out, node_get(entry, "series"));
    fputs(" AS series, ", out);
    put_x(out, node_text(entry, "x", ""));
    fprintf(out, " AS x, %s AS y, %s AS low, %s AS high, ", y, low, high);
    fprintf(out, "%s AS outcome, %s AS point\nFROM %s\n", *y == 'N' ? "outcome" : "'ok'",
            strcmp(view, "v_speedup") == 0 ? "a" : "point", view);
}

static void put_where(FILE *out, const Node *entry, const char *experiment, const char *point)
{
    const char *where = node_text(entry, "where", "");
    fprintf(out, "WHERE %s IN (SELECT point FROM v_outcome WHERE experiment = ", point);
    put_literal(out, experiment);
    fputs(")", out);
    if (*where)
        fprintf(out, "\n  AND (%s)", where);
}

void figure_put_query(FILE *out, const Node *entry, const char *experiment)
{
    const char *given = node_text(entry, "query", "");
    if (*given) {
        fputs(given, out);
        return;
    }
    const int q = quantity_of(node_text(entry, "y", ""));
    const char *view = quantities[q].view;
    put_select(out, entry, view, quantities[q].y, quantities[q].low, quantities[q].high);
    put_where(out, entry, experiment, strcmp(view, "v_speedup") == 0 ? "a" : "point");
    if (quantities[q].failing) {
        fputs("\nUNION ALL\n", out);
        put_select(out, entry, "v_point", "NULL", "NULL", "NULL");
        put_where(out, entry, experiment, "point");
        fprintf(out,
                "\n  AND outcome <> 'ok' AND NOT EXISTS (SELECT 1 FROM %s q WHERE q.point = "
                "v_point.point)", view);
    }
    fputs("\nORDER BY 1, 2, 3", out);
}

/* ---- published values ----------------------------------------------------------------------- */

static void put_pairs(FILE *out, const Paper *paper)
{
    fputs(" AND series IN (", out);
    for (int i = 0; i < paper->series_count; i++) {
        fputs(i ? ", " : "", out);
        put_literal(out, paper->series[i].paper);
    }
    fputs(")", out);
}

static void put_published(FILE *out, const Node *item, const Paper *paper)
{
    double scale = 1;
    if (!node_number(node_get(item, "scale"), &scale))
        scale = 1;
    fputs("SELECT ", out);
    put_literal(out, node_text(item, "facet", ""));
    fprintf(out, " AS facet, series, x, %.15g * y AS y, setting FROM v_paper\nWHERE paper = ",
            scale);
    put_literal(out, paper->id);
    fputs(" AND table_name = ", out);
    put_literal(out, node_text(item, "table", ""));
    if (strcmp(node_text(item, "all", "false"), "true") != 0)
        put_pairs(out, paper);
}

/* `true` alone: times as the paper's plain tables print them, in the panel of their pass. */
static void put_published_plain(FILE *out, const Paper *paper)
{
    fputs("SELECT p->>'pass' AS facet, series, x, y, setting FROM v_paper\nWHERE paper = ", out);
    put_literal(out, paper->id);
    fputs(" AND unit = 'ms' AND p->>'dropout' = '0' AND p->>'mask' = 'none'", out);
    put_pairs(out, paper);
}

void figure_put_paper_query(FILE *out, const Node *entry, const Paper *paper)
{
    const Node *series = node_get(entry, "paper_series");
    const char *given = node_text(entry, "paper_query", "");
    if (*given) {
        fputs(given, out);
    } else if (paper && series && series->kind == NODE_MAP) {
        put_published(out, series, paper);
    } else if (paper && series && series->kind == NODE_LIST) {
        for (int i = 0; i < series->count; i++) {
            fputs(i ? "\nUNION ALL\n" : "", out);
            put_published(out, series->item[i], paper);
        }
    } else if (paper && series && strcmp(series->text, "true") == 0) {
        put_published_plain(out, paper);
    } else {
        return;
    }
    fputs(*given ? "" : "\nORDER BY 1, 2, 3", out);
}

const char *figure_default_label(const Node *entry)
{
    const int q = node_get(entry, "query") ? -1 : quantity_of(node_text(entry, "y", ""));
    return q < 0 ? "" : quantities[q].label;
}

double figure_default_scale(const Node *entry)
{
    const int q = node_get(entry, "query") ? -1 : quantity_of(node_text(entry, "y", ""));
    return q < 0 ? 1 : quantities[q].scale;
}
