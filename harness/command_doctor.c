/* SPDX-License-Identifier: Apache-2.0 */
/* attest doctor: what this machine is, can do and lacks. */
#include "cli.h"
#include "db.h"
#include "doctor.h"
#include "units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET_MS = 2500 };

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

static void write_json(const Call *call, const Checkup *c)
{
    Json j;
    json_open(&j, call->out);
    json_object(&j, NULL);
    json_text(&j, "alias", c->alias);
    write_facts(&j, "machine", &c->identity);
    write_isas(&j);
    write_ceilings(&j, &c->ceilings);
    write_noise(&j, c->noise);
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

static void write_text(const Call *call, const Checkup *c)
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
    heading(out, "state and capabilities");
    print_facts(out, &c->state);
    heading(out, "missing");
    print_missing(out, c);
}

/* ---- the database -------------------------------------------------------------------- */

static Status store_noise(Db *db, int64_t session, const NoiseReport *report, Err *err)
{
    Noise noise[64];
    int n = 0;
    for (NoiseKernel k = 0; k < NOISE_KERNELS; k++)
        for (int i = 0; noise_entry(&report[k], i, &noise[n].name, &noise[n].unit, &noise[n].value);
             i++) {
            noise[n].kernel = noise_kernel_name(k);
            n += isfinite(noise[n].value) != 0;
        }
    return db_noise(db, session, noise, n, err);
}

static Status store(const Call *call, const Checkup *c, Err *err)
{
    Db *db;
    Provenance from;
    Status status = db_open(&db, call->db_path, DB_WRITE, err);
    if (status) return status;
    status = db_session(db, &c->identity, c->alias, &c->state, "doctor", &from, err);
    if (!status) status = db_ceilings(db, from.session, &c->ceilings, err);
    if (!status) status = store_noise(db, from.session, c->noise, err);
    db_close(db);
    return status;
}

/* ---- the command --------------------------------------------------------------------- */

static int run(const Call *call)
{
    Err err;
    int64_t budget_ns = BUDGET_MS * (int64_t)1000000;
    const char *text = call_option(call, "budget");
    Status status = text ? duration_parse(text, &budget_ns, &err) : OK;
    if (status) return call_failed(call, status, &err);
    Checkup *c = calloc(1, sizeof *c);
    if (!c) return call_failed(call, fail(&err, NO_MEMORY, "no memory for a checkup"), &err);
    status = checkup_run(c, budget_ns, &err);
    if (!status && call->json) write_json(call, c);
    else if (!status) write_text(call, c);
    if (!status && !call_option(call, "no-store")) status = store(call, c, &err);
    free(c);
    return status ? call_failed(call, status, &err) : EXIT_DONE;
}

static const Option options[] = {
    { .name = "budget", .value = "TIME", .help = "how long to measure limits and noise (2500ms)" },
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
        "is stored in the database.",
};
