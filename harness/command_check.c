/* SPDX-License-Identifier: Apache-2.0 */
/* attest check: every variant against the float64 reference. */
#include "check.h"
#include "cli.h"
#include "pool.h"

#include "../kernels/core/problem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* One check takes milliseconds; a hundred times slower under a sanitizer or an emulator. */
static const double limit_s = 120;

typedef struct { const char *name; int ok, other, failed; double worst; } Row;

typedef struct {               /* what is said of a golden file in its line */
    const char *path;
    Outcome     outcome;
    const char *why;
    char        tensor[32], worst_tensor[32], worst_point[CHECK_TEXT_MAX];
    double      error_rel, worst;
    int         variants;
} FileLine;

typedef struct {
    const Call      *call;
    const CheckList *list;
    CheckRoom       *room;      /* a child's own, opened there */
    Progress        *progress;
    Json             json;
    FileLine         file;      /* the golden file under way */
    Row             *row;       /* [methods] */
    int              rows, failed, remarks;
} Session;

/* ---- in the children ----------------------------------------------------------------------- */

static int group_of(void *self, int item) { return ((Session *)self)->list->item[item].group; }

static void work(void *self, int item, void *result)
{
    Session *s = self;
    Err err;
    if (!s->room && check_room_open(&s->room, &err)) {
        check_says(result, OUTCOME_OUT_OF_MEMORY, "%s", err.text);
        return;
    }
    check_run(s->room, &s->list->item[item], result);
}

/* ---- in the parent --------------------------------------------------------------------------- */

static void lost(void *self, int item, Loss loss, const char *words, void *result)
{
    static const Outcome outcomes[] = {
        [LOSS_CRASH] = OUTCOME_CRASHED, [LOSS_TIMEOUT] = OUTCOME_TIMEOUT,
        [LOSS_MEMORY] = OUTCOME_OUT_OF_MEMORY,
    };
    (void)self, (void)item;
    check_says(result, outcomes[loss], "%s", loss == LOSS_TIMEOUT ? "took too long" : words);
}

static int is_failure(Outcome o)
{
    return o != OUTCOME_OK && o != OUTCOME_UNSUPPORTED && o != OUTCOME_SKIPPED;
}

static Row *row_of(Session *s, const char *method)
{
    for (int i = 0; i < s->rows; i++)
        if (!strcmp(s->row[i].name, method)) return &s->row[i];
    s->row[s->rows] = (Row){ .name = method };
    return &s->row[s->rows++];
}

static void tally(Session *s, const CheckItem *item, const CheckResult *r)
{
    Row *row = row_of(s, item->problem.method ? item->problem.method->name : "(unclaimed)");
    if (is_failure(r->outcome)) row->failed++, s->failed++;
    else if (r->outcome == OUTCOME_OK) row->ok++;
    else row->other++;
    if (r->tolerance > 0) row->worst = fmax(row->worst, r->error_rel / r->tolerance);
    s->remarks += r->outcome == OUTCOME_OK && *r->reason;
}

static void print_json(Session *s, const CheckItem *item, const CheckResult *r)
{
    char text[CHECK_TEXT_MAX];
    Json *j = &s->json;
    check_case_text(item, text, sizeof text);
    json_object(j, NULL);
    json_text(j, "case", text);
    json_text(j, "variant", item->variant ? item->variant->name : "reference");
    json_text(j, "isa", item->variant ? isa_name(item->variant->isa) : NULL);
    json_text(j, "dtype", dtype_name(item->why ? F64 : item->problem.dtype));
    json_text(j, "pass", item->problem.method ? pass_name(item->problem.pass) : NULL);
    json_text(j, "outcome", outcome_name(r->outcome));
    json_text(j, "worst_tensor", *r->worst_tensor ? r->worst_tensor : NULL);
    json_number(j, "error_rel", r->tolerance > 0 ? r->error_rel : NAN);
    json_number(j, "tolerance", r->tolerance > 0 ? r->tolerance : NAN);
    if (*r->reason) json_text(j, "reason", r->reason);
    json_close(j);
}

static const char *colour_of(Outcome o)
{
    return o == OUTCOME_OK ? "32" : is_failure(o) ? "1;31" : "33";
}

static void print_outcome(const Session *s, Outcome o)
{
    FILE *out = s->call->out;
    progress_hide(s->progress);
    fprintf(out, "%s%-12s%s ", paint(out, colour_of(o)), outcome_name(o), paint(out, "0"));
}

static void print_line(const Session *s, const CheckItem *item, const CheckResult *r)
{
    char text[CHECK_TEXT_MAX] = "";
    FILE *out = s->call->out;
    if (item->problem.method) check_point_text(item, text, sizeof text);
    print_outcome(s, r->outcome);
    fprintf(out, "%s%s%s", item->path ? item->path : "", item->path ? " " : "", text);
    if (r->tolerance > 0 && *r->worst_tensor)
        fprintf(out, "  %s %.1e of %.0e", r->worst_tensor, r->error_rel, r->tolerance);
    else if (r->tolerance > 0)
        fprintf(out, "  %.1e of %.0e", r->error_rel, r->tolerance);
    fprintf(out, "%s%s\n", *r->reason ? ": " : "", r->reason);
    if (is_failure(r->outcome)) fflush(out);
}

