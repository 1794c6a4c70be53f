/* SPDX-License-Identifier: Apache-2.0 */
/* All that there is to check, or what a glob chooses of it. */
#include "check.h"

#include "../kernels/core/problem.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ------------------------------------------------------------------------------ */

static void print_suffix(const CheckItem *item, char *out, size_t size)
{
    if (item->kind == CHECK_GRADIENT) snprintf(out, size, " gradient");
    if (item->kind == CHECK_LAW) snprintf(out, size, " law %s", item->law->name);
}

void check_point_text(const CheckItem *item, char *out, size_t size)
{
    const Point point = { item->problem, item->variant, 1 };
    const int n = point_print(&point, out, size);
    print_suffix(item, out + n, size - (size_t)n);
}

void check_case_text(const CheckItem *item, char *out, size_t size)
{
    if (item->path) { snprintf(out, size, "%s", item->path); return; }
    const int n = problem_print(&item->problem, out, size);
    print_suffix(item, out + n, size - (size_t)n);
}

/* ---- collecting -------------------------------------------------------------------------- */

static int begins_like(const char *text, const char *glob)
{
    char longer[CHECK_TEXT_MAX];
    snprintf(longer, sizeof longer, "%s*", glob);
    return !fnmatch(longer, text, 0);
}

static int is_chosen(const CheckItem *item, const char *glob)
{
    char text[CHECK_TEXT_MAX];
    if (!glob) return 1;
    if (item->path && begins_like(item->path, glob)) return 1;
    if (item->why) return 0;
    check_point_text(item, text, sizeof text);
    return begins_like(text, glob);
}

int check_add(CheckList *list, const CheckChoice *choice, const CheckItem *item)
{
    if (!is_chosen(item, choice->glob)) return 1;
    if (list->count == list->size) {
        const int size = list->size ? 2 * list->size : 1024;
        CheckItem *more = realloc(list->item, (size_t)size * sizeof *more);
        if (!more) return 0;
        list->item = more;
        list->size = size;
    }
    list->item[list->count] = *item;
    list->item[list->count++].group = list->groups;
    return 1;
}

static int is_wanted(const CheckChoice *choice, const Variant *v, const Problem *p)
{
    if (strcmp(v->method, p->method->name) || !(v->passes & p->pass)) return 0;
    return choice->isa == ISA_END ? isa_runs_here(v->isa) : v->isa == choice->isa;
}

int check_add_variants(CheckList *list, const CheckChoice *choice, const CheckItem *like)
{
    CheckItem item = *like;
    for (int i = 0; variants[i]; i++) {
        if (!is_wanted(choice, variants[i], &item.problem)) continue;
        item.variant = variants[i];
        for (Dtype d = F32; d < DTYPE_END; d++) {
            if (d == F64 || !(variants[i]->dtypes >> d & 1)) continue;
            item.problem.dtype = d;
            if (!check_add(list, choice, &item)) return 0;
        }
    }
    return 1;
}

typedef struct {
    CheckList         *list;
    const CheckChoice *choice;
    double             slack;
    int                no_memory;
} Collector;

/* Tolerances are set for the cases. Gradients of tiny random problems may cancel to less than they
 * do there, and errors are relative to the largest that is left. */
static const double random_slack = 4;

static void add(Collector *c, const CheckItem *item)
{
    if (!check_add(c->list, c->choice, item)) c->no_memory = 1;
}

static void add_variants(Collector *c, const CheckItem *item)
{
    if (!check_add_variants(c->list, c->choice, item)) c->no_memory = 1;
}

static int has_gradients(const Problem *p)
{
    for (int i = 0; p->method->port[i].name; i++) {
        const Port *port = &p->method->port[i];
        if (port->role != PORT_OUT && port_has_gradient(port) && port->passes & p->pass) return 1;
    }
    return 0;
}

static void add_problem(Collector *c, const Problem *p)
{
    CheckItem item = { .problem = *p, .slack = c->slack };
    c->list->groups++;
    if (p->pass != FWD && has_gradients(p)) {
        item.kind = CHECK_GRADIENT;
        item.problem.dtype = F64;
        add(c, &item);
        item.kind = CHECK_VARIANT;
    }
    add_variants(c, &item);
}

