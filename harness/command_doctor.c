/* SPDX-License-Identifier: Apache-2.0 */
/* attest doctor: what this machine is, can do and lacks. */
#include "aa_tell.h"
#include "cli.h"
#include "db.h"
#include "doctor.h"
#include "lock.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET_MS = 2500, EACH_MS = 200 };

/* What --aa asks for, and what came of it. */
typedef struct {
    AaPlan    plan;            /* trials 0: not asked for */
    AaReport  report[NOISE_KERNELS];
    Progress *progress;
} Aa;

/* ---- JSON ---------------------------------------------------------------------------- */

static void write_facts(Json *j, const char *key, const Facts *facts)
{
    json_object(j, key);
    for (int i = 0; i < facts->count; i++)
        json_text(j, facts->fact[i].name, *facts->fact[i].value ? facts->fact[i].value : NULL);
    json_close(j);
}

static void write_reasons(Json *j, const Facts *facts)
{
    json_object(j, "unavailable");
    for (int i = 0; i < facts->count; i++)
        if (*facts->fact[i].reason) json_text(j, facts->fact[i].name, facts->fact[i].reason);
    json_close(j);
}

static void write_isas(Json *j)
{
    json_array(j, "isas");
    for (Isa isa = ISA_PORTABLE; isa < ISA_END; isa++) {
        if (isa == ISA_COUNT) continue;
        json_object(j, NULL);
        json_text(j, "isa", isa_name(isa));
        json_bool(j, "runs", isa_runs_here(isa));
        json_text(j, "reason", isa_missing(isa));
        json_close(j);
    }
    json_close(j);
}

static void write_ceilings(Json *j, const CeilingList *list)
{
    json_array(j, "ceilings");
    for (int i = 0; i < list->count; i++) {
        const Ceiling *c = &list->item[i];
        json_object(j, NULL);
        json_text(j, "name", ceiling_kind_name(c->kind));
        json_text(j, "isa", isa_name(c->isa));
        json_text(j, "dtype", c->dtype == DTYPE_END ? NULL : dtype_name(c->dtype));
        json_text(j, "level", c->level == LEVEL_NONE ? NULL : level_name(c->level));
        json_integer(j, "threads", c->threads);
        json_number(j, "value", c->value);
        json_text(j, "unit", ceiling_kind_unit(c->kind));
        json_integer(j, "readings", c->readings);
        json_close(j);
    }
    json_close(j);
}

static void write_noise(Json *j, const NoiseReport *report)
{
    const char *name, *unit;
    double value;
    json_object(j, "noise");
    for (NoiseKernel k = 0; k < NOISE_KERNELS; k++) {
        json_object(j, noise_kernel_name(k));
        for (int i = 0; noise_entry(&report[k], i, &name, &unit, &value); i++)
            json_number(j, name, value);
        json_close(j);
    }
    json_close(j);
}

static void write_json(const Call *call, const Checkup *c, const Aa *aa)
{
    Json j;
    json_open(&j, call->out);
    json_object(&j, NULL);
    json_text(&j, "alias", c->alias);
    write_facts(&j, "machine", &c->identity);
    write_isas(&j);
    write_ceilings(&j, &c->ceilings);
    write_noise(&j, c->noise);
    if (aa->plan.trials) aa_json(&j, &aa->plan, aa->report);
    write_facts(&j, "state", &c->state);
    write_reasons(&j, &c->state);
    json_array(&j, "missing");
    for (int i = 0; i < c->tools; i++) {
        if (c->tool[i].found) continue;
        json_object(&j, NULL);
        json_text(&j, "package", c->tool[i].package);
        json_text(&j, "needed_for", c->tool[i].needed_for);
        json_close(&j);
    }
    json_close(&j);
    json_close(&j);
}

/* ---- for people ---------------------------------------------------------------------- */

static void heading(FILE *out, const char *text)
{
    fprintf(out, "\n%s%s%s\n", paint(out, "1"), text, paint(out, "0"));
}

static void print_facts(FILE *out, const Facts *facts)
{
    for (int i = 0; i < facts->count; i++) {
        const Fact *f = &facts->fact[i];
        if (*f->value) fprintf(out, "  %-24s %s\n", f->name, f->value);
        else
            fprintf(out, "  %-24s %snone: %s%s\n", f->name, paint(out, "2"), f->reason,
                    paint(out, "0"));
    }
}

static void print_isas(FILE *out)
{
    for (Isa isa = ISA_PORTABLE; isa < ISA_END; isa++) {
        if (isa == ISA_COUNT) continue;
        const char *missing = isa_missing(isa);
        fprintf(out, "  %-24s %s%s\n", isa_name(isa), missing ? "no: " : "yes",
                missing ? missing : "");
    }
}

