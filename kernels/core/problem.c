/* SPDX-License-Identifier: Apache-2.0 */
/* Problems and points as text. */
#include "problem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- looking things up by name ------------------------------------------------- */

static const struct { const char *name; Pass pass; } passes[] = {
    { "fwd", FWD }, { "bwd", BWD }, { "step", STEP },
};
enum { PASS_COUNT = sizeof passes / sizeof *passes };

const char *pass_name(Pass pass)
{
    for (int i = 0; i < PASS_COUNT; i++)
        if (passes[i].pass == pass) return passes[i].name;
    require_failed("a known pass", __FILE__, __LINE__);
}

int pass_parse(const char *name, Pass *out)
{
    for (int i = 0; i < PASS_COUNT; i++)
        if (!strcmp(name, passes[i].name)) { *out = passes[i].pass; return 1; }
    return 0;
}

int param_index(const Method *method, const char *name)
{
    for (int i = 0; method->param[i].name; i++)
        if (!strcmp(method->param[i].name, name)) return i;
    return -1;
}

int port_index(const Method *method, const char *name)
{
    for (int i = 0; method->port[i].name; i++)
        if (!strcmp(method->port[i].name, name)) return i;
    return -1;
}

int64_t problem_get(const Problem *p, const char *name)
{
    int i = param_index(p->method, name);
    require(i >= 0);
    return p->value[i];
}

const Method *method_find(const char *name)
{
    for (int i = 0; methods[i]; i++)
        if (!strcmp(methods[i]->name, name)) return methods[i];
    return NULL;
}

/* The counting ISA measures nothing that a user would want to run, so it is never best. */
const Variant *variant_find(const char *method, const char *name, Isa isa)
{
    const Variant *best = NULL;
    for (int i = 0; variants[i]; i++) {
        const Variant *v = variants[i];
        if (strcmp(v->method, method) || strcmp(v->name, name)) continue;
        if (isa != ISA_END && v->isa == isa) return v;
        if (isa != ISA_END || v->isa == ISA_COUNT || !isa_runs_here(v->isa)) continue;
        if (!best || v->isa > best->isa) best = v;
    }
    return best;
}

/* ---- did you mean ---------------------------------------------------------------- */

enum { WORD_MAX = 48 };

static int edits(const char *a, const char *b)
{
    int row[WORD_MAX + 1], n = (int)strlen(b);
    if (strlen(a) > WORD_MAX || n > WORD_MAX) return WORD_MAX;
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const int differ = tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);
            const int change = diagonal + differ;
            diagonal = row[j];
            int skip = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = change < skip ? change : skip;
        }
    }
    return row[n];
}

const char *did_you_mean(const char *word, const char *const *names, int count)
{
    const char *best = NULL;
    const size_t length = strlen(word);
    int limit = length < 4 ? 1 : 2;
    for (int i = 0; i < count; i++) {
        int distance = edits(word, names[i]);
        if (distance <= limit) { best = names[i]; limit = distance - 1; }
    }
    for (int i = 0; i < count && !best && length > 1; i++) {
        const char *last = strrchr(names[i], '/');
        if (!strncmp(word, names[i], length) || (last && !strcmp(word, last + 1))) best = names[i];
    }
    return best;
}

/* "there is no <kind> 'word'", with the nearest name or the whole list. */
static Status unknown(Err *err, const char *kind, const char *word, const char *const *names,
                      int count)
{
    const char *near = did_you_mean(word, names, count);
    if (near)
        return fail(err, BAD_INPUT, "there is no %s '%s'; did you mean '%s'?", kind, word, near);
    char list[256] = "";
    for (int i = 0; i < count; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    }
    return fail(err, BAD_INPUT, "there is no %s '%s'; there are: %s", kind, word, list);
}

enum { NAMES_MAX = 128 };

static Status unknown_method(Err *err, const char *word)
{
    const char *names[NAMES_MAX];
    int n = 0;
    for (int i = 0; methods[i] && n < NAMES_MAX; i++) names[n++] = methods[i]->name;
    return unknown(err, "method", word, names, n);
}

static Status unknown_variant(Err *err, const Method *m, const char *word)
{
    const char *names[NAMES_MAX];
    int n = 0;
    for (int i = 0; variants[i] && n < NAMES_MAX; i++) {
        if (strcmp(variants[i]->method, m->name)) continue;
        if (!n || strcmp(names[n - 1], variants[i]->name)) names[n++] = variants[i]->name;
    }
    char kind[128];
    snprintf(kind, sizeof kind, "variant of %s called", m->name);
    return unknown(err, kind, word, names, n);
}

static Status unknown_param(Err *err, const Method *m, const char *word)
{
    const char *names[PARAM_MAX];
    int n = 0;
    while (m->param[n].name) { names[n] = m->param[n].name; n++; }
    char kind[128];
    snprintf(kind, sizeof kind, "parameter of %s called", m->name);
    return unknown(err, kind, word, names, n);
}

/* ---- values ------------------------------------------------------------------------ */

