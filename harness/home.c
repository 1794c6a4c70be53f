/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Many a folder has papers in it: ours have claims. */
static int is_home(const char *folder)
{
    char path[HOME_PATH + 16];
    struct stat found;
    int claims = 0;
    snprintf(path, sizeof path, "%s/papers", folder);
    DIR *papers = opendir(path);
    for (const struct dirent *e; papers && !claims && (e = readdir(papers));) {
        snprintf(path, sizeof path, "%.300s/claims.yaml", e->d_name);
        claims = !fstatat(dirfd(papers), path, &found, 0);
    }
    if (papers) closedir(papers);
    return claims;
}

/* "/usr/bin/attest" -> "/usr/bin" -> "/usr" -> "" */
static void go_up(char *path)
{
    char *end = strrchr(path, '/');
    if (end) *end = 0;
}

/* The program lies in PREFIX/bin/, or in build/ or build/NAME/ of a source tree. */
static int find_beside(char out[HOME_PATH])
{
    static const char share[] = "/share/attest";
    const ssize_t length = readlink("/proc/self/exe", out, HOME_PATH - sizeof share);
    if (length <= 0) return 0;
    out[length] = 0;
    go_up(out);
    go_up(out);
    char *end = out + strlen(out);
    strcpy(end, share);
    if (is_home(out)) return 1;
    *end = 0;
    if (is_home(out)) return 1;
    go_up(out);
    return is_home(out);
}

void home_path(char out[HOME_PATH], const char *name)
{
    char folder[HOME_PATH];
    const char *given = getenv("ATTEST_HOME");
    int length = HOME_PATH;
    if (given && *given) length = snprintf(out, HOME_PATH, "%s/%s", given, name);
    else if (!is_home(".") && find_beside(folder))
        length = snprintf(out, HOME_PATH, "%s/%s", folder, name);
    if (length >= HOME_PATH) snprintf(out, HOME_PATH, "%s", name);
}