/* ---- golden files: a line each, when the last of its items is done -------------------------- */

static void print_file(Session *s)
{
    const FileLine *f = &s->file;
    FILE *out = s->call->out;
    if (!f->path) return;
    print_outcome(s, f->outcome);
    fputs(f->path, out);
    if (*f->tensor) fprintf(out, "  reference %s %.1e", f->tensor, f->error_rel);
    if (f->variants)
        fprintf(out, "; %d variants, worst %s %.2f of its tolerance in %s", f->variants,
                f->worst_tensor, f->worst, f->worst_point);
    fprintf(out, "%s%s\n", f->why ? ": " : "", f->why ? f->why : "");
}

static void add_to_file(Session *s, const CheckItem *item, const CheckResult *r)
{
    FileLine *f = &s->file;
    if (f->path != item->path) {
        print_file(s);
        *f = (FileLine){ .path = item->path, .outcome = item->why ? item->outcome : OUTCOME_OK,
                         .why = item->why, .worst = -1 };
    }
    if (is_failure(r->outcome)) f->outcome = r->outcome;
    if (!(r->tolerance > 0)) return;
    if (!item->variant && (!*f->tensor || r->error_rel > f->error_rel)) {
        snprintf(f->tensor, sizeof f->tensor, "%s", r->worst_tensor);
        f->error_rel = r->error_rel;
    }
    f->variants += item->variant != NULL;
    if (!item->variant || r->error_rel / r->tolerance <= f->worst) return;
    f->worst = r->error_rel / r->tolerance;
    snprintf(f->worst_tensor, sizeof f->worst_tensor, "%s", r->worst_tensor);
    snprintf(f->worst_point, sizeof f->worst_point, "%s/%s@%s:%s:%s", item->variant->method,
             item->variant->name, isa_name(item->variant->isa), dtype_name(item->problem.dtype),
             pass_name(item->problem.pass));
}

static void done(void *self, int at, const void *result)
{
    Session *s = self;
    const CheckItem *item = &s->list->item[at];
    const CheckResult *r = result;
    const int fails = is_failure(r->outcome), in_full = !isatty(fileno(s->call->out));
    tally(s, item, r);
    if (s->call->json) { print_json(s, item, r); return; }
    if (item->path) add_to_file(s, item, r);
    if (fails || (in_full && !item->path)) print_line(s, item, r);
}

static int look(void *self, int finished)
{
    Session *s = self;
    char text[CHECK_TEXT_MAX] = "";
    if (finished < s->list->count)
        check_case_text(&s->list->item[finished], text, sizeof text);
    progress_at(s->progress, finished, text);
    fflush(s->call->out);            /* whoever reads along sees each line */
    return call_stopped(s->call);
}

/* ---- the end -------------------------------------------------------------------------------- */

enum { COLUMNS = 5, CELL_MAX = 32 };

static void fill_row(const Row *row, char text[COLUMNS][CELL_MAX])
{
    snprintf(text[0], CELL_MAX, "%s", row->name);
    snprintf(text[1], CELL_MAX, "%d", row->ok);
    snprintf(text[2], CELL_MAX, "%d", row->failed);
    snprintf(text[3], CELL_MAX, "%d", row->other);
    snprintf(text[4], CELL_MAX, isfinite(row->worst) ? "%.2f" : "-", row->worst);
}

static void print_summary(const Session *s)
{
    static const char *const heading[COLUMNS] = {
        "method", "right", "wrong", "not applicable", "worst error / tolerance"
    };
    char (*text)[COLUMNS][CELL_MAX] = calloc((size_t)s->rows + 1, sizeof *text);
    const char **cell = calloc((size_t)(s->rows + 1) * COLUMNS, sizeof *cell);
    if (text && cell) {
        memcpy(cell, heading, sizeof heading);
        for (int r = 0; r < s->rows; r++) {
            fill_row(&s->row[r], text[r]);
            for (int c = 0; c < COLUMNS; c++) cell[(r + 1) * COLUMNS + c] = text[r][c];
        }
        table_print(s->call->out, "table", COLUMNS, s->rows + 1, cell);
    }
    free(text);
    free(cell);
}

