/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 1024 };

int file_close(FILE *out)
{
    const int bad = ferror(out);
    return !fclose(out) && !bad;
}

char *file_read(const char *path, size_t *size)
{
    FILE *in = fopen(path, "r");
    if (!in)
        return NULL;
    char *text = NULL, part[65536];
    size_t got, total = 0;
    FILE *out = open_memstream(&text, size);
    while (out && total <= FILE_BYTES_MAX && (got = fread(part, 1, sizeof part, in)) > 0)
        total += fwrite(part, 1, got, out);
    int bad = ferror(in) ? EIO : total > FILE_BYTES_MAX ? EFBIG : 0;
    if (!out || !file_close(out))
        bad = ENOMEM;
    fclose(in);
    if (bad) {
        free(text);
        errno = bad;
        return NULL;
    }
    return text;
}

FILE *file_create(const char *path)
{
    unlink(path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");
    if (fd >= 0 && !out)
        close(fd);
    return out;
}

int file_is_link(const char *path)
{
    struct stat found;
    return !lstat(path, &found) && S_ISLNK(found.st_mode);
}

int name_is_plain(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-.";
    size_t length = 0;
    for (const char *part = name;; part += length + 1) {
        length = strspn(part, letters);
        if (length == 0 || *part == '.' || *part == '-' || (part[length] && part[length] != '/'))
            return 0;
        if (!part[length])
            return 1;
    }
}

Status file_write(const char *path, const char *text, size_t size, Err *err)
{
    char beside[PATH_SIZE];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside)
        return fail(err, BAD_INPUT, "%.200s...: the path is too long", path);
    FILE *out = file_create(beside);
    if (!out)
        return fail(err, IO_FAILED, "%s: %s", beside, strerror(errno));
    const int bad = fwrite(text, 1, size, out) != size;
    if (fclose(out) || bad || rename(beside, path)) {
        const int why = errno;
        remove(beside);
        return fail(err, IO_FAILED, "%s: %s", path, strerror(why));
    }
    return OK;
}

Status folder_make(const char *path, Err *err)
{
    char part[PATH_SIZE];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return fail(err, BAD_INPUT, "%.200s...: the path is too long", path);
    for (char *slash = strchr(part + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if (mkdir(part, 0777) && errno != EEXIST)
            return fail(err, IO_FAILED, "%s: cannot be made: %s", part, strerror(errno));
        if (!slash)
            return OK;
        *slash = '/';
    }
}
