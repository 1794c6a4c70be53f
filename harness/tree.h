/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML or JSON document as a tree of nodes that know where they stand, so that every
 * complaint can say file:line:column. Scalars stay text: there is no "Norway problem". */
#ifndef TREE_H
#define TREE_H

#include "../kernels/core/status.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { NODE_SCALAR, NODE_LIST, NODE_MAP } NodeKind;

typedef struct Node Node;
struct Node {
    NodeKind    kind;
    const char *text;          /* of a scalar */
    int         quoted;        /* a scalar in quotes: never a number or null */
    int         line, column;  /* from 1 */
    int         count;         /* of items */
    Node      **item;          /* of a list; the values of a map */
    Node      **key;           /* of a map */
};

typedef struct Tree Tree;      /* owns its nodes and text */

/* UNSUPPORTED: aliases, tags, more than one document; BAD_INPUT: syntax, duplicate keys, control
 * characters, over 32 levels, over 20000 values of YAML, over 4 MiB. The sentence starts with
 * file:line:column. */
Status tree_open_yaml(Tree **tree, const char *path, Err *err);
Status tree_parse_yaml(Tree **tree, const char *name, const char *text, size_t size, Err *err);
Status tree_parse_json(Tree **tree, const char *name, const char *text, size_t size, Err *err);
void   tree_close(Tree *tree);
const Node *tree_root(const Tree *tree);
const char *tree_name(const Tree *tree);   /* the path, for messages */

const Node *node_get(const Node *map, const char *key);       /* NULL: absent, or no map */
const char *node_text(const Node *map, const char *key, const char *fallback);
int         node_integer(const Node *scalar, int64_t *out);   /* 1 if it is one */
int         node_number(const Node *scalar, double *out);     /* also "2%" (0.02), "1e-3" */

/* Complaints are gathered, so that a user sees all of them in one go; after the first hundred they
 * are only counted. */
enum { COMPLAINTS_TOLD = 100 };
typedef struct { char *text; size_t used, size; int count; } Complaints;
void complain(Complaints *, const Tree *, const Node *, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void complaints_free(Complaints *);
/* Every key of the map must be one of `known` (ends with NULL); others are complained of, with
 * "did you mean". */
void complain_unknown_keys(Complaints *, const Tree *, const Node *map, const char *const *known);

#endif
