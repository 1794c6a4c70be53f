/* SPDX-License-Identifier: Apache-2.0 */
#include "golden.h"

#include "../kernels/core/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64 };

/* ---- parameters ----------------------------------------------------------------------------- */

/* "window[0]" is the first item of list "window". */
static const Node *find(const Node *map, const char *name, size_t length)
{
    char key[WORD_MAX];
    if (length >= sizeof key) return NULL;
    memcpy(key, name, length);
    key[length] = 0;
    char *bracket = strchr(key, '[');
    if (!bracket) return node_get(map, key);
    const int index = atoi(bracket + 1);
    *bracket = 0;
    const Node *list = node_get(map, key);
    return list && list->kind == NODE_LIST && index < list->count ? list->item[index] : NULL;
}

static int read_value(const Node *node, int64_t *out)
{
    if (!node || node->kind != NODE_SCALAR || node->quoted) return 0;
    if (!strcmp(node->text, "true") || !strcmp(node->text, "false")) {
        *out = node->text[0] == 't';
        return 1;
    }
    double number;
    if (node_integer(node, out)) return 1;
    if (!node_number(node, &number) || number < -1e15 || number > 1e15) return 0;
    *out = (int64_t)number;
    return (double)*out == number;
}

/* 1 if the metadata have it. */
static int take_param(const Node *map, const Param *param, int64_t *value)
{
    for (const char *at = param->golden; at && *at; at += *at == '|') {
        const size_t length = strcspn(at, "|");
        if (read_value(find(map, at, length), value)) return 1;
        at += length;
    }
    return read_value(node_get(map, param->name), value);
}

static Status parse_metadata(const SafeFile *file, const char *key, Tree **tree, Err *err)
{
    const char *text = safe_metadata(file, key);
    *tree = NULL;
    return text ? tree_parse_json(tree, key, text, strlen(text), err) : OK;
}

static Status take_params(const SafeFile *file, Problem *p, uint32_t *given, Err *err)
{
    static const char *const keys[] = { "parameters", "params" };
    for (int k = 0; k < 2; k++) {
        Tree *tree;
        const Status status = parse_metadata(file, keys[k], &tree, err);
        if (status) return status;
        const Param *param = p->method->param;
        for (int i = 0; tree && param[i].name; i++)
            if (!(*given >> i & 1) && take_param(tree_root(tree), &param[i], &p->value[i]))
                *given |= 1u << i;
        tree_close(tree);
    }
    return OK;
}

double golden_number(const SafeFile *file, const char *key, const char *name, double fallback)
{
    Tree *tree;
    double number = fallback;
    if (parse_metadata(file, key, &tree, NULL) || !tree) return fallback;
    if (!node_number(node_get(tree_root(tree), name), &number)) number = fallback;
    tree_close(tree);
    return number;
}

/* ---- tensors ------------------------------------------------------------------------------- */

const SafeTensor *golden_tensor(const SafeFile *file, const Port *port, int gradient)
{
    char name[WORD_MAX];
    snprintf(name, sizeof name, "%s%s", gradient ? "d" : "", port->name);
    return safe_find(file, name);
}

/* A comma-separated list in the metadata says so; without it, gradients of outputs are given. */
int golden_is_upstream(const SafeFile *file, const Port *port)
{
    const char *given = safe_metadata(file, "given_tensors");
    if (!given) return 1;
    char name[WORD_MAX];
    const int length = snprintf(name, sizeof name, "d%s", port->name);
    for (const char *at = given; at; at = strchr(at, ',')) {
        at += *at == ',';
        if ((int)strcspn(at, ",") == length && !strncmp(at, name, (size_t)length)) return 1;
    }
    return 0;
}

static int has_pass(const Method *method, Pass pass)
{
    unsigned passes = 0;
    for (int i = 0; method->port[i].name; i++) passes |= method->port[i].passes;
    return (passes & pass) != 0;
}

