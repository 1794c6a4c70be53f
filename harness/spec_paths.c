/* SPDX-License-Identifier: Apache-2.0 */
/* From what a user calls experiments to files. */
#include "home.h"
#include "spec.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char ending[] = ".yaml";
enum { NAMES_MAX = 512 };

typedef struct {
    char **path;
    int    count, room;
} Paths;

static Status add(Paths *p, const char *path, Err *err)
{
    for (int i = 0; i < p->count; i++)
        if (!strcmp(p->path[i], path)) return OK;
    if (p->count == p->room) {
        const int room = 2 * p->room + 16;
        char **more = realloc(p->path, (size_t)room * sizeof *more);
        if (!more) return fail(err, NO_MEMORY, "no memory for the names of experiments");
        p->path = more;
        p->room = room;
    }
    char *copy = malloc(strlen(path) + 1);
    if (!copy) return fail(err, NO_MEMORY, "no memory for the names of experiments");
    p->path[p->count++] = strcpy(copy, path);
    return OK;
}

static int has_ending(const char *name)
{
    const size_t length = strlen(name), tail = strlen(ending);
    return length > tail && !strcmp(name + length - tail, ending);
}

/* 'f': a file, 'd': a folder, 0: neither. */
static int kind_of(const char *path)
{
    struct stat st;
    if (stat(path, &st)) return 0;
    return S_ISDIR(st.st_mode) ? 'd' : 'f';
}

/* All experiments in a folder and its folders. */
static Status add_folder(Paths *p, const char *path, int level, Err *err)
{
    char inner[HOME_PATH];
    Status status = OK;
    DIR *dir = opendir(path);
    if (!dir) return fail(err, BAD_INPUT, "%s: %s", path, strerror(errno));
    for (const struct dirent *e; !status && (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, e->d_name) >= (int)sizeof inner) continue;
        const int kind = kind_of(inner);
        if (kind == 'd' && level < 3) status = add_folder(p, inner, level + 1, err);
        else if (kind == 'f' && has_ending(e->d_name)) status = add(p, inner, err);
    }
    closedir(dir);
    return status;
}

/* Folders there that hold experiments can be named, too. */
static Status add_folders(Paths *p, const char *path, Err *err)
{
    char inner[HOME_PATH];
    Status status = OK;
    DIR *dir = opendir(path);
    if (!dir) return fail(err, BAD_INPUT, "%s: %s", path, strerror(errno));
    for (const struct dirent *e; !status && (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, e->d_name) >= (int)sizeof inner) continue;
        if (kind_of(inner) == 'd') status = add(p, inner, err);
    }
    closedir(dir);
    return status;
}

static Status unknown(const char *word, Err *err)
{
    const char *known[NAMES_MAX];
    char folder[HOME_PATH];
    Paths all = { 0 };
    Err ignored;
    int n = 0;
    home_path(folder, "experiments");
    if (!add_folders(&all, folder, &ignored)) add_folder(&all, folder, 0, &ignored);
    for (; n < all.count && n < NAMES_MAX; n++) {
        char *name = all.path[n];
        if (has_ending(name)) name[strlen(name) - strlen(ending)] = 0;
        known[n] = name + strlen(folder) + 1;
    }
    const char *near = did_you_mean(word, known, n);
    const Status status = fail(
        err, BAD_INPUT, "there is no experiment '%.90s': no such file, and no %.180s/%.90s%s%s%s%s",
        word, folder, word, ending, near ? "; did you mean '" : "; `attest list experiments` shows "
        "them", near ? near : "", near ? "'?" : "");
    spec_paths_free(all.path, all.count);
    return status;
}

static Status add_word(Paths *p, const char *word, Err *err)
{
    char below[1024], named[HOME_PATH];
    const int kind = kind_of(word);
    if (kind == 'f') return add(p, word, err);
    if (kind == 'd') return add_folder(p, word, 0, err);
    snprintf(below, sizeof below, "experiments/%.900s%s", word, ending);
    home_path(named, below);
    if (kind_of(named) == 'f') return add(p, named, err);
    named[strlen(named) - strlen(ending)] = 0;
    const int inside = kind_of(named);
    if (inside == 'f') return add(p, named, err);
    return inside == 'd' ? add_folder(p, named, 0, err) : unknown(word, err);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

Status spec_paths(const char *const *words, int count, char ***paths, int *found, Err *err)
{
    Paths p = { 0 };
    Status status = OK;
    *paths = NULL;
    *found = 0;
    for (int i = 0; i < count && !status; i++) {
        const int before = p.count;
        status = add_word(&p, words[i], err);
        if (!status && p.count > before)
            qsort(p.path + before, (size_t)(p.count - before), sizeof *p.path, by_name);
    }
    if (!status && p.count == 0)
        status = fail(err, BAD_INPUT, "there is no experiment in %s", words[0]);
    if (status) { spec_paths_free(p.path, p.count); return status; }
    *paths = p.path;
    *found = p.count;
    return OK;
}

void spec_paths_free(char **paths, int count)
{
    for (int i = 0; i < count; i++) free(paths[i]);
    free(paths);
}
