/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML of papers/NAME to structs. A claim's entry is checked key by key; all text stays owned
 * by the two trees, so a Paper is only pointers into them. */
#include "file.h"
#include "home.h"
#include "paper.h"

#include "../kernels/core/problem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const record_keys[] = { "id",        "title",   "authors",  "year",
                                           "arxiv",     "venue",   "guide",    "companions",
                                           "builds_on", "methods", "series",   "experiments",
                                           "links",     "errata",  "untested", NULL };
static const char *const claim_keys[] = { "id",
                                          "where",
                                          "says",
                                          "paper",
                                          "kind",
                                          "experiment",
                                          "evidence",
                                          "expect",
                                          "band",
                                          "direction",
                                          "baseline",
                                          "protocol",
                                          "flop_convention",
                                          "substitution",
                                          "not_testable",
                                          "under_specified",
                                          NULL };
static const char *const value_keys[] = { "value", "unit", "setting", NULL };
static const char *const expect_keys[] = { "at_least", "at_most",   "between",
                                           "equals",   "tolerance", NULL };
const char *const claim_kinds[] = { "count", "cache", "time", "quality", NULL };

static int listed(const char *const *list, const char *text)
{
    for (; *list; list++)
        if (strcmp(*list, text) == 0)
            return 1;
    return 0;
}

/* ---- bands ---------------------------------------------------------------------------------- */

static double number_or_complain(Complaints *c, const Tree *tree, const Node *node)
{
    double value = 0;
    if (!node_number(node, &value) || !isfinite(value))
        complain(c, tree, node, "a number should stand here");
    return value;
}

static void read_bounds(Complaints *c, const Tree *tree, const Node *key, const Node *value,
                        Expect *out)
{
    const char *name = key->text;
    if (strcmp(name, "between") == 0) {
        if (value->kind != NODE_LIST || value->count != 2) {
            complain(c, tree, value, "between takes two numbers: [low, high]");
            return;
        }
        out->kind = EXPECT_BETWEEN;
        out->asked_low = number_or_complain(c, tree, value->item[0]);
        out->asked_high = number_or_complain(c, tree, value->item[1]);
        if (out->asked_low > out->asked_high)
            complain(c, tree, value, "between goes from %g down to %g; write the lower one first",
                     out->asked_low, out->asked_high);
        return;
    }
    const double x = number_or_complain(c, tree, value);
    const int at_least = strcmp(name, "at_least") == 0, at_most = strcmp(name, "at_most") == 0;
    out->kind = at_least ? EXPECT_AT_LEAST : at_most ? EXPECT_AT_MOST : EXPECT_EQUALS;
    out->asked_low = at_most ? -INFINITY : x;
    out->asked_high = at_least ? INFINITY : x;
}

static void read_expect(Complaints *c, const Tree *tree, const Node *node, Expect *out)
{
    *out = (Expect){
        .low = -INFINITY, .high = INFINITY, .asked_low = -INFINITY, .asked_high = INFINITY
    };
    if (!node)
        return;
    if (node->kind != NODE_MAP) {
        complain(c, tree, node, "a band is a map, as {at_least: 2, tolerance: 5%%}");
        return;
    }
    complain_unknown_keys(c, tree, node, expect_keys);
    int bounds = 0;
    for (int i = 0; i < node->count; i++) {
        if (strcmp(node->key[i]->text, "tolerance") == 0)
            out->tolerance = number_or_complain(c, tree, node->item[i]);
        else if (listed(expect_keys, node->key[i]->text) && ++bounds)
            read_bounds(c, tree, node->key[i], node->item[i], out);
    }
    if (bounds != 1)
        complain(c, tree, node, "a band has exactly one of at_least, at_most, between, equals");
    if (out->tolerance < 0)
        complain(c, tree, node, "a tolerance below zero would narrow the band");
    out->low = out->asked_low - out->tolerance * (isinf(out->asked_low) ? 0 : fabs(out->asked_low));
    out->high =
        out->asked_high + out->tolerance * (isinf(out->asked_high) ? 0 : fabs(out->asked_high));
}

const char *expect_print(const Expect *e, char *out, size_t size)
{
    char tolerance[32] = "";
    if (e->tolerance > 0)
        snprintf(tolerance, sizeof tolerance, " (%s%g %%)",
                 e->kind == EXPECT_AT_LEAST  ? "−"
                 : e->kind == EXPECT_AT_MOST ? "+"
                                             : "±",
                 100 * e->tolerance);
    switch (e->kind) {
    case EXPECT_NONE:     snprintf(out, size, "%s", ""); break;
    case EXPECT_AT_LEAST: snprintf(out, size, "at least %g%s", e->asked_low, tolerance); break;
    case EXPECT_AT_MOST:  snprintf(out, size, "at most %g%s", e->asked_high, tolerance); break;
    case EXPECT_BETWEEN:
        snprintf(out, size, "%g to %g%s", e->asked_low, e->asked_high, tolerance);
        break;
    case EXPECT_EQUALS:   snprintf(out, size, "%g%s", e->asked_low, tolerance); break;
    }
    return out;
}

