/* SPDX-License-Identifier: Apache-2.0 */
/* attest list: what there is, from the descriptors, the papers' folders and the database. */
#include "cli.h"
#include "db.h"
#include "describe.h"
#include "home.h"
#include "paper.h"
#include "tree.h"

#include "../kernels/core/problem.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a table that grows ---------------------------------------------------------------------- */

enum { COLUMNS_MAX = 8 };

typedef struct {
    const char **cell;
    int          columns, cells, size;
    int          no_memory;
} List;

static void add_text(List *list, const char *text)
{
    if (list->cells == list->size) {
        const int size = list->size ? 2 * list->size : 256;
        const char **more = realloc(list->cell, (size_t)size * sizeof *more);
        if (!more) { list->no_memory = 1; return; }
        list->cell = more;
        list->size = size;
    }
    char *copy = malloc(strlen(text) + 1);
    if (!copy) { list->no_memory = 1; return; }
    list->cell[list->cells++] = strcpy(copy, text);
}

static void add_row(List *list, const char *const *text)
{
    for (int i = 0; i < list->columns; i++) add_text(list, text[i] ? text[i] : "");
}

static void list_open(List *list, const char *const *heading)
{
    *list = (List){ 0 };
    while (heading[list->columns]) list->columns++;
    add_row(list, heading);
}

static void list_close(List *list)
{
    for (int i = 0; i < list->cells; i++) free((char *)list->cell[i]);
    free(list->cell);
}

/* ---- what the descriptors say ---------------------------------------------------------------- */

static Status list_methods(const Call *call, List *list, Err *err)
{
    static const char *const heading[] = { "method", "title", "paper", "passes", "variants", NULL };
    (void)call, (void)err;
    list_open(list, heading);
    for (int i = 0; methods[i]; i++) {
        char names[200], passes[40];
        describe_variants(methods[i], names, sizeof names);
        describe_passes(method_passes(methods[i]), passes, sizeof passes);
        const char *const row[] = { methods[i]->name, methods[i]->title, methods[i]->paper, passes,
                                    names };
        add_row(list, row);
    }
    return OK;
}

/* One row a variant, whatever the number of instruction sets. */
static void add_variant(List *list, const Variant *first)
{
    char name[128], isas[80], passes[40], dtypes[40];
    snprintf(name, sizeof name, "%s/%s", first->method, first->name);
    const char *const row[] = {
        name,
        describe_passes(first->passes, passes, sizeof passes),
        describe_dtypes(variant_dtypes(first), dtypes, sizeof dtypes),
        describe_isas(first, 1, isas, sizeof isas),
        first->note,
    };
    add_row(list, row);
}

static Status list_variants(const Call *call, List *list, Err *err)
{
    static const char *const heading[] = { "variant", "passes", "dtypes", "runs here on", "note",
                                           NULL };
    (void)call, (void)err;
    list_open(list, heading);
    for (int k = 0; variants[k]; k++)
        if (variant_is_first(k)) add_variant(list, variants[k]);
    return OK;
}

/* ---- what the folders say -------------------------------------------------------------------- */

typedef void PaperRow(List *list, const Paper *paper);

static void add_paper(List *list, const Paper *paper)
{
    char claims[16];
    snprintf(claims, sizeof claims, "%d", paper->claims);
    const char *const row[] = { paper->id, paper->year, paper->arxiv, claims, paper->title };
    add_row(list, row);
}

static void add_claims(List *list, const Paper *paper)
{
    for (int i = 0; i < paper->claims; i++) {
        const Claim *c = &paper->claim[i];
        const char *const row[] = { paper->id, c->id, c->kind, c->where, c->says };
        add_row(list, row);
    }
}

static Status each_paper(List *list, PaperRow *add, Err *err)
{
    char **ids = NULL;
    int count = 0;
    Status status = papers_list(&ids, &count, err);
    for (int i = 0; i < count && !status; i++) {
        Paper paper;
        status = paper_open(&paper, ids[i], err);
        if (status) break;
        add(list, &paper);
        paper_close(&paper);
    }
    papers_free(ids, count);
    return status;
}

static Status list_papers(const Call *call, List *list, Err *err)
{
    static const char *const heading[] = { "paper", "year", "arxiv", "claims", "title", NULL };
    (void)call;
    list_open(list, heading);
    return each_paper(list, add_paper, err);
}

static Status list_claims(const Call *call, List *list, Err *err)
{
    static const char *const heading[] = { "paper", "id", "kind", "where", "says", NULL };
    (void)call;
    list_open(list, heading);
    return each_paper(list, add_claims, err);
}

