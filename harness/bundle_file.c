/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles as files that are read. */
#include "bundle.h"
#include "db_other.h"
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BUNDLE_BYTES_MAX = 1 << 30 };

Status bundle_read(const char *path, char **data, size_t *size, Err *err)
{
    struct stat found;
    *data = NULL;
    if (stat(path, &found)) return fail(err, BAD_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(found.st_mode) || found.st_size > BUNDLE_BYTES_MAX)
        return fail(err, BAD_INPUT, "%s: a bundle is a file of at most 1 GiB", path);
    *data = file_read(path, size);
    return *data ? OK : fail(err, IO_FAILED, "%s: %s", path, strerror(errno));
}

int bundle_is(const char *path)
{
    char start[263] = "";
    FILE *file = fopen(path, "rb");
    const int whole = file && fread(start, 1, sizeof start, file) == sizeof start;
    if (file) fclose(file);
    return whole && !memcmp(start, "attest-", 7) && !memcmp(start + 257, "ustar", 6);
}

static const TarMember *rows_of(const TarMember *member, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(bundle_file(&member[i]), "rows.db")) return &member[i];
    return NULL;
}

/* The hashes of all files must be right; what follows from the rows is `attest verify`'s. */
static int sums_are_right(const TarMember *member, int count)
{
    BundleText right;
    const TarMember *last = &member[count - 1];
    if (bundle_sums(member, count, &right, NULL)) return 0;
    const int same = !strcmp(bundle_file(last), "SHA256SUMS") && last->size == right.size &&
                     !memcmp(last->data, right.text, right.size);
    free(right.text);
    return same;
}

Status bundle_open_rows(Db **rows, const char *path, Err *err)
{
    TarMember member[BUNDLE_FILES_MAX];
    char *data;
    size_t size;
    int count;
    Err why;
    *rows = NULL;
    Status status = bundle_read(path, &data, &size, err);
    if (status) return status;
    status = tar_read(data, size, member, BUNDLE_FILES_MAX, &count, &why);
    const TarMember *found = status ? NULL : rows_of(member, count);
    if (!found || !sums_are_right(member, count))
        status = fail(err, BAD_INPUT, "%s is damaged: `attest verify` says where", path);
    else
        status = db_open_memory(rows, found->data, found->size, err);
    free(data);
    return status;
}
