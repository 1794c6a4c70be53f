/* SPDX-License-Identifier: Apache-2.0 */
#include "safetensors.h"
#include "cli.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct { const char *text; size_t bytes; } dtypes[] = {
    [SAFE_F64] = { "F64", 8 }, [SAFE_F32] = { "F32", 4 }, [SAFE_F16] = { "F16", 2 },
    [SAFE_BF16] = { "BF16", 2 }, [SAFE_I64] = { "I64", 8 }, [SAFE_I32] = { "I32", 4 },
    [SAFE_U8] = { "U8", 1 }, [SAFE_BOOL] = { "BOOL", 1 },
};

/* ---- values -------------------------------------------------------------------------------- */

int64_t safe_count(const SafeTensor *t)
{
    int64_t n = 1;
    for (int i = 0; i < t->rank; i++) n *= t->dim[i];
    return n;
}

/* IEEE binary16, exactly. */
static double half_value(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double x = fraction * 0x1p-24;
    if (exponent == 31) x = fraction ? NAN : INFINITY;
    else if (exponent) x = (1024 + fraction) * 0x1p-25 * (double)(UINT32_C(1) << exponent);
    return bits >> 15 ? -x : x;
}

double safe_get(const SafeTensor *t, int64_t index)
{
    union { double f64; float f32; uint16_t u16; int64_t i64; int32_t i32; uint8_t u8; } v;
    require(t->dtype < SAFE_OTHER);
    const size_t bytes = dtypes[t->dtype].bytes;
    memcpy(&v, t->data + (size_t)index * bytes, bytes);
    switch (t->dtype) {
    case SAFE_F64:  return v.f64;
    case SAFE_F32:  return v.f32;
    case SAFE_F16:  return half_value(v.u16);
    case SAFE_BF16: return bf16_to_float(v.u16);
    case SAFE_I64:  return (double)v.i64;
    case SAFE_I32:  return v.i32;
    default:        return v.u8;
    }
}

const SafeTensor *safe_find(const SafeFile *file, const char *name)
{
    for (int i = 0; i < file->tensors; i++)
        if (!strcmp(file->tensor[i].name, name)) return &file->tensor[i];
    return NULL;
}

const char *safe_metadata(const SafeFile *file, const char *key)
{
    return node_text(node_get(tree_root(file->header), "__metadata__"), key, NULL);
}

/* ---- reading --------------------------------------------------------------------------------- */

enum { LENGTH_BYTES = 8 };

static Status read_descriptor(int fd, SafeFile *f, const char *path, Err *err)
{
    struct stat info;
    if (fstat(fd, &info)) return fail(err, IO_FAILED, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode) || info.st_size < LENGTH_BYTES)
        return fail(err, BAD_INPUT, "%s: not a safetensors file", path);
    f->memory_bytes = (size_t)info.st_size;
    f->memory = malloc(f->memory_bytes);
    if (!f->memory) return fail(err, NO_MEMORY, "%s: no memory for it", path);
    for (size_t used = 0; used < f->memory_bytes;) {
        const ssize_t n = read(fd, f->memory + used, f->memory_bytes - used);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(err, IO_FAILED, "%s: %s", path, n ? strerror(errno) : "it shrank");
        used += (size_t)n;
    }
    return OK;
}

static Status read_file(SafeFile *f, const char *path, Err *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(err, BAD_INPUT, "%s: %s", path, strerror(errno));
    const Status status = read_descriptor(fd, f, path, err);
    close(fd);
    return status;
}

static int read_dims(const Node *shape, SafeTensor *t)
{
    if (!shape || shape->kind != NODE_LIST || shape->count > SAFE_RANK_MAX) return 0;
    int64_t room = INT64_MAX / 8;
    for (t->rank = 0; t->rank < shape->count; t->rank++) {
        int64_t *dim = &t->dim[t->rank];
        if (!node_integer(shape->item[t->rank], dim) || *dim < 0 || *dim > room) return 0;
        if (*dim) room /= *dim;
    }
    return 1;
}

static int read_offsets(const Node *offsets, int64_t *first, int64_t *end)
{
    return offsets && offsets->kind == NODE_LIST && offsets->count == 2 &&
           node_integer(offsets->item[0], first) && node_integer(offsets->item[1], end);
}

static Status read_tensor(const SafeFile *f, const char *name, const Node *node, SafeTensor *t,
                          const char *values, Err *err)
{
    const char *path = tree_name(f->header);
    const size_t room = f->memory_bytes - (size_t)(values - f->memory);
    int64_t first = 0, end = 0;
    *t = (SafeTensor){ .name = name, .dtype_text = node_text(node, "dtype", "") };
    while (t->dtype < SAFE_OTHER && strcmp(t->dtype_text, dtypes[t->dtype].text)) t->dtype++;
    if (!read_dims(node_get(node, "shape"), t))
        return fail(err, BAD_INPUT, "%s: tensor %s has no shape of up to %d dimensions", path, name,
                    SAFE_RANK_MAX);
    if (!read_offsets(node_get(node, "data_offsets"), &first, &end) || first < 0 || end < first ||
        (uint64_t)end > room)
        return fail(err, BAD_INPUT, "%s: tensor %s does not lie within the file", path, name);
    t->data = values + first;
    t->bytes = (size_t)(end - first);
    if (t->dtype != SAFE_OTHER && t->bytes != (size_t)safe_count(t) * dtypes[t->dtype].bytes)
        return fail(err, BAD_INPUT, "%s: tensor %s takes %zu bytes, but its shape says %zu", path,
                    name, t->bytes, (size_t)safe_count(t) * dtypes[t->dtype].bytes);
    return OK;
}