static Status add_experiment(List *list, const char *path, Err *err)
{
    Tree *tree;
    const Status status = tree_open_yaml(&tree, path, err);
    if (status) return status;
    const Node *root = tree_root(tree);
    const char *const row[] = { node_text(root, "experiment", path), node_text(root, "paper", ""),
                                node_text(root, "title", ""), path };
    add_row(list, row);
    tree_close(tree);
    return OK;
}

static int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static int is_spec(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);
    return length > 5 && !strcmp(entry->d_name + length - 5, ".yaml");
}

static Status add_folder(List *list, const char *folder, Err *err)
{
    struct dirent **file = NULL;
    const int count = scandir(folder, &file, is_spec, alphasort);
    Status status = OK;
    for (int i = 0; i < count; i++) {
        char path[HOME_PATH + 600];
        const int length = snprintf(path, sizeof path, "%s/%s", folder, file[i]->d_name);
        if (!status && length < (int)sizeof path) status = add_experiment(list, path, err);
        free(file[i]);
    }
    free(file);
    return status;
}

static Status list_experiments(const Call *call, List *list, Err *err)
{
    static const char *const heading[] = { "experiment", "paper", "title", "file", NULL };
    struct dirent **folder = NULL;
    char experiments[HOME_PATH];
    Status status = OK;
    (void)call;
    list_open(list, heading);
    home_path(experiments, "experiments");
    const int count = scandir(experiments, &folder, is_visible, alphasort);
    if (count < 0)
        return fail(err, BAD_INPUT, "there is no folder %.300s; ATTEST_HOME names the folder that "
                    "has papers/ and experiments/", experiments);
    for (int i = 0; i < count; i++) {
        char path[HOME_PATH + 300];
        const int length = snprintf(path, sizeof path, "%s/%s", experiments, folder[i]->d_name);
        if (!status && length < (int)sizeof path) status = add_folder(list, path, err);
        free(folder[i]);
    }
    free(folder);
    return status;
}

/* ---- what the database says ------------------------------------------------------------------ */

static Status list_machines(const Call *call, List *list, Err *err)
{
    static const char *const heading[] = { "machine", "sessions", "cpu", NULL };
    Db *db;
    list_open(list, heading);
    Status status = db_open(&db, call->db_path, DB_READ, err);
    if (status) return status;
    Query *q = query_open(db, "SELECT machine, sessions, facts ->> '$.\"cpu.name\"' "
                              "FROM v_machine ORDER BY machine", 0, NULL);
    while (query_row(q)) {
        const char *row[3];
        for (int i = 0; i < 3; i++) row[i] = column_text(q, i);
        add_row(list, row);
    }
    query_close(q);
    status = db_check(db, err);
    db_close(db);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    Status (*list)(const Call *, List *, Err *);
} kinds[] = {
    { "methods", list_methods }, { "variants", list_variants }, { "papers", list_papers },
    { "experiments", list_experiments }, { "claims", list_claims }, { "machines", list_machines },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int find_kind(const char *word, Err *err)
{
    const char *names[KINDS];
    for (int i = 0; i < KINDS; i++) {
        names[i] = kinds[i].name;
        if (!strcmp(word, names[i])) return i;
    }
    const char *near = did_you_mean(word, names, KINDS);
    fail(err, BAD_INPUT, "there is no list of '%s'; %s%s%s", word, near ? "did you mean '" : "",
         near ? near : "methods, variants, papers, experiments, claims or machines",
         near ? "'?" : " can be listed");
    return -1;
}

static int run(const Call *call)
{
    Err err;
    List list;
    const int kind = find_kind(call->argc ? call->argv[0] : "methods", &err);
    if (kind < 0) return call_failed(call, BAD_INPUT, &err);
    Status status = kinds[kind].list(call, &list, &err);
    if (!status && list.no_memory) status = fail(&err, NO_MEMORY, "no memory for the list");
    if (!status)
        table_print(call->out, call->json ? "json" : "table", list.columns,
                    list.cells / list.columns, list.cell);
    list_close(&list);
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

static const Option options[] = { { 0 } };

const Command command_list = {
    .name = "list", .arguments = "[methods|variants|papers|experiments|claims|machines]",
    .option = options, .most = 1, .run = run,
    .summary = "methods, variants, papers, experiments, claims or machines",
    .details = "Without a word: the methods. 'attest show METHOD' tells all about one.",
};
