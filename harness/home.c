/* SPDX-License-Identifier: Apache-2.0 */
#include "home.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_folder(const char *folder, const char *name)
{
    char path[HOME_PATH];
    struct stat found;
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) return 0;
    return !stat(path, &found) && S_ISDIR(found.st_mode);
}

static int is_home(const char *folder)
{
    return is_folder(folder, "experiments") && is_folder(folder, "papers");
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