static Status read_header(SafeFile *f, const char *path, Err *err)
{
    uint64_t length;
    memcpy(&length, f->memory, sizeof length);      /* little-endian, as all our hosts are */
    if (length > f->memory_bytes - LENGTH_BYTES)
        return fail(err, BAD_INPUT, "%s: not a safetensors file", path);
    const char *text = f->memory + LENGTH_BYTES;
    Status status = tree_parse_json(&f->header, path, text, (size_t)length, err);
    if (status) return status;
    const Node *root = tree_root(f->header);
    if (root->kind != NODE_MAP) return fail(err, BAD_INPUT, "%s: its header is no object", path);
    f->tensor = calloc((size_t)root->count + 1, sizeof *f->tensor);
    if (!f->tensor) return fail(err, NO_MEMORY, "%s: no memory for it", path);
    for (int i = 0; i < root->count && !status; i++) {
        if (!strcmp(root->key[i]->text, "__metadata__")) continue;
        status = read_tensor(f, root->key[i]->text, root->item[i], &f->tensor[f->tensors++],
                             text + length, err);
    }
    return status;
}

Status safe_open(SafeFile *file, const char *path, Err *err)
{
    *file = (SafeFile){ 0 };
    Status status = read_file(file, path, err);
    if (!status) status = read_header(file, path, err);
    if (status) safe_close(file);
    return status;
}

void safe_close(SafeFile *file)
{
    tree_close(file->header);
    free(file->tensor);
    free(file->memory);
    *file = (SafeFile){ 0 };
}

/* ---- writing ------------------------------------------------------------------------------ */

static const char *safe_name(Dtype dtype)
{
    switch (dtype) {
    case F32:  return "F32";
    case BF16: return "BF16";
    case F64:  return "F64";
    default:   return "I32";
    }
}

static void write_tensor_header(Json *j, const SafeEntry *e, size_t *at)
{
    json_object(j, e->name);
    json_text(j, "dtype", safe_name(e->tensor->dtype));
    json_array(j, "shape");
    for (int i = 0; i < e->tensor->rank; i++) json_integer(j, NULL, e->tensor->dim[i]);
    json_close(j);
    json_array(j, "data_offsets");
    json_integer(j, NULL, (long long)*at);
    *at += tensor_bytes(e->tensor);
    json_integer(j, NULL, (long long)*at);
    json_close(j);
    json_close(j);
}

static void write_header(FILE *to, const SafePair *pair, const SafeEntry *entry, int entries)
{
    Json j;
    size_t at = 0;
    json_open(&j, to);
    json_object(&j, NULL);
    json_object(&j, "__metadata__");
    for (; pair->key; pair++) json_text(&j, pair->key, pair->value);
    json_close(&j);
    for (int i = 0; i < entries; i++) write_tensor_header(&j, &entry[i], &at);
    json_close(&j);
}

/* The values start at a multiple of 8 bytes: the header is padded with blanks. */
static int write_all(FILE *to, const char *header, size_t length, const SafeEntry *entry,
                     int entries)
{
    const uint64_t padded = (length + 7) / 8 * 8;
    fwrite(&padded, sizeof padded, 1, to);
    fprintf(to, "%.*s%*s", (int)length, header, (int)(padded - length), "");
    for (int i = 0; i < entries; i++)
        fwrite(entry[i].tensor->data, 1, tensor_bytes(entry[i].tensor), to);
    const int bad = fflush(to) || ferror(to) || fsync(fileno(to));
    return !bad;
}

static Status write_temporary(const char *temporary, const SafePair *pair, const SafeEntry *entry,
                              int entries, Err *err)
{
    Status status = IO_FAILED;
    char *header = NULL;
    size_t length = 0;
    FILE *text = open_memstream(&header, &length), *to = file_create(temporary);
    if (!text || !to) goto done;
    write_header(text, pair, entry, entries);
    if (!fflush(text) && write_all(to, header, length, entry, entries)) status = OK;
done:
    if (status) fail(err, IO_FAILED, "%s: %s", temporary, strerror(errno));
    if (text) fclose(text);
    if (to) fclose(to);
    free(header);
    return status;
}

Status safe_write(const char *path, const SafePair *pair, const SafeEntry *entry, int entries,
                  Err *err)
{
    const size_t size = strlen(path) + 16;
    char *temporary = malloc(size);
    if (!temporary) return fail(err, NO_MEMORY, "%s: no memory to write it", path);
    snprintf(temporary, size, "%s.%ld", path, (long)getpid());
    Status status = write_temporary(temporary, pair, entry, entries, err);
    if (!status && rename(temporary, path))
        status = fail(err, IO_FAILED, "%s: %s", path, strerror(errno));
    if (status) unlink(temporary);
    free(temporary);
    return status;
}