void problem_default(Problem *p, const Method *method)
{
    *p = (Problem){ .method = method, .dtype = F32, .pass = FWD, .seed = 1 };
    for (int i = 0; method->param[i].name; i++) p->value[i] = method->param[i].fallback;
    problem_follow(p, 0);
}

void problem_follow(Problem *p, uint32_t given)
{
    for (int i = 0; p->method->param[i].name; i++) {
        const char *leader = p->method->param[i].same_as;
        if (leader && !(given >> i & 1)) p->value[i] = problem_get(p, leader);
    }
}

/* Each size may be sane and their product beyond 64 bits. Below this, sizes can be added up. */
#define VALUES_MOST 0x1p36

static Status check_size(const Problem *p, Err *err)
{
    for (int i = 0; p->method->port[i].name; i++) {
        Tensor t;
        double values = 1;
        if (!port_shape(p, i, &t)) continue;
        for (int k = 0; k < t.rank; k++) values *= (double)t.dim[k];
        if (values > VALUES_MOST)
            return fail(err, BAD_INPUT, "%s: tensor %s would have %.1e values, more than 2^36",
                        p->method->name, p->method->port[i].name, values);
    }
    return OK;
}

Status problem_valid(const Problem *p, Err *err)
{
    for (int i = 0; p->method->param[i].name; i++) {
        const Param *param = &p->method->param[i];
        if (p->value[i] < param->low || p->value[i] > param->high)
            return fail(err, BAD_INPUT, "%s=%lld is outside %lld..%lld (%s)", param->name,
                        (long long)p->value[i], (long long)param->low, (long long)param->high,
                        param->help);
    }
    const char *why = p->method->refuses ? p->method->refuses(p) : NULL;
    return why ? fail(err, BAD_INPUT, "%s: %s", p->method->name, why) : check_size(p, err);
}

static Status parse_integer(const char *name, const char *text, int64_t *out, Err *err)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno)
        return fail(err, BAD_INPUT, "%s='%s' is not a whole number%s", name, text,
                    errno ? " that fits 64 bits" : "");
    *out = v;
    return OK;
}

/* ---- parsing -------------------------------------------------------------------------- */

static Status parse_params(Problem *p, char *list, Err *err)
{
    uint32_t given = 0;
    char *save = NULL;
    for (char *item = strtok_r(list, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
        char *equals = strchr(item, '=');
        if (!equals) return fail(err, BAD_INPUT, "'%s' should be PARAM=VALUE", item);
        *equals = 0;
        int i = param_index(p->method, item);
        if (i < 0) return unknown_param(err, p->method, item);
        if (given >> i & 1) return fail(err, BAD_INPUT, "%s is given twice", item);
        Status status = parse_integer(item, equals + 1, &p->value[i], err);
        if (status) return status;
        given |= 1u << i;
    }
    problem_follow(p, given);
    return OK;
}

static Status parse_threads(const char *text, int *threads, Err *err)
{
    int64_t n;
    Status status = parse_integer("threads", text, &n, err);
    if (status) return status;
    if (n < 1 || n > THREADS_MAX)
        return fail(err, BAD_INPUT, "threads=%lld is outside 1..%d", (long long)n, THREADS_MAX);
    *threads = (int)n;
    return OK;
}

enum { FIELD_DTYPE = 1, FIELD_PASS = 2, FIELD_THREADS = 4, FIELD_PARAMS = 8 };

/* Which kind of field it is; 0: none. */
static int field_kind(const char *field, Dtype *dtype, Pass *pass)
{
    if (dtype_parse(field, dtype) && *dtype != I32) return FIELD_DTYPE;
    if (pass_parse(field, pass)) return FIELD_PASS;
    if (!strncmp(field, "threads=", 8)) return FIELD_THREADS;
    return strchr(field, '=') ? FIELD_PARAMS : 0;
}

static Status one_too_many(const char *field, int kind, Err *err)
{
    static const char *const word[] = { "threads" };
    char name[POINT_TEXT_MAX];
    if (kind != FIELD_PARAMS)
        return fail(err, BAD_INPUT, "'%s' is a second %s", field,
                    kind == FIELD_DTYPE ? "dtype" : kind == FIELD_PASS ? "pass" : "threads=N");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(field, "="), field);
    if (did_you_mean(name, word, 1))
        return fail(err, BAD_INPUT, "there is no option '%s'; did you mean 'threads'?", name);
    return fail(err, BAD_INPUT, "'%s' is a second list of parameters; they stand together, as in "
                "T=1024,D=64", field);
}

static Status unknown_field(const Method *m, const char *field, Err *err)
{
    static const char *const words[] = { "f32", "bf16", "f64", "fwd", "bwd", "step", "threads=1" };
    if (param_index(m, field) < 0)
        return unknown(err, "dtype, pass or option", field, words, sizeof words / sizeof *words);
    return fail(err, BAD_INPUT, "%s is a parameter; it wants a value, as in %s=%lld", field, field,
                (long long)m->param[param_index(m, field)].fallback);
}

