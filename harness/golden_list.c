/* SPDX-License-Identifier: Apache-2.0 */
/* Golden files below a folder, and who claims them. */
#include "check.h"
#include "golden.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char suffix[] = ".safetensors";
enum { PATH_TEXT_MAX = 4096, FOLDERS_DEEP_MAX = 16 };

/* ---- walking ------------------------------------------------------------------------------ */

/* A copy that lives as long as the list; NULL: no memory. */
static const char *keep_text(CheckList *list, const char *text)
{
    char **more = realloc(list->text, ((size_t)list->texts + 1) * sizeof *more);
    if (!more) return NULL;
    list->text = more;
    char *copy = malloc(strlen(text) + 1);
    if (!copy) return NULL;
    list->text[list->texts++] = strcpy(copy, text);
    return copy;
}

static int is_golden(const char *name)
{
    const size_t length = strlen(name), end = sizeof suffix - 1;
    return length > end && !strcmp(name + length - end, suffix);
}

/* Paths of all golden files below go to list->text. */
static Status walk(CheckList *list, const char *folder, int depth, Err *err)
{
    DIR *d = opendir(folder);
    Status status = OK;
    if (!d) return fail(err, BAD_INPUT, "%s: %s", folder, strerror(errno));
    for (struct dirent *entry; !status && (entry = readdir(d));) {
        char path[PATH_TEXT_MAX];
        struct stat info;
        const int length = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] == '.' || length >= (int)sizeof path || stat(path, &info)) continue;
        if (S_ISDIR(info.st_mode) && depth < FOLDERS_DEEP_MAX)
            status = walk(list, path, depth + 1, err);
        else if (S_ISREG(info.st_mode) && is_golden(path) && !keep_text(list, path))
            status = fail(err, NO_MEMORY, "no memory for the list of files");
    }
    closedir(d);
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ---- claiming ----------------------------------------------------------------------------- */

typedef struct {
    CheckList         *list;
    const CheckChoice *choice;
    SafeFile           file;
    CheckItem          like;
    int                claims;
} Claim;

static Status no_memory(Err *err) { return fail(err, NO_MEMORY, "no memory for the checks"); }

static Status add_why(Claim *c, Outcome outcome, const char *why, Err *err)
{
    CheckItem item = c->like;
    item.outcome = outcome;
    item.why = keep_text(c->list, why);
    if (!item.why || !check_add(c->list, c->choice, &item)) return no_memory(err);
    return OK;
}

/* One pass that the file proves for a method. */
static Status add_pass(Claim *c, const Method *m, Pass pass, Err *err)
{
    Err why;
    CheckItem item = c->like;
    item.problem = (Problem){ .method = m };
    for (int i = 0; m->param[i].name; i++) item.problem.value[i] = m->param[i].fallback;
    item.problem.dtype = F64;
    item.problem.pass = pass;
    item.problem.seed = c->choice->seed;
    c->list->groups++;
    if (golden_problem(&c->file, &item.problem, 0, &why)) {
        c->like.problem = item.problem;
        return add_why(c, OUTCOME_WRONG, why.text, err);
    }
    if (!check_add(c->list, c->choice, &item)) return no_memory(err);
    if (!check_add_variants(c->list, c->choice, &item)) return no_memory(err);
    return OK;
}

static Status add_claims(Claim *c, const char *name, Err *err)
{
    Status status = OK;
    for (int i = 0; methods[i] && !status; i++)
        for (const Golden *g = methods[i]->golden; g && g->name && !status; g++) {
            if (strcmp(g->name, name)) continue;
            c->claims++;
            for (int pass = FWD; pass <= STEP && !status; pass <<= 1)
                if (g->passes & (unsigned)pass) status = add_pass(c, methods[i], (Pass)pass, err);
        }
    return status;
}

static Status add_file(CheckList *list, const CheckChoice *choice, const char *path,
                       const char *below, Err *err)
{
    Err why;
    char text[256];
    Claim c = { .list = list, .choice = choice,
                .like = { .kind = CHECK_GOLDEN, .file = path, .path = below } };
    list->groups++;
    if (safe_open(&c.file, path, &why)) return add_why(&c, OUTCOME_WRONG, why.text, err);
    const char *name = safe_metadata(&c.file, "method");
    Status status = name ? add_claims(&c, name, err) : OK;
    if (!name) status = add_why(&c, OUTCOME_WRONG, "its metadata name no method", err);
    else if (!c.claims) {
        snprintf(text, sizeof text, "no method here claims golden values of '%s'", name);
        status = add_why(&c, OUTCOME_UNSUPPORTED, text, err);
    }
    safe_close(&c.file);
    return status;
}

Status golden_list_open(CheckList *list, const char *folder, const CheckChoice *choice, Err *err)
{
    *list = (CheckList){ 0 };
    Status status = walk(list, folder, 0, err);
    const int files = list->texts;
    if (files) qsort(list->text, (size_t)files, sizeof *list->text, by_text);
    const size_t skip = strlen(folder) + 1;
    for (int i = 0; i < files && !status; i++)
        status = add_file(list, choice, list->text[i], list->text[i] + skip, err);
    if (!status && !list->count)
        status = fail(err, BAD_INPUT, "%s: no golden file (*%s) there is called '%s'", folder,
                      suffix, choice->glob ? choice->glob : "*");
    if (status) check_list_close(list);
    return status;
}