/* One row a ceiling, one column a thread count. */
static void print_ceilings(FILE *out, const CeilingList *list, int threads)
{
    enum { WIDTH = 48 };
    char text[CEILING_MAX + 1][3][WIDTH];
    const char *cell[(CEILING_MAX + 1) * 3];
    const int columns = threads > 1 ? 3 : 2;
    int rows = 0;
    snprintf(text[rows][0], WIDTH, "limit");
    snprintf(text[rows][1], WIDTH, "1 thread");
    snprintf(text[rows++][2], WIDTH, "%d threads", threads);
    for (int i = 0; i < list->count; i++) {
        const Ceiling *c = &list->item[i];
        if (c->threads != 1) continue;
        const Ceiling *all = ceiling_find(list, c->kind, c->isa, c->level, threads);
        const char *unit = c->level == LEVEL_NONE ? "GFLOP/s" : "GB/s";
        snprintf(text[rows][0], WIDTH, "%s %s", ceiling_kind_name(c->kind),
                 c->level == LEVEL_NONE ? isa_name(c->isa) : level_name(c->level));
        snprintf(text[rows][1], WIDTH, "%.4g %s", c->value * 1e-9, unit);
        snprintf(text[rows++][2], WIDTH, "%.4g %s", all ? all->value * 1e-9 : NAN, unit);
    }
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) cell[r * columns + c] = text[r][c];
    table_print(out, "table", columns, rows, cell);
}

static void print_noise(FILE *out, const NoiseReport *report)
{
    for (NoiseKernel k = 0; k < NOISE_KERNELS; k++) {
        const Certificate *c = &report[k].certificate;
        fprintf(out,
                "  %-24s %.1f %% false alarms [%.1f, %.1f] in %d trials at a level of 5 %%; "
                "intervals are %.2f %% wide; %.0f %% of the epochs were disturbed\n",
                noise_kernel_name(k), 100 * c->false_alarms.value, 100 * c->false_alarms.low,
                100 * c->false_alarms.high, c->false_alarms.n, 100 * c->width_rel,
                100 * report[k].flagged_share);
    }
}

static void print_missing(FILE *out, const Checkup *c)
{
    char packages[256] = "";
    for (int i = 0; i < c->tools; i++) {
        if (c->tool[i].found) continue;
        fprintf(out, "  %-24s needed for %s\n", c->tool[i].package, c->tool[i].needed_for);
        const size_t used = strlen(packages);
        snprintf(packages + used, sizeof packages - used, " %s", c->tool[i].package);
    }
    if (*packages)
        fprintf(out, "  install with: sudo apt-get install -y --no-install-recommends%s\n",
                packages);
    else fprintf(out, "  nothing\n");
}

static void write_text(const Call *call, const Checkup *c, const Aa *aa)
{
    FILE *out = call->out;
    fprintf(out, "%s%s%s\n", paint(out, "1"), c->alias, paint(out, "0"));
    print_facts(out, &c->identity);
    heading(out, "instruction sets");
    print_isas(out);
    heading(out, "limits, measured now");
    print_ceilings(out, &c->ceilings, c->threads);
    heading(out, "noise: the same code against itself");
    print_noise(out, c->noise);
    if (aa->plan.trials) {
        char each[UNITS_TEXT], title[120];
        duration_print(each, (double)aa->plan.each_ns);
        snprintf(title, sizeof title, "differences found in comparisons of %s (--aa)", each);
        heading(out, title);
        aa_print(out, aa->report);
    }
    heading(out, "state and capabilities");
    print_facts(out, &c->state);
    heading(out, "missing");
    print_missing(out, c);
}

/* ---- the database -------------------------------------------------------------------- */

/* What is not known is no row. */
static int noise_rows(NoiseKernel k, const Checkup *c, const Aa *aa, char name[][AA_NAME],
                      Noise *out)
{
    int n = 0;
    for (int i = 0; noise_entry(&c->noise[k], i, &out[n].name, &out[n].unit, &out[n].value); i++)
        n += isfinite(out[n].value) != 0;
    for (int i = 0; aa->plan.trials &&
                    aa_entry(&aa->report[k], i, name[n], &out[n].unit, &out[n].value); i++) {
        out[n].name = name[n];
        n += isfinite(out[n].value) != 0;
    }
    for (int i = 0; i < n; i++) out[i].kernel = noise_kernel_name(k);
    return n;
}

