/* SPDX-License-Identifier: Apache-2.0 */
/* What YAML and JSON trees have in common: memory, looking things up, numbers, complaints. */
#include "tree_build.h"

#include "../kernels/core/problem.h"
#include "../kernels/core/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory: blocks that are given back together --------------------------------------- */

typedef struct Block Block;
struct Block { Block *next; max_align_t data[]; };

struct Tree {
    char  *name;
    Block *block;
    Node  *root;
};

static void *take(Tree *tree, size_t bytes)
{
    Block *b = calloc(1, sizeof *b + bytes);
    if (!b) return NULL;
    b->next = tree->block;
    tree->block = b;
    return b->data;
}

char *tree_copy(Tree *tree, const char *text, size_t size)
{
    char *copy = take(tree, size + 1);
    if (copy) memcpy(copy, text, size);
    return copy;
}

Tree *tree_new(const char *name)
{
    Tree *tree = calloc(1, sizeof *tree);
    if (!tree) return NULL;
    tree->name = tree_copy(tree, name, strlen(name));
    if (!tree->name) { tree_close(tree); return NULL; }
    return tree;
}

void tree_close(Tree *tree)
{
    if (!tree) return;
    for (Block *b = tree->block, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(tree);
}

void        tree_set_root(Tree *tree, Node *root) { tree->root = root; }
const Node *tree_root(const Tree *tree)           { return tree->root; }
const char *tree_name(const Tree *tree)           { return tree->name; }

/* ---- building ---------------------------------------------------------------------------- */

Node *tree_node(Tree *tree, NodeKind kind, int line, int column)
{
    Node *n = take(tree, sizeof *n);
    if (n) *n = (Node){ .kind = kind, .line = line, .column = column };
    return n;
}

Status tree_no_memory(const Tree *tree, Err *err)
{
    return fail(err, NO_MEMORY, "%s: no memory to read it", tree->name);
}

/* Room doubles whenever the count is a power of two; the old one stays until the end. */
static Node **longer(Tree *tree, Node **old, int count)
{
    Node **more = take(tree, sizeof *more * (count ? 2 * (size_t)count : 1));
    if (more && count) memcpy(more, old, sizeof *more * (size_t)count);
    return more;
}

Status tree_add(Tree *tree, Node *parent, Node *key, Node *item, Err *err)
{
    require(parent->kind != NODE_SCALAR && (parent->kind == NODE_MAP) == (key != NULL));
    if (!(parent->count & (parent->count - 1))) {
        parent->item = longer(tree, parent->item, parent->count);
        if (key) parent->key = longer(tree, parent->key, parent->count);
        if (!parent->item || (key && !parent->key)) return tree_no_memory(tree, err);
    }
    if (key) parent->key[parent->count] = key;
    parent->item[parent->count++] = item;
    return OK;
}

static int in_file_order(const Node *a, const Node *b)
{
    return a->line != b->line ? a->line - b->line : a->column - b->column;
}

static int by_text_and_place(const void *a, const void *b)
{
    const Node *p = *(Node *const *)a, *q = *(Node *const *)b;
    const int order = strcmp(p->text, q->text);
    return order ? order : in_file_order(p, q);
}

/* The first key in the file that was there before, and where; sorted, or a long map takes hours. */
Status tree_check_keys(const Tree *tree, const Node *map, Err *err)
{
    const size_t count = (size_t)map->count;
    const Node *again = NULL, *first = NULL;
    Node **key = malloc((count + 1) * sizeof *key);
    if (!key) return tree_no_memory(tree, err);
    if (count) memcpy(key, map->key, count * sizeof *key);
    qsort(key, count, sizeof *key, by_text_and_place);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(key[i]->text, key[i - 1]->text)) continue;
        if (again && in_file_order(again, key[i]) < 0) continue;
        again = key[i];
        first = key[i - 1];
    }
    free(key);
    if (!again) return OK;
    return fail(err, BAD_INPUT, "%s:%d:%d: key '%s' is here already, in line %d", tree->name,
                again->line, again->column, again->text, first->line);
}