static void print_verdict(const Session *s, double seconds)
{
    int checks = 0;
    for (int i = 0; i < s->rows; i++) checks += s->row[i].ok + s->row[i].failed + s->row[i].other;
    fflush(s->call->out);
    if (checks < s->list->count) fprintf(stderr, "stopped after %d of ", checks);
    fprintf(stderr, "%d checks, %d wrong, %.1f s", s->list->count, s->failed, seconds);
    if (s->remarks) fprintf(stderr, "; %d right ones come with a remark", s->remarks);
    for (Isa isa = ISA_PORTABLE; isa < ISA_CUDA; isa++)
        for (int i = 0; variants[i] && !isa_runs_here(isa); i++)
            if (variants[i]->isa == isa) {
                fprintf(stderr, "; not checked: %s, %s", isa_name(isa), isa_missing(isa));
                break;
            }
    fputc('\n', stderr);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static Status run_checks(Session *s, Err *err)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const double start_s = now_s();
    const Pool pool = {
        .items = s->list->count, .result_bytes = sizeof(CheckResult), .limit_s = limit_s,
        .workers = cores > 1 ? cores < 8 ? (int)cores : 8 : 1,
        .self = s, .group = group_of, .work = work, .lost = lost, .done = done, .look = look,
    };
    s->progress = progress_open(s->call, "check", s->list->count);
    if (s->call->json) {
        json_open(&s->json, s->call->out);
        json_array(&s->json, NULL);
    }
    const Status status = pool_run(&pool, err);
    if (s->call->json) json_close(&s->json);
    else print_file(s);
    progress_close(s->progress);
    if (!s->call->json && isatty(fileno(s->call->out))) print_summary(s);
    fflush(s->call->out);
    if (!s->call->quiet) print_verdict(s, now_s() - start_s);
    return status;
}

static void print_list(const Call *call, const CheckList *list)
{
    char text[CHECK_TEXT_MAX];
    for (int i = 0; i < list->count && !call_stopped(call); i++) {
        const CheckItem *item = &list->item[i];
        *text = 0;
        if (item->problem.method) check_point_text(item, text, sizeof text);
        fprintf(call->out, "%s%s%s\n", item->path ? item->path : "", item->path ? " " : "", text);
    }
}

static int count_methods(void)
{
    int n = 0;
    while (methods[n]) n++;
    return n;
}

static int check_cases(const Call *call, const CheckChoice *choice)
{
    CheckList list;
    Err err;
    Session s = { .call = call, .list = &list };
    const char *golden = call_option(call, "golden");
    Status status = golden ? golden_list_open(&list, golden, choice, &err)
                           : check_list_open(&list, choice, &err);
    if (status) return call_failed(call, status, &err);
    s.row = calloc((size_t)count_methods() + 1, sizeof *s.row);
    if (!s.row) status = fail(&err, NO_MEMORY, "no memory");
    else if (call_option(call, "list")) print_list(call, &list);
    else status = run_checks(&s, &err);
    free(s.row);
    check_list_close(&list);
    if (status) return call_failed(call, status, &err);
    return s.failed ? EXIT_WRONG : EXIT_DONE;
}

/* ---- options ---------------------------------------------------------------------------- */

static Status read_isa(const Call *call, Isa *isa, Err *err)
{
    const char *name = call_option(call, "isa");
    *isa = ISA_END;
    if (!name) return OK;
    const Status status = isa_read(name, isa, err);
    if (status) return status;
    if (!isa_runs_here(*isa))
        return fail(err, BAD_INPUT, "%s does not run here: %s", name, isa_missing(*isa));
    return OK;
}

static Status read_choice(const Call *call, CheckChoice *choice, Err *err)
{
    long long random = 0, seed = 1;
    *choice = (CheckChoice){ .glob = call->argc ? call->argv[0] : NULL };
    Status status = read_isa(call, &choice->isa, err);
    if (!status) status = call_integer(call, "random", 0, 1, 100000, &random, err);
    const int fresh = random && !call_option(call, "seed");
    if (!status && fresh) seed = (long long)time(NULL) % 1000000;
    if (!status) status = call_integer(call, "seed", seed, 0, 1LL << 62, &seed, err);
    if (!status && random) fprintf(stderr, "check: --random %lld --seed %lld\n", random, seed);
    choice->random = (int)random;
    choice->seed = (uint64_t)seed;
    return status;
}

static int run(const Call *call)
{
    CheckChoice choice;
    Err err;
    const Status status = read_choice(call, &choice, &err);
    if (status) return call_failed(call, status, &err);
    return check_cases(call, &choice);
}

static const Option options[] = {
    { "random", 'r', "N", "N random problems a method, in place of its cases", NULL },
    { "seed", 's', "S", "of inputs and random problems (1; with --random: the time)", NULL },
    { "isa", 0, "ISA", "only this instruction set: portable, avx2, ...", NULL },
    { "golden", 'g', "DIR", "compare with every golden file below DIR instead", NULL },
    { "list", 'l', NULL, "print what would be checked, and check nothing", NULL },
    { 0 }
};

const Command command_check = {
    .name = "check", .arguments = "[GLOB]", .option = options, .most = 1, .run = run,
    .summary = "every variant, instruction set, pass and dtype against float64",
    .details =
        "GLOB chooses by the point's text, or by how it begins: 'mamba*', "
        "'flash_attention/online@avx2', '*:bf16:bwd*'. A whole point that is no case of its method "
        "is checked all the same.\n\n"
        "Beside the numbers: outputs start as NaN, tensors and workspace stand between guards, "
        "inputs must stay as they were, a second call must give the same bits, several threads "
        "must be as right as one, and a call must not allocate memory. Every check runs in a child "
        "process. The float64 references are held against central differences of themselves and "
        "against the algebraic laws of their descriptors.\n\n"
        "Exit code 1: something is wrong, crashed, or took too long.",
};