static Status store_noise(Db *db, int64_t session, const Checkup *c, const Aa *aa, Err *err)
{
    enum { ROWS = 48 };        /* of one kernel */
    Noise noise[ROWS];
    char name[ROWS][AA_NAME];
    Status status = OK;
    for (NoiseKernel k = 0; k < NOISE_KERNELS && !status; k++)
        status = db_noise(db, session, noise, noise_rows(k, c, aa, name, noise), err);
    return status;
}

static Status store(const Call *call, const Checkup *c, const Aa *aa, Err *err)
{
    Db *db;
    Provenance from;
    Status status = db_open(&db, call->db_path, DB_WRITE, err);
    if (status) return status;
    status = db_session(db, &c->identity, c->alias, &c->state,
                        aa->plan.trials ? "doctor --aa" : "doctor", &from, err);
    if (!status) status = db_ceilings(db, from.session, &c->ceilings, err);
    if (!status) status = store_noise(db, from.session, c, aa, err);
    db_close(db);
    return status;
}

/* ---- the command --------------------------------------------------------------------- */

static Status read_aa(const Call *call, Aa *aa, Err *err)
{
    long long trials;
    const char *each = call_option(call, "each");
    *aa = (Aa){ .plan = { .each_ns = EACH_MS * (int64_t)1000000 } };
    if (!call_option(call, "aa")) {
        if (!each && !call_option(call, "trials")) return OK;
        return fail(err, BAD_INPUT, "--trials and --each say how --aa is done: add --aa");
    }
    Status status = call_integer(call, "trials", AA_TRIALS, AA_TRIALS_MIN, AA_TRIALS_MAX, &trials,
                                 err);
    if (!status && each) status = duration_parse(each, &aa->plan.each_ns, err);
    if (!status) aa->plan.trials = (int)trials;
    return status;
}

static int tell(void *self, int done, const char *what)
{
    progress_at(self, done, what);
    return !interrupted;
}

static Status run_aa(const Call *call, Aa *aa, Err *err)
{
    CoreLock lock;
    if (!aa->plan.trials) return OK;
    lock_cores(&lock, 1, &aa->plan.cpu);
    aa->progress = progress_open(call, "comparing", aa_comparisons_most(&aa->plan));
    aa->plan.tell = tell;
    aa->plan.self = aa->progress;
    const Status status = aa_measure(&aa->plan, aa->report, err);
    progress_close(aa->progress);
    unlock_cores(&lock);
    return status;
}

static Status examine(const Call *call, int64_t budget_ns, Aa *aa, Err *err)
{
    Checkup *c = calloc(1, sizeof *c);
    if (!c) return fail(err, NO_MEMORY, "no memory for a checkup");
    Status status = checkup_run(c, budget_ns, err);
    if (!status) status = run_aa(call, aa, err);
    if (!status && call->json) write_json(call, c, aa);
    else if (!status) write_text(call, c, aa);
    if (!status && !call_option(call, "no-store")) status = store(call, c, aa, err);
    free(c);
    return status;
}

static int run(const Call *call)
{
    Err err;
    Aa aa;
    int64_t budget_ns = BUDGET_MS * (int64_t)1000000;
    const char *text = call_option(call, "budget");
    Status status = text ? duration_parse(text, &budget_ns, &err) : OK;
    if (!status) status = read_aa(call, &aa, &err);
    if (!status) status = examine(call, budget_ns, &aa, &err);
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

static const Option options[] = {
    { .name = "budget", .value = "TIME", .help = "how long to measure limits and noise (2500ms)" },
    { .name = "aa", .help = "the long certificate: false alarms, and the smallest difference that "
                            "is found" },
    { .name = "trials", .value = "COUNT", .help = "of --aa: comparisons of equal arms (200)" },
    { .name = "each", .value = "TIME", .help = "of --aa: how long one comparison takes (200ms)" },
    { .name = "no-store", .help = "leave the database alone" },
    { 0 }
};

extern const Command command_doctor;
const Command command_doctor = {
    .name = "doctor",
    .arguments = "",
    .option = options,
    .run = run,
    .summary = "what this machine is, its measured limits, its noise, and what is missing",
    .details =
        "Names the machine by what doesn't change, measures the peak of each instruction set and "
        "the bandwidth of each cache level, with one thread and with all of them, and compares "
        "equal code with itself, which tells how often this machine raises a false alarm and how "
        "small a difference it can show. What cannot be had is listed with the reason. The session "
        "is stored in the database.\n"
        "With --aa the comparison itself is tried: a loop of arithmetic and one that streams from "
        "memory are compared with themselves 200 times, each time for 200 ms, and then half as "
        "often with 0.5, 1, 2, 5 and 10 % more work in one arm, until that is found in 85 % of the "
        "comparisons. Takes some minutes. A machine that should do well under load must be tried "
        "under load: start it first.",
};
