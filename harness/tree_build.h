/* SPDX-License-Identifier: Apache-2.0 */
/* How a parser builds a tree: for tree_yaml.c and tree_json.c only. Everything that a tree holds
 * lives until tree_close. */
#ifndef TREE_BUILD_H
#define TREE_BUILD_H

#include "tree.h"

enum { TREE_LEVELS_MAX = 32, TREE_BYTES_MAX = 4 << 20, TREE_YAML_NODES_MAX = 20000 };

Tree  *tree_new(const char *name);                 /* NULL: no memory */
void   tree_set_root(Tree *tree, Node *root);
/* "NAME: no memory to read it". */
Status tree_no_memory(const Tree *tree, Err *err);
/* line and column from 1; 0: not known. NULL: no memory. */
Node  *tree_node(Tree *tree, NodeKind kind, int line, int column);
char  *tree_copy(Tree *tree, const char *text, size_t size);
/* key NULL for lists. */
Status tree_add(Tree *tree, Node *parent, Node *key, Node *item, Err *err);
/* BAD_INPUT: the map has a key twice. */
Status tree_check_keys(const Tree *tree, const Node *map, Err *err);
/* The whole file, malloc'ed, of at most TREE_BYTES_MAX bytes, with a 0 behind it. */
Status tree_read_file(const char *path, char **text, size_t *size, Err *err);

#endif