/* ---- claims --------------------------------------------------------------------------------- */

/* How a claim will be decided: by evidence and a band, or not at all and why. */
static void check_decision(Complaints *c, const Tree *tree, const Claim *claim)
{
    const int refused = *claim->not_testable != 0, vague = *claim->under_specified != 0;
    if (refused && vague)
        complain(c, tree, claim->entry, "%s: not_testable or under_specified, not both", claim->id);
    if ((refused || vague) && *claim->evidence)
        complain(c, tree, claim->entry, "%s: evidence beside a reason why there is none",
                 claim->id);
    if (!refused && !vague && claim->expect.kind == EXPECT_NONE)
        complain(c, tree, claim->entry,
                 "%s: nothing to judge by; give expect, or not_testable with the reason",
                 claim->id);
    if (!refused && !vague && strcmp(claim->kind, "time") == 0 && *claim->experiment &&
        !*claim->protocol)
        complain(c, tree, claim->entry, "%s: a timing claim states its protocol", claim->id);
    /* The weaker band must hold the stronger one, or "partly" would mean nothing. */
    if (claim->direction.kind != EXPECT_NONE
        && (claim->direction.low > claim->expect.low || claim->direction.high < claim->expect.high))
        complain(c, tree, claim->entry, "%s: direction must hold all of expect", claim->id);
}

static void read_claim(Complaints *c, const Tree *tree, const Node *entry, Claim *claim)
{
    static const Node nothing = { .kind = NODE_MAP };
    *claim = (Claim){ .entry = entry, .line = entry->line };
    const struct { const char **field, *key; int needed;
    } text[] = { { &claim->id, "id", 1 },
                 { &claim->where, "where", 1 },
                 { &claim->says, "says", 1 },
                 { &claim->kind, "kind", 1 },
                 { &claim->experiment, "experiment", 0 },
                 { &claim->evidence, "evidence", 0 },
                 { &claim->band, "band", 0 },
                 { &claim->baseline, "baseline", 0 },
                 { &claim->protocol, "protocol", 0 },
                 { &claim->flop_convention, "flop_convention", 0 },
                 { &claim->substitution, "substitution", 0 },
                 { &claim->not_testable, "not_testable", 0 },
                 { &claim->under_specified, "under_specified", 0 } };
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        *text[i].field = node_text(entry, text[i].key, "");
        if (text[i].needed && !**text[i].field)
            complain(c, tree, entry, "a claim needs %s", text[i].key);
    }
    if (entry->kind == NODE_MAP)
        complain_unknown_keys(c, tree, entry, claim_keys);
    if (*claim->experiment && !name_is_plain(claim->experiment))
        complain(c, tree, node_get(entry, "experiment"),
                 "experiment: a name as flashattention/runtime is wanted");
    if (*claim->kind && !listed(claim_kinds, claim->kind))
        complain(c, tree, node_get(entry, "kind"),
                 "kind is count, cache, time or quality, not \"%s\"", claim->kind);
    const Node *paper = node_get(entry, "paper");
    if (paper && paper->kind == NODE_MAP)
        complain_unknown_keys(c, tree, paper, value_keys);
    else
        paper = &nothing;
    claim->paper_value = node_text(paper, "value", "");
    claim->paper_unit = node_text(paper, "unit", "");
    claim->paper_setting = node_text(paper, "setting", "");
    read_expect(c, tree, node_get(entry, "expect"), &claim->expect);
    read_expect(c, tree, node_get(entry, "direction"), &claim->direction);
    check_decision(c, tree, claim);
}

static Status read_claims(Paper *paper, Complaints *c, Err *err)
{
    const Node *root = tree_root(paper->list);
    if (!root || root->kind != NODE_LIST)
        return fail(err, BAD_INPUT, "%s:1:1: a list of claims should stand here",
                    tree_name(paper->list));
    paper->claim = calloc((size_t)root->count + 1, sizeof *paper->claim);
    if (!paper->claim)
        return fail(err, NO_MEMORY, "no memory for %d claims", root->count);
    paper->claims = root->count;
    for (int i = 0; i < root->count; i++) {
        read_claim(c, paper->list, root->item[i], &paper->claim[i]);
        for (int k = 0; k < i; k++)
            if (*paper->claim[i].id && strcmp(paper->claim[i].id, paper->claim[k].id) == 0)
                complain(c, paper->list, root->item[i], "id \"%s\" was used in line %d",
                         paper->claim[i].id, paper->claim[k].line);
    }
    return OK;
}

/* ---- the record ----------------------------------------------------------------------------- */

