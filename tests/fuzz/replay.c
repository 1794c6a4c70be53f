/* SPDX-License-Identifier: Apache-2.0 */
/* A target without a fuzzer: every seed of its folder once, so that what was found stays mended. */
#include "../../harness/file.h"
#include "fuzz.h"

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');
    char folder[256], path[1024];
    int seeds = 0;
    snprintf(folder, sizeof folder, argc > 1 ? "%.200s" : "tests/fuzz/%.200s",
             argc > 1 ? argv[1] : name ? name + 1 : argv[0]);
    DIR *dir = opendir(folder);
    for (const struct dirent *e; dir && (e = readdir(dir));) {
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        char *data = *e->d_name == '.' ? NULL : file_read(path, &size);
        if (!data) continue;
        printf("%s\n", path);
        fflush(stdout);
        LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        free(data);
        seeds++;
    }
    if (dir) closedir(dir);
    printf("%d seeds of %s\n", seeds, folder);
    return seeds == 0;
}
