/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes of ports: from parameters to dimensions, and back from a file's dimensions. */
#include "problem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int param; int64_t number; int divisor, added; } Dim;   /* param < 0: the number */

static const char *next_word(const char *shape, char *word, size_t size)
{
    while (*shape == ' ') shape++;
    size_t n = strcspn(shape, " ");
    require(n < size);
    memcpy(word, shape, n);
    word[n] = 0;
    return n ? shape + n : NULL;
}

static Dim dim_parse(const Method *m, char *word)
{
    Dim d = { .param = -1, .divisor = -1 };
    char *slash = strchr(word, '/'), *plus = strchr(word, '+');
    if (slash) { *slash = 0; d.divisor = param_index(m, slash + 1); require(d.divisor >= 0); }
    if (plus)  { *plus = 0; d.added = atoi(plus + 1); }
    if (isdigit((unsigned char)*word)) d.number = atoll(word);
    else { d.param = param_index(m, word); require(d.param >= 0); }
    return d;
}

static int64_t dim_value(const Problem *p, Dim d)
{
    int64_t n = d.param >= 0 ? p->value[d.param] : d.number;
    if (d.divisor >= 0) n = (n + p->value[d.divisor] - 1) / p->value[d.divisor];
    return n + d.added;
}

static Dtype port_dtype(const Problem *p, const Port *port)
{
    if (port->kind == KIND_INDEX) return I32;
    return port->kind == KIND_WIDE && p->dtype == BF16 ? F32 : p->dtype;
}

int port_shape(const Problem *p, int port, Tensor *t)
{
    const Port *at = &p->method->port[port];
    if (!(at->passes & p->pass) || (at->when && !problem_get(p, at->when))) return 0;
    t->dtype = port_dtype(p, at);
    t->rank = 0;
    int present = 1;
    char word[32];
    for (const char *s = at->shape; (s = next_word(s, word, sizeof word));) {
        require(t->rank < RANK_MAX);
        const int64_t n = dim_value(p, dim_parse(p->method, word));
        present = present && n > 0;
        t->dim[t->rank++] = n;
    }
    return present;
}

/* Dimension i of the port's shape is n: what does that say of its parameter? */
static Status unify_dim(Problem *p, const Port *port, int i, Dim d, int64_t n, uint32_t *given,
                        Err *err)
{
    if (d.param < 0 || d.divisor >= 0) return OK;
    const char *name = p->method->param[d.param].name;
    const int64_t value = n - d.added, known = p->value[d.param];
    if ((*given >> d.param & 1) && known != value)
        return fail(err, BAD_INPUT, "%s: dimension %d of [%s] is %lld, but %s is already %lld",
                    port->name, i + 1, port->shape, (long long)n, name, (long long)known);
    p->value[d.param] = value;
    *given |= 1u << d.param;
    return OK;
}

Status port_unify(Problem *p, int port, int rank, const int64_t *dim, uint32_t *given, Err *err)
{
    const Port *at = &p->method->port[port];
    char word[RANK_MAX][32];
    int want = 0;
    for (const char *s = at->shape; *s; want++) {
        require(want < RANK_MAX);
        s = next_word(s, word[want], sizeof word[want]);
        require(s);
    }
    if (rank > want)
        return fail(err, BAD_INPUT, "%s has %d dimensions, its shape is [%s]", at->name, rank,
                    at->shape);
    for (int i = 0; i < want; i++) {
        const int64_t n = i < want - rank ? 1 : dim[i - (want - rank)];
        const Status status = unify_dim(p, at, i, dim_parse(p->method, word[i]), n, given, err);
        if (status) return status;
    }
    if (at->when) {
        int i = param_index(p->method, at->when);
        if (!(*given >> i & 1)) { p->value[i] = 1; *given |= 1u << i; }
    }
    return OK;
}
