/* SPDX-License-Identifier: Apache-2.0 */
/* JSON into a tree: the only file that knows jansson. Nodes have no place in the file, because
 * the library does not keep it; syntax errors have. */
#include "tree_build.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static Node *build(Tree *tree, const json_t *value, int depth);

static Node *scalar(Tree *tree, const char *text, size_t size, int quoted)
{
    Node *n = tree_node(tree, NODE_SCALAR, 0, 0);
    if (!n) return NULL;
    n->quoted = quoted;
    n->text = tree_copy(tree, text, size);
    return n->text ? n : NULL;
}

static Node *plain(Tree *tree, const char *text) { return scalar(tree, text, strlen(text), 0); }

static Node *build_number(Tree *tree, const json_t *value)
{
    char text[40];
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    else
        snprintf(text, sizeof text, "%.17g", json_real_value(value));
    return plain(tree, text);
}

static Node *build_list(Tree *tree, const json_t *value, int depth)
{
    Node *list = tree_node(tree, NODE_LIST, 0, 0);
    for (size_t i = 0; list && i < json_array_size(value); i++) {
        Node *item = build(tree, json_array_get(value, i), depth + 1);
        if (!item || tree_add(tree, list, NULL, item, NULL)) return NULL;
    }
    return list;
}

static Node *build_map(Tree *tree, json_t *value, int depth)
{
    Node *map = tree_node(tree, NODE_MAP, 0, 0);
    const char *name;
    json_t *inner;
    json_object_foreach(value, name, inner) {
        Node *key = scalar(tree, name, strlen(name), 1);
        Node *item = key ? build(tree, inner, depth + 1) : NULL;
        if (!map || !item || tree_add(tree, map, key, item, NULL)) return NULL;
    }
    return map;
}

/* NULL: no memory, or too deep. */
static Node *build(Tree *tree, const json_t *value, int depth)
{
    if (depth > TREE_LEVELS_MAX) return NULL;
    switch (json_typeof(value)) {
    case JSON_OBJECT:  return build_map(tree, (json_t *)value, depth);
    case JSON_ARRAY:   return build_list(tree, value, depth);
    case JSON_STRING:  return scalar(tree, json_string_value(value), json_string_length(value), 1);
    case JSON_INTEGER:
    case JSON_REAL:    return build_number(tree, value);
    case JSON_TRUE:    return plain(tree, "true");
    case JSON_FALSE:   return plain(tree, "false");
    default:           return plain(tree, "null");
    }
}

Status tree_parse_json(Tree **out, const char *name, const char *text, size_t size, Err *err)
{
    json_error_t where;
    if (size > TREE_BYTES_MAX)
        return fail(err, BAD_INPUT, "%s: %zu bytes of JSON are too many", name, size);
    json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!root)
        return fail(err, BAD_INPUT, "%s:%d:%d: %s", name, where.line, where.column, where.text);
    Tree *tree = tree_new(name);
    Node *node = tree ? build(tree, root, 1) : NULL;
    json_decref(root);
    if (!node) {
        tree_close(tree);
        return fail(err, BAD_INPUT, "%s: JSON nested over %d levels, or no memory for it", name,
                    TREE_LEVELS_MAX);
    }
    tree_set_root(tree, node);
    *out = tree;
    return OK;
}
