/* SPDX-License-Identifier: Apache-2.0 */
/* Figures are read and checked all together, so that a mistake in one is told before any is drawn;
 * one gnuplot process draws them all. */
#include "figures.h"
#include "db.h"
#include "file.h"
#include "home.h"
#include "markdown.h"
#include "told.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 600 };

/* ---- reading -------------------------------------------------------------------------------- */

static Status open_experiment(Figures *figures, const char *name, Err *err)
{
    char below[PATH_SIZE], path[HOME_PATH];
    struct stat found;
    if (!name || !name_is_plain(name))
        return fail(err, BAD_INPUT, "experiments: a name as flashattention/runtime is wanted%s%s",
                    name ? ", not " : "", name ? name : "");
    snprintf(below, sizeof below, "experiments/%s.yaml", name);
    home_path(path, below);
    if (stat(path, &found))
        return OK;   /* planned; its claims say that nothing was measured */
    const Status status = tree_open_yaml(&figures->tree[figures->trees], path, err);
    figures->trees += !status;
    return status;
}

static Status open_experiments(Figures *figures, const Paper *paper, Err *err)
{
    const Node *names = node_get(tree_root(paper->record), "experiments");
    const int count = names && names->kind == NODE_LIST ? names->count : 0;
    figures->tree = calloc((size_t)count + 1, sizeof *figures->tree);
    figures->item = calloc(FIGURES_MAX, sizeof *figures->item);
    if (!figures->tree || !figures->item)
        return fail(err, NO_MEMORY, "no memory for figures");
    Status status = OK;
    for (int i = 0; i < count && !status; i++)
        status = open_experiment(figures, names->item[i]->text, err);
    return status;
}

static const Node *entries_of(const Tree *tree)
{
    static const Node none = { .kind = NODE_LIST };
    const Node *list = node_get(tree_root(tree), "figures");
    return list && list->kind == NODE_LIST ? list : &none;
}

/* Files are named by the figure alone, so no two of a paper may share a name. */
static void check_name(const Figures *figures, int tree, int entry, Complaints *complaints)
{
    const Node *list = entries_of(figures->tree[tree]);
    const char *name = node_text(list->item[entry], "name", "");
    for (int t = 0; t <= tree; t++) {
        const Node *other = entries_of(figures->tree[t]);
        for (int i = 0; i < (t == tree ? entry : other->count); i++)
            if (strcmp(node_text(other->item[i], "name", ""), name) == 0)
                complain(complaints, figures->tree[tree], list->item[entry],
                         "figure \"%s\" is also in %s", name, tree_name(figures->tree[t]));
    }
}

static Status check_all(const Figures *figures, Err *err)
{
    Complaints complaints = { 0 };
    int count = 0;
    for (int t = 0; t < figures->trees; t++) {
        const Node *list = entries_of(figures->tree[t]);
        for (int i = 0; i < list->count; i++, count++) {
            figure_check(figures->tree[t], list->item[i], &complaints);
            check_name(figures, t, i, &complaints);
        }
    }
    Status status = complaints.count ? complaints_fail(&complaints, err) : OK;
    if (!status && count > FIGURES_MAX)
        status = fail(err, BAD_INPUT, "%d figures in one paper; at most %d are drawn", count,
                      FIGURES_MAX);
    complaints_free(&complaints);
    return status;
}

static int has_ours(const Figure *f)
{
    for (int i = 0; i < f->rows; i++)
        if (!f->row[i].published)
            return 1;
    return 0;
}

static Status read_rows(Figures *figures, const Paper *paper, Db *db, Err *err)
{
    Status status = OK;
    for (int t = 0; t < figures->trees; t++) {
        const Node *list = entries_of(figures->tree[t]);
        const char *experiment = node_text(tree_root(figures->tree[t]), "experiment", "");
        for (int i = 0; i < list->count && !status; i++) {
            Figure *f = &figures->item[figures->count];
            status = figure_open(f, list->item[i], experiment, paper, db, err);
            if (!status && has_ours(f)) {
                figures->count++;
            } else if (!status) {
                figure_close(f);
                figures->empty++;
            }
        }
    }
    return status;
}