Status golden_problem(const SafeFile *file, Problem *p, uint32_t given, Err *err)
{
    const Port *port = p->method->port;
    if (!has_pass(p->method, p->pass))
        return fail(err, BAD_INPUT, "%s has no %s pass", p->method->name, pass_name(p->pass));
    Status status = take_params(file, p, &given, err);
    for (int i = 0; port[i].name && !status; i++) {
        const SafeTensor *t = port[i].passes & p->pass ? golden_tensor(file, &port[i], 0) : NULL;
        if (t && t->rank > RANK_MAX)
            return fail(err, BAD_INPUT, "%s has %d dimensions", t->name, t->rank);
        if (t) status = port_unify(p, i, t->rank, t->dim, &given, err);
    }
    if (status) return status;
    problem_follow(p, given);
    return problem_valid(p, err);
}

static void print_shape(int rank, const int64_t *dim, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "[");
    for (int i = 0; i < rank && n < size; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%lld", i ? " " : "", (long long)dim[i]);
    if (n < size) snprintf(out + n, size - n, "]");
}

static int same_shape(const SafeTensor *from, const Tensor *to)
{
    const int more = to->rank - from->rank;
    if (more < 0) return 0;
    for (int i = 0; i < to->rank; i++)
        if (to->dim[i] != (i < more ? 1 : from->dim[i - more])) return 0;
    return 1;
}

static int is_whole(SafeDtype d) { return d >= SAFE_I64 && d <= SAFE_BOOL; }

Status golden_load(const SafeFile *file, const SafeTensor *from, Tensor *to, Err *err)
{
    const char *path = tree_name(file->header);
    char has[96], wants[96];
    print_shape(from->rank, from->dim, has, sizeof has);
    print_shape(to->rank, to->dim, wants, sizeof wants);
    if (!same_shape(from, to))
        return fail(err, BAD_INPUT, "%s: tensor %s is %s, but has to be %s", path, from->name, has,
                    wants);
    if (from->dtype == SAFE_OTHER)
        return fail(err, BAD_INPUT, "%s: tensor %s is of dtype %s; F64, F32, F16, BF16, I64, I32, "
                    "U8 and BOOL can be read", path, from->name, from->dtype_text);
    if (to->dtype == I32 && !is_whole(from->dtype))
        return fail(err, BAD_INPUT, "%s: tensor %s holds whole numbers, but is of dtype %s", path,
                    from->name, from->dtype_text);
    for (int64_t i = 0, n = safe_count(from); i < n; i++) {
        const double value = safe_get(from, i);
        if (to->dtype == I32 && (value < INT32_MIN || value > INT32_MAX))
            return fail(err, BAD_INPUT, "%s: tensor %s holds %.0f, which takes more than 32 bits",
                        path, from->name, value);
        tensor_set(to, i, value);
    }
    return OK;
}

static Status missing(const SafeFile *file, const char *prefix, const Port *port, Err *err)
{
    char names[200] = "";
    for (int i = 0; i < file->tensors; i++) {
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", file->tensor[i].name);
    }
    return fail(err, BAD_INPUT, "%s: there is no tensor %s%s [%s] (%s); there are: %s",
                tree_name(file->header), prefix, port->name, port->shape, port->help, names);
}

static Status load_input(const SafeFile *file, const Bound *b, int i, Err *err)
{
    const Port *port = &b->problem.method->port[i];
    Tensor x = b->x[i], dx = b->dx[i];
    if (port->role == PORT_OUT) {
        const SafeTensor *t = golden_tensor(file, port, 1);
        if (!dx.data) return OK;
        memset(dx.data, 0, tensor_bytes(&dx));
        return t && golden_is_upstream(file, port) ? golden_load(file, t, &dx, err) : OK;
    }
    const SafeTensor *t = golden_tensor(file, port, 0);
    if (!x.data) return OK;
    return t ? golden_load(file, t, &x, err) : missing(file, "", port, err);
}

Status golden_upstream(const SafeFile *file, const Bound *b, Err *err)
{
    const Port *port = b->problem.method->port, *first = NULL;
    for (int i = 0; port[i].name; i++) {
        if (port[i].role != PORT_OUT || !b->dx[i].data) continue;
        if (!first) first = &port[i];
        if (golden_tensor(file, &port[i], 1)) return OK;
    }
    return first ? missing(file, "d", first, err) : OK;
}

Status golden_inputs(const SafeFile *file, Bound *b, Err *err)
{
    Status status = OK;
    for (int i = 0; b->problem.method->port[i].name && !status; i++)
        status = load_input(file, b, i, err);
    return status;
}