static int has_pass(const Method *m, Pass pass)
{
    for (int i = 0; m->port[i].name; i++)
        if (m->port[i].passes & pass) return 1;
    return 0;
}

static void add_case(Collector *c, Problem p)
{
    p.seed = c->choice->seed;
    for (int pass = FWD; pass <= STEP; pass <<= 1) {
        p.pass = (Pass)pass;
        if (has_pass(p.method, p.pass) && !problem_valid(&p, NULL)) add_problem(c, &p);
    }
}

/* The law's own parameters over the method's defaults. */
static Status add_law(Collector *c, const Method *m, const Law *law, Err *err)
{
    char text[POINT_TEXT_MAX];
    CheckItem item = { .kind = CHECK_LAW, .law = law };
    snprintf(text, sizeof text, "%s%s%s:%s", m->name, law->needs ? ":" : "",
             law->needs ? law->needs : "", pass_name(law->pass));
    const Status status = problem_parse(&item.problem, text, err);
    if (status) return status;
    item.problem.seed = c->choice->seed;
    c->list->groups++;
    add_variants(c, &item);
    item.problem.dtype = F64;
    add(c, &item);
    return OK;
}

static Status add_method(Collector *c, const Method *m, Err *err)
{
    for (int i = 0; m->cases && m->cases[i]; i++) {
        Problem p;
        const Status status = problem_parse(&p, m->cases[i], err);
        if (status) return status;
        add_case(c, p);
    }
    for (int i = 0; m->law && m->law[i].name; i++) {
        const Status status = add_law(c, m, &m->law[i], err);
        if (status) return status;
    }
    return OK;
}

static void add_random(Collector *c, const Method *m)
{
    c->slack = random_slack;
    for (int i = 0; i < c->choice->random; i++)
        for (int pass = FWD; pass <= STEP; pass <<= 1) {
            Problem p;
            if (has_pass(m, (Pass)pass) && check_random(&p, m, (Pass)pass, c->choice->seed, i))
                add_problem(c, &p);
        }
}

/* A whole point that is no case: its variant and ISA, or all of them where it names none. */
static Status add_point(Collector *c, const char *text, Err *err)
{
    Point point;
    const Status status = point_parse(&point, text, err);
    if (status) return status;
    const size_t head = strcspn(text, ":");
    const char *missing = point.variant ? isa_missing(point.variant->isa) : NULL;
    if (missing)
        return fail(err, UNSUPPORTED, "%s does not run here: %s", isa_name(point.variant->isa),
                    missing);
    CheckChoice all = *c->choice;
    all.glob = NULL;
    all.isa = memchr(text, '@', head) ? point.variant->isa : all.isa;
    Collector every = { .list = c->list, .choice = &all };
    CheckItem item = { .problem = point.problem };
    item.problem.seed = all.seed;
    c->list->groups++;
    if (!memchr(text, '/', head)) add_variants(&every, &item);
    else if (!point.variant) add_problem(&every, &item.problem);
    else {
        item.variant = point.variant;
        add(&every, &item);
    }
    c->no_memory = every.no_memory;
    return OK;
}

/* ---- from outside ----------------------------------------------------------------------- */

Status check_list_open(CheckList *list, const CheckChoice *choice, Err *err)
{
    *list = (CheckList){ 0 };
    Collector c = { .list = list, .choice = choice };
    Status status = OK;
    for (int i = 0; methods[i] && !status; i++) {
        if (choice->random) add_random(&c, methods[i]);
        else status = add_method(&c, methods[i], err);
    }
    if (!status && !list->count && choice->glob && strchr(choice->glob, ':') &&
        !strpbrk(choice->glob, "*?[")) status = add_point(&c, choice->glob, err);
    if (!status && c.no_memory) status = fail(err, NO_MEMORY, "no memory for the list of checks");
    if (!status && !list->count)
        status = fail(err, BAD_INPUT, "nothing to check is called '%s'; 'attest check --list' "
                      "shows what there is", choice->glob ? choice->glob : "*");
    if (status) check_list_close(list);
    return status;
}

void check_list_close(CheckList *list)
{
    for (int i = 0; i < list->texts; i++) free(list->text[i]);
    free(list->text);
    free(list->item);
    *list = (CheckList){ 0 };
}