static Status read_record(Paper *paper, Complaints *c, Err *err)
{
    const Node *root = tree_root(paper->record);
    if (!root || root->kind != NODE_MAP)
        return fail(err, BAD_INPUT, "%s:1:1: a map should stand here", tree_name(paper->record));
    complain_unknown_keys(c, paper->record, root, record_keys);
    paper->title = node_text(root, "title", "");
    paper->arxiv = node_text(root, "arxiv", "");
    paper->venue = node_text(root, "venue", "");
    paper->year = node_text(root, "year", "");
    if (!*paper->title)
        complain(c, paper->record, root, "a paper needs title");
    if (strcmp(node_text(root, "id", ""), paper->id) != 0)
        complain(c, paper->record, root, "id must be the folder's name, %s", paper->id);
    const Node *series = node_get(root, "series");
    const int pairs = series && series->kind == NODE_LIST ? series->count : 0;
    paper->series = calloc((size_t)pairs + 1, sizeof *paper->series);
    if (!paper->series)
        return fail(err, NO_MEMORY, "no memory for %d series", pairs);
    paper->series_count = pairs;
    for (int i = 0; i < pairs; i++)
        paper->series[i] = (SeriesPair){ node_text(series->item[i], "paper", ""),
                                         node_text(series->item[i], "ours", "") };
    return OK;
}

const char *paper_ours(const Paper *paper, const char *published_series)
{
    for (int i = 0; paper && i < paper->series_count; i++)
        if (strcmp(paper->series[i].paper, published_series) == 0)
            return paper->series[i].ours;
    return NULL;
}

/* ---- files ---------------------------------------------------------------------------------- */

static Status no_such_paper(const char *id, Err *err)
{
    char **ids = NULL, known[300] = "";
    int count = 0;
    const Status trouble = papers_list(&ids, &count, err);
    if (trouble)
        return trouble;
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", ids[i]);
    }
    const char *near = did_you_mean(id, (const char *const *)ids, count);
    const Status status =
        near ? fail(err, BAD_INPUT, "there is no paper '%.100s'; did you mean '%s'?", id, near)
             : fail(err, BAD_INPUT, "there is no paper '%.100s'; papers/ has %s", id,
                    count ? known : "none");
    papers_free(ids, count);
    return status;
}

static Status open_tree(const Paper *paper, const char *file, Tree **tree, Err *err)
{
    char path[HOME_PATH];
    snprintf(path, sizeof path, "%s/%s", paper->folder, file);
    return tree_open_yaml(tree, path, err);
}

Status complaints_fail(const Complaints *complaints, Err *err)
{
    enum { ROOM = sizeof ((Err *)0)->text - 24 };
    size_t used = 0;
    int told = 0;
    for (const char *line = complaints->text; *line; told++) {
        const size_t length = strcspn(line, "\n") + 1;
        if (used + length > ROOM && told)
            break;
        used += length;
        line += line[length - 1] ? length : length - 1;
    }
    const int text = (int)(used ? used - 1 : 0);   /* without the last line's end */
    if (told >= complaints->count)
        return fail(err, BAD_INPUT, "%.*s", text, complaints->text);
    return fail(err, BAD_INPUT, "%.*s\nand %d more", text, complaints->text,
                complaints->count - told);
}

static Status name_paper(Paper *paper, const char *id, Err *err)
{
    *paper = (Paper){ 0 };
    if (strlen(id) >= sizeof paper->id || strchr(id, '/') || !name_is_plain(id))
        return no_such_paper(id, err);
    strcpy(paper->id, id);
    char name[sizeof paper->id + 8], path[HOME_PATH];
    snprintf(name, sizeof name, "papers/%s", id);
    home_path(path, name);
    paper->folder = strdup(path);
    return paper->folder ? OK : fail(err, NO_MEMORY, "no memory for a paper's name");
}

/* Closes the paper where something is wrong with its trees. */
static Status read_trees(Paper *paper, Status status, Err *err)
{
    Complaints complaints = { 0 };
    if (!status)
        status = read_record(paper, &complaints, err);
    if (!status)
        status = read_claims(paper, &complaints, err);
    if (!status && complaints.count)
        status = complaints_fail(&complaints, err);
    complaints_free(&complaints);
    if (status)
        paper_close(paper);
    return status;
}

Status paper_open(Paper *paper, const char *id, Err *err)
{
    struct stat found;
    Status status = name_paper(paper, id, err);
    if (!status && stat(paper->folder, &found))
        status = no_such_paper(id, err);
    if (!status)
        status = open_tree(paper, "paper.yaml", &paper->record, err);
    if (!status)
        status = open_tree(paper, "claims.yaml", &paper->list, err);
    return read_trees(paper, status, err);
}

Status paper_parse(Paper *paper, const char *id, PaperFile record, PaperFile claims, Err *err)
{
    Status status = name_paper(paper, id, err);
    if (!status)
        status = tree_parse_yaml(&paper->record, "paper.yaml", record.text, record.size, err);
    if (!status)
        status = tree_parse_yaml(&paper->list, "claims.yaml", claims.text, claims.size, err);
    return read_trees(paper, status, err);
}

void paper_close(Paper *paper)
{
    tree_close(paper->record);
    tree_close(paper->list);
    free(paper->folder);
    free(paper->claim);
    free(paper->series);
    *paper = (Paper){ 0 };
}