static Status read_all(FILE *file, const char *path, char *text, size_t *size, Err *err)
{
    *size = fread(text, 1, TREE_BYTES_MAX + 1, file);
    if (ferror(file)) return fail(err, IO_FAILED, "%s: %s", path, strerror(errno));
    if (*size > TREE_BYTES_MAX)
        return fail(err, BAD_INPUT, "%s: is larger than %d MiB", path, TREE_BYTES_MAX >> 20);
    text[*size] = 0;
    return OK;
}

Status tree_read_file(const char *path, char **out, size_t *size, Err *err)
{
    Status status = NO_MEMORY;
    FILE *file = fopen(path, "rb");
    if (!file) return fail(err, BAD_INPUT, "%s: %s", path, strerror(errno));
    char *text = malloc(TREE_BYTES_MAX + 2);
    status = text ? read_all(file, path, text, size, err)
                  : fail(err, NO_MEMORY, "%s: no memory to read it", path);
    fclose(file);
    if (status) { free(text); return status; }
    *out = text;
    return OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

const Node *node_get(const Node *map, const char *key)
{
    if (!map || map->kind != NODE_MAP) return NULL;
    for (int i = 0; i < map->count; i++)
        if (!strcmp(map->key[i]->text, key)) return map->item[i];
    return NULL;
}

const char *node_text(const Node *map, const char *key, const char *fallback)
{
    const Node *n = node_get(map, key);
    return n && n->kind == NODE_SCALAR ? n->text : fallback;
}

static int is_plain(const Node *n)
{
    return n && n->kind == NODE_SCALAR && !n->quoted && *n->text && !strchr(" \t\n", *n->text);
}

int node_integer(const Node *scalar, int64_t *out)
{
    if (!is_plain(scalar)) return 0;
    char *end;
    errno = 0;
    const long long value = strtoll(scalar->text, &end, 10);
    if (errno || end == scalar->text || *end) return 0;
    *out = value;
    return 1;
}

/* Decimal only: no "inf", "nan", or 0x. */
int node_number(const Node *scalar, double *out)
{
    if (!is_plain(scalar)) return 0;
    const char *text = scalar->text;
    const size_t digits = strspn(text, "+-.0123456789eE");
    char *end;
    const double value = strtod(text, &end);
    if (end == text || end != text + digits) return 0;
    const int is_percent = end[0] == '%' && !end[1];
    if ((*end && !is_percent) || !isfinite(value)) return 0;
    *out = is_percent ? value / 100 : value;
    return 1;
}

/* ---- complaints --------------------------------------------------------------------------- */

static void append(Complaints *c, const char *text)
{
    const size_t length = strlen(text), need = c->used + length + 1;
    if (need > c->size) {
        char *more = realloc(c->text, 2 * need);
        if (!more) return;               /* counted all the same */
        c->text = more;
        c->size = 2 * need;
    }
    memcpy(c->text + c->used, text, length + 1);
    c->used += length;
}

void complain(Complaints *c, const Tree *tree, const Node *at, const char *format, ...)
{
    char place[320], sentence[512];
    if (c->count++ >= COMPLAINTS_TOLD) return;
    snprintf(place, sizeof place, "%.250s: ", tree->name);
    if (at && at->line)
        snprintf(place, sizeof place, "%.250s:%d:%d: ", tree->name, at->line, at->column);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    append(c, text_clean(place));
    append(c, text_clean(sentence));
    append(c, "\n");
}

void complaints_free(Complaints *c)
{
    free(c->text);
    *c = (Complaints){ 0 };
}

static void complain_unknown(Complaints *c, const Tree *tree, const Node *key,
                             const char *const *known, int count)
{
    char list[256] = "";
    const char *near = did_you_mean(key->text, known, count);
    if (near) {
        complain(c, tree, key, "unknown key '%s'; did you mean '%s'?", key->text, near);
        return;
    }
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known[i]);
    }
    complain(c, tree, key, "unknown key '%s'; known here: %s", key->text, list);
}

void complain_unknown_keys(Complaints *c, const Tree *tree, const Node *map,
                           const char *const *known)
{
    int count = 0;
    if (!map || map->kind != NODE_MAP) return;
    while (known[count]) count++;
    for (int i = 0; i < map->count; i++) {
        int found = 0;
        for (int k = 0; k < count && !found; k++) found = !strcmp(map->key[i]->text, known[k]);
        if (!found) complain_unknown(c, tree, map->key[i], known, count);
    }
}
