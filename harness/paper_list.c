/* SPDX-License-Identifier: Apache-2.0 */
/* Which papers there are. */
#include "file.h"
#include "home.h"
#include "paper.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names below `papers` that have claims; *ids grows by doubling. */
static Status collect(DIR *folder, const char *papers, char ***ids, int *count, Err *err)
{
    int room = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[HOME_PATH + 300];
        struct stat found;
        snprintf(path, sizeof path, "%s/%s/claims.yaml", papers, entry->d_name);
        if (!name_is_plain(entry->d_name) || stat(path, &found))
            continue;
        if (*count == room) {
            char **more = realloc(*ids, (size_t)(room = room ? 2 * room : 16) * sizeof **ids);
            if (!more)
                return fail(err, NO_MEMORY, "no memory for the list of papers");
            *ids = more;
        }
        if (!((*ids)[*count] = strdup(entry->d_name)))
            return fail(err, NO_MEMORY, "no memory for the list of papers");
        ++*count;
    }
    return OK;
}

Status papers_list(char ***ids, int *count, Err *err)
{
    *ids = NULL;
    *count = 0;
    char papers[HOME_PATH];
    home_path(papers, "papers");
    DIR *folder = opendir(papers);
    if (!folder)
        return fail(err, BAD_INPUT, "there is no folder %.300s; ATTEST_HOME names the folder that "
                    "has papers/ and experiments/", papers);
    const Status status = collect(folder, papers, ids, count, err);
    closedir(folder);
    if (status) {
        papers_free(*ids, *count);
        *ids = NULL;
        *count = 0;
    } else if (*count) {
        qsort(*ids, (size_t)*count, sizeof **ids, by_name);
    }
    return status;
}

void papers_free(char **ids, int count)
{
    for (int i = 0; i < count; i++)
        free(ids[i]);
    free(ids);
}
