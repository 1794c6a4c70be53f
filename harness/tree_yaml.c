/* SPDX-License-Identifier: Apache-2.0 */
/* YAML, plainly used: maps, lists and scalars. The one file that includes yaml.h. libyaml's
 * events know where they stand, and leave scalars as text. */
#include "tree_build.h"

#include "../kernels/core/text.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

typedef struct {
    yaml_parser_t parser;
    yaml_event_t  event;       /* the one under way; type YAML_NO_EVENT: none */
    Tree         *tree;
    int           nodes;
} Reader;

static int line_of(const Reader *r) { return (int)r->event.start_mark.line + 1; }
static int column_of(const Reader *r) { return (int)r->event.start_mark.column + 1; }

static Status refuse(const Reader *r, Status why, const char *what, Err *err)
{
    return fail(err, why, "%s:%d:%d: %s", tree_name(r->tree), line_of(r), column_of(r), what);
}

static Status advance(Reader *r, Err *err)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event)) return OK;
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return tree_no_memory(r->tree, err);
    const char *problem = p->problem ? p->problem : "unknown trouble";
    if (p->error == YAML_READER_ERROR)       /* which knows no line */
        return fail(err, BAD_INPUT, "%s: byte %zu: not YAML: %s", tree_name(r->tree),
                    p->problem_offset, problem);
    return fail(err, BAD_INPUT, "%s:%d:%d: not YAML: %s%s%s", tree_name(r->tree),
                (int)p->problem_mark.line + 1, (int)p->problem_mark.column + 1, problem,
                p->context ? ", " : "", p->context ? p->context : "");
}

/* Whatever reads a file may look at all pairs of its values. */
static Status node_here(Reader *r, NodeKind kind, Node **out, Err *err)
{
    if (++r->nodes > TREE_YAML_NODES_MAX)
        return refuse(r, BAD_INPUT, "more than 20000 values in one file", err);
    *out = tree_node(r->tree, kind, line_of(r), column_of(r));
    return *out ? OK : tree_no_memory(r->tree, err);
}

static Status check_text(const Reader *r, const char *text, size_t size, Err *err)
{
    if (memchr(text, 0, size)) return refuse(r, BAD_INPUT, "text with a NUL byte", err);
    for (; *text; text++)
        if (text_control(text) && text_sequence(text))
            return refuse(r, BAD_INPUT, "text with a control character", err);
    return OK;
}

static Status read_scalar(Reader *r, Node **out, Err *err)
{
    const char *text = (const char *)r->event.data.scalar.value;
    const size_t size = r->event.data.scalar.length;
    Node *node = NULL;
    Status status = check_text(r, text, size, err);
    if (!status) status = node_here(r, NODE_SCALAR, &node, err);
    if (status) return status;
    char *copy = tree_copy(r->tree, text, size);
    if (!copy) return tree_no_memory(r->tree, err);
    node->text = copy;
    node->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    *out = node;
    return advance(r, err);
}

static int has_anchor_or_tag(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT: return e->data.scalar.anchor || e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor || e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor || e->data.mapping_start.tag;
    default: return 0;
    }
}

static Status read_node(Reader *r, int level, Node **out, Err *err);

static Status read_items(Reader *r, Node *parent, yaml_event_type_t end, int level, Err *err)
{
    Status status = advance(r, err);
    while (!status && r->event.type != end) {
        Node *key = NULL, *value = NULL;
        if (parent->kind == NODE_MAP) {
            if (r->event.type != YAML_SCALAR_EVENT || has_anchor_or_tag(&r->event))
                return refuse(r, UNSUPPORTED, "a key has to be a plain word", err);
            if ((status = read_scalar(r, &key, err))) return status;
        }
        status = read_node(r, level + 1, &value, err);
        if (!status) status = tree_add(r->tree, parent, key, value, err);
    }
    return status ? status : advance(r, err);
}

static Status read_node(Reader *r, int level, Node **out, Err *err)
{
    if (level > TREE_LEVELS_MAX) return refuse(r, BAD_INPUT, "more than 32 levels deep", err);
    if (r->event.type == YAML_ALIAS_EVENT || has_anchor_or_tag(&r->event))
        return refuse(r, UNSUPPORTED, "anchors, aliases and tags are not used: write it out", err);
    if (r->event.type == YAML_SCALAR_EVENT) return read_scalar(r, out, err);
    const int map = r->event.type == YAML_MAPPING_START_EVENT;
    require(map || r->event.type == YAML_SEQUENCE_START_EVENT);
    Status status = node_here(r, map ? NODE_MAP : NODE_LIST, out, err);
    if (!status)
        status = read_items(r, *out, map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, level,
                            err);
    return status || !map ? status : tree_check_keys(r->tree, *out, err);
}

/* stream start, document start, the node, document end, stream end */
static Status read_document(Reader *r, Err *err)
{
    Node *root = NULL;
    Status status = advance(r, err);
    if (!status) status = advance(r, err);
    if (!status && r->event.type == YAML_STREAM_END_EVENT)
        return refuse(r, BAD_INPUT, "there is nothing in it", err);
    if (!status) status = advance(r, err);
    if (!status) status = read_node(r, 1, &root, err);
    if (!status) status = advance(r, err);
    if (!status && r->event.type != YAML_STREAM_END_EVENT)
        return refuse(r, UNSUPPORTED, "a second document starts here: one a file", err);
    if (!status) tree_set_root(r->tree, root);
    return status;
}

Status tree_parse_yaml(Tree **out, const char *name, const char *text, size_t size, Err *err)
{
    *out = NULL;
    if (size > TREE_BYTES_MAX) return fail(err, BAD_INPUT, "%s: is larger than 4 MiB", name);
    Reader r = { .tree = tree_new(name) };
    if (!r.tree || !yaml_parser_initialize(&r.parser)) {
        tree_close(r.tree);
        return fail(err, NO_MEMORY, "%s: no memory to read it", name);
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    const Status status = read_document(&r, err);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    if (status) tree_close(r.tree);
    else *out = r.tree;
    return status;
}

Status tree_open_yaml(Tree **tree, const char *path, Err *err)
{
    char *text;
    size_t size;
    *tree = NULL;
    Status status = tree_read_file(path, &text, &size, err);
    if (status) return status;
    status = tree_parse_yaml(tree, path, text, size, err);
    free(text);
    return status;
}