/* Everything after METHOD[/VARIANT][@ISA]. */
static Status parse_fields(Point *point, char *rest, Err *err)
{
    Problem *p = &point->problem;
    int seen = 0;
    char *save = NULL;
    for (char *field = strtok_r(rest, ":", &save); field; field = strtok_r(NULL, ":", &save)) {
        Dtype dtype;
        Pass pass;
        Status status = OK;
        const int kind = field_kind(field, &dtype, &pass);
        if (!kind) return unknown_field(p->method, field, err);
        if (seen & kind) return one_too_many(field, kind, err);
        seen |= kind;
        if (kind == FIELD_DTYPE) p->dtype = dtype;
        if (kind == FIELD_PASS) p->pass = pass;
        if (kind == FIELD_THREADS) status = parse_threads(field + 8, &point->threads, err);
        if (kind == FIELD_PARAMS) status = parse_params(p, field, err);
        if (status) return status;
    }
    return problem_valid(p, err);
}

Status isa_read(const char *text, Isa *isa, Err *err)
{
    const char *names[ISA_END];
    if (isa_parse(text, isa)) return OK;
    for (Isa i = ISA_PORTABLE; i < ISA_END; i++) names[i] = isa_name(i);
    return unknown(err, "instruction set", text, names, ISA_END);
}

static Status parse_variant(Point *point, const char *variant, const char *isa_text, Err *err)
{
    const Method *m = point->problem.method;
    Isa isa = ISA_END;
    const Status status = isa_text ? isa_read(isa_text, &isa, err) : OK;
    if (status) return status;
    if (variant && !strcmp(variant, "reference")) { point->variant = NULL; return OK; }
    const char *name = variant ? variant : m->usual;
    point->variant = variant_find(m->name, name, isa);
    if (point->variant) return OK;
    for (int i = 0; variants[i]; i++)
        if (!strcmp(variants[i]->method, m->name) && !strcmp(variants[i]->name, name))
            return fail(err, UNSUPPORTED, "%s/%s is not built for %s", m->name, name,
                        isa_text ? isa_text : "this machine");
    return unknown_variant(err, m, name);
}

/* with_variant: 0 if only the problem is wanted, which a method without variants has too. */
static Status parse_text(Point *point, const char *text, int with_variant, Err *err)
{
    char copy[POINT_TEXT_MAX];
    if (strlen(text) >= sizeof copy)
        return fail(err, BAD_INPUT, "a point's text is at most %d characters", POINT_TEXT_MAX - 1);
    strcpy(copy, text);
    char *rest = strchr(copy, ':');
    if (rest) *rest++ = 0;
    char *isa = strchr(copy, '@');
    if (isa) *isa++ = 0;
    char *variant = strchr(copy, '/');
    if (variant) *variant++ = 0;
    const Method *m = method_find(copy);
    if (!m) return unknown_method(err, copy);
    *point = (Point){ .threads = 1 };
    problem_default(&point->problem, m);
    Status status = with_variant ? parse_variant(point, variant, isa, err) : OK;
    if (status) return status;
    return parse_fields(point, rest ? rest : copy + strlen(copy), err);
}

Status point_parse(Point *point, const char *text, Err *err)
{
    return parse_text(point, text, 1, err);
}

Status problem_parse(Problem *p, const char *text, Err *err)
{
    size_t head = strcspn(text, ":");
    if (memchr(text, '/', head) || memchr(text, '@', head))
        return fail(err, BAD_INPUT, "a problem names no variant and no instruction set");
    Point point;
    Status status = parse_text(&point, text, 0, err);
    if (!status) *p = point.problem;
    return status;
}

/* ---- printing ----------------------------------------------------------------------------- */

static int plain(const Problem *p, int i)
{
    const Param *param = &p->method->param[i];
    int64_t usual = param->same_as ? problem_get(p, param->same_as) : param->fallback;
    return !param->shown && p->value[i] == usual;
}

static int print_params(const Problem *p, char *out, size_t size)
{
    size_t n = 0;
    for (int i = 0; p->method->param[i].name; i++) {
        if (plain(p, i)) continue;
        n += (size_t)snprintf(out + n, size - n, "%c%s=%lld", n ? ',' : ':',
                              p->method->param[i].name, (long long)p->value[i]);
        require(n < size);
    }
    n += (size_t)snprintf(out + n, size - n, ":%s:%s", dtype_name(p->dtype), pass_name(p->pass));
    require(n < size);
    return (int)n;
}

int problem_print(const Problem *p, char *out, size_t size)
{
    int n = snprintf(out, size, "%s", p->method->name);
    return n + print_params(p, out + n, size - (size_t)n);
}

int point_print(const Point *point, char *out, size_t size)
{
    const Problem *p = &point->problem;
    const Variant *v = point->variant;
    int n = snprintf(out, size, "%s/%s", p->method->name, v ? v->name : "reference");
    if (v) n += snprintf(out + n, size - (size_t)n, "@%s", isa_name(v->isa));
    n += print_params(p, out + n, size - (size_t)n);
    if (point->threads > 1) n += snprintf(out + n, size - (size_t)n, ":threads=%d", point->threads);
    require((size_t)n < size);
    return n;
}