Status figures_open(Figures *figures, const Paper *paper, const char *db_path, int64_t machine,
                    Err *err)
{
    Db *db = NULL;
    *figures = (Figures){ 0 };
    Status status = open_experiments(figures, paper, err);
    if (!status)
        status = check_all(figures, err);
    if (!status)
        status = db_open(&db, db_path, DB_READ, err);
    if (!status && machine)
        status = db_only_machine(db, machine, err);
    if (!status)
        status = read_rows(figures, paper, db, err);
    db_close(db);
    if (status)
        figures_close(figures);
    return status;
}

void figures_close(Figures *figures)
{
    for (int i = 0; i < figures->count; i++)
        figure_close(&figures->item[i]);
    for (int i = 0; i < figures->trees; i++)
        tree_close(figures->tree[i]);
    free(figures->item);
    free(figures->tree);
    free(figures->folder);
    *figures = (Figures){ 0 };
}

/* ---- drawing -------------------------------------------------------------------------------- */

/* gnuplot writes where a link leads; our pictures are files. */
static void drop_link(const Figures *figures, const Figure *f, const char *ending)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s.%s", figures->folder, f->name, ending);
    if (file_is_link(path))
        remove(path);
}

static Status write_gp(const Figures *figures, const Figure *f, Err *err)
{
    char path[PATH_SIZE], *text = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s.gp", figures->folder, f->name);
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return fail(err, NO_MEMORY, "%s: no memory to write it", path);
    figure_plot(out, f, f->name);
    const Status status = file_close(out)
                              ? file_write(path, text, size, err)
                              : fail(err, NO_MEMORY, "%s: no memory to write it", path);
    free(text);
    drop_link(figures, f, "svg");
    drop_link(figures, f, "png");
    return status;
}

static Status run_gnuplot(const Figures *figures, Err *err)
{
    char name[FIGURES_MAX][96];
    const char *gp[FIGURES_MAX];
    for (int i = 0; i < figures->count; i++) {
        snprintf(name[i], sizeof name[i], "%.90s.gp", figures->item[i].name);
        gp[i] = name[i];
    }
    return figures->count ? figure_gnuplot(figures->folder, gp, figures->count, err) : OK;
}

static Status finish(const Figures *figures, const Paper *paper, Db *db, Err *err)
{
    Status status = OK;
    for (int i = 0; i < figures->count && !status; i++) {
        const Figure *f = &figures->item[i];
        char path[PATH_SIZE], anchor[160], note[PATH_SIZE];
        markdown_anchor(*f->note ? f->note : "Notes", anchor, sizeof anchor);
        snprintf(note, sizeof note, "../../report/%s.html#%s", paper->id, anchor);
        snprintf(path, sizeof path, "%s/%s.svg", figures->folder, f->name);
        status = figure_finish_svg(path, f, note, err);
        if (!status)
            status = told_figure(db, paper->id, f, err);
    }
    return status;
}

Status figures_draw(Figures *figures, const Paper *paper, const char *db_path, const char *into,
                    Err *err)
{
    char folder[PATH_SIZE];
    Db *db = NULL;
    snprintf(folder, sizeof folder, "%.400s/figures/%s", into, paper->id);
    free(figures->folder);
    figures->folder = strdup(folder);
    if (!figures->folder)
        return fail(err, NO_MEMORY, "no memory for a folder's name");
    Status status = folder_make(folder, err);
    for (int i = 0; i < figures->count && !status; i++)
        status = write_gp(figures, &figures->item[i], err);
    if (!status)
        status = run_gnuplot(figures, err);
    if (!status)
        status = db_open(&db, db_path, DB_WRITE, err);
    if (!status)
        status = finish(figures, paper, db, err);
    db_close(db);
    return status;
}

/* ---- staleness ------------------------------------------------------------------------------ */

int figures_stale(const Figures *figures, const Paper *paper, const char *into, FILE *out)
{
    int stale = 0;
    for (int i = 0; i < figures->count; i++) {
        const Figure *f = &figures->item[i];
        char path[PATH_SIZE], mark[100];
        size_t size;
        snprintf(path, sizeof path, "%.400s/figures/%s/%.90s.svg", into, paper->id, f->name);
        snprintf(mark, sizeof mark, "sha256=\"%s\"", f->rows_hash);
        char *svg = file_read(path, &size);
        if (!svg || !strstr(svg, mark)) {
            fprintf(out, "%s: %s\n", path, svg ? "drawn from other rows" : "not drawn yet");
            stale++;
        }
        free(svg);
    }
    return stale;
}
