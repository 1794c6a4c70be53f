/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the raw rows: where, with what, which points, and everything that a block left behind.
 * Every id is a hash of the row's content, so INSERT OR IGNORE says "unless it is there". */
#include "db_internal.h"

#include "build_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * (int64_t)1000 + t.tv_nsec / 1000000;
}

/* The id of a row is the hash of what makes it what it is. */
static int64_t identity(int values, const Value *value)
{
    Sha256 h;
    sha256_open(&h);
    for (int i = 0; i < values; i++) {
        if (value[i].type == VALUE_INTEGER) identity_integer(&h, value[i].integer);
        else identity_text(&h, value[i].data);       /* val_text() or val_null() */
    }
    return identity_close(&h);
}

static int64_t point_id(const char *text)
{
    return identity(VALUES(val_text("point"), val_text(text)));
}

/* ---- machine, session, build ---------------------------------------------------------- */

int64_t db_machine_id(const Facts *identity)
{
    Sha256 h;
    sha256_open(&h);
    for (int i = 0; i < identity->count; i++) {
        identity_text(&h, identity->fact[i].name);
        identity_text(&h, identity->fact[i].value);
    }
    return identity_close(&h);
}

static int64_t store_machine(Db *db, const Facts *identity, const char *alias)
{
    const int64_t id = db_machine_id(identity);
    db_write(db, "INSERT OR IGNORE INTO machine (id, alias) VALUES (?, ?)",
             VALUES(val_integer(id), val_text(alias)));
    for (int i = 0; i < identity->count; i++) {
        db_write(db, "INSERT OR IGNORE INTO machine_fact (machine, name, value) VALUES (?, ?, ?)",
                 VALUES(val_integer(id), val_text(identity->fact[i].name),
                        val_text(identity->fact[i].value)));
    }
    return id;
}

/* A random number keeps two sessions apart that start in the same millisecond. */
static int64_t store_session(Db *db, int64_t machine, const char *command, const Facts *state)
{
    const int64_t started_at_ms = now_ms();
    int64_t chance = 0;
    if (getrandom(&chance, sizeof chance, GRND_NONBLOCK) < 0) chance = (int64_t)clock();
    const int64_t id = identity(VALUES(val_integer(machine), val_integer(started_at_ms),
                                       val_integer(chance)));
    db_write(db, "INSERT INTO session (id, machine, started_at_ms, command) VALUES (?, ?, ?, ?)",
             VALUES(val_integer(id), val_integer(machine), val_integer(started_at_ms),
                    val_text(command)));
    for (int i = 0; i < state->count; i++) {
        const Fact *f = &state->fact[i];
        const char *reason = f->reason[0] ? f->reason : "not known";
        db_write(
            db,
            "INSERT OR IGNORE INTO session_fact (session, name, value, reason) VALUES (?, ?, ?, ?)",
            VALUES(val_integer(id), val_text(f->name), val_text(f->value[0] ? f->value : NULL),
                   val_text(f->value[0] ? NULL : reason)));
    }
    return id;
}

static int64_t store_build(Db *db)
{
    const int64_t id = identity(VALUES(val_text(build_commit), val_integer(build_dirty),
                                       val_text(build_compiler), val_text(build_flags)));
    db_write(db, "INSERT OR IGNORE INTO build (id, revision, dirty, compiler, flags) "
                 "VALUES (?, ?, ?, ?, ?)",
             VALUES(val_integer(id), val_text(build_commit), val_integer(build_dirty),
                    val_text(build_compiler), val_text(build_flags)));
    return id;
}

Status db_session(Db *db, const Facts *identity, const char *alias, const Facts *state,
                  const char *command, Provenance *out, Err *err)
{
    db_begin(db);
    out->machine = store_machine(db, identity, alias);
    out->session = store_session(db, out->machine, command, state);
    out->build = store_build(db);
    return db_commit(db, err);
}

/* ---- ceilings, noise, specs ----------------------------------------------------------- */

static void store_ceiling(Db *db, int64_t session, const Ceiling *c)
{
    db_write(db,
             "INSERT INTO ceiling (session, name, isa, dtype, level, threads, value, unit) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
             "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
             VALUES(val_integer(session), val_text(ceiling_kind_name(c->kind)),
                    val_text(c->isa < ISA_END ? isa_name(c->isa) : ""),
                    val_text(c->kind == CEILING_FMA || c->kind == CEILING_DOT ? dtype_name(c->dtype)
                                                                              : ""),
                    val_text(level_name(c->level)), val_integer(c->threads), val_real(c->value),
                    val_text(ceiling_kind_unit(c->kind))));
}

Status db_ceilings(Db *db, int64_t session, const CeilingList *list, Err *err)
{
    db_begin(db);
    for (int i = 0; i < list->count; i++) store_ceiling(db, session, &list->item[i]);
    return db_commit(db, err);
}

Status db_noise(Db *db, int64_t session, const Noise *noise, int count, Err *err)
{
    db_begin(db);
    for (int i = 0; i < count; i++) {
        db_write(db, "INSERT OR REPLACE INTO noise (session, kernel, name, value, unit) "
                     "VALUES (?, ?, ?, ?, ?)",
                 VALUES(val_integer(session), val_text(noise[i].kernel), val_text(noise[i].name),
                        val_real(noise[i].value), val_text(noise[i].unit)));
    }
    return db_commit(db, err);
}

Status db_spec(Db *db, const char *name, const char *title, const char *paper, const char *text,
               int64_t *id, Err *err)
{
    *id = identity(VALUES(val_text("spec"), val_text(text)));
    db_begin(db);
    db_write(db, "INSERT OR IGNORE INTO spec (id, name, title, paper, text) VALUES (?, ?, ?, ?, ?)",
             VALUES(val_integer(*id), val_text(name), val_text(title), val_text(paper),
                    val_text(text)));
    return db_commit(db, err);
}

/* ---- points --------------------------------------------------------------------------- */

/* {"B":1,"H":8,...}: all parameters, so that SQL need not know the defaults. */
static void params_json(const Problem *p, char *out, size_t size)
{
    size_t used = 0;
    for (int i = 0; p->method->param[i].name; i++)
        used += (size_t)snprintf(out + used, size - used, "%c\"%s\":%lld", i ? ',' : '{',
                                 p->method->param[i].name, (long long)p->value[i]);
    snprintf(out + used, size - used, used ? "}" : "{}");
    require(used + 3 < size);
}

/* The cost is the descriptor's view of today, not part of the point's identity. */
static void store_point_row(Db *db, int64_t id, const char *text, const Point *point)
{
    char params[PARAM_MAX * 64];
    const Problem *p = &point->problem;
    const Cost cost = p->method->cost(p);
    params_json(p, params, sizeof params);
    db_write(db,
             "INSERT INTO point (id, text, method, variant, isa, dtype, pass, threads, params, "
             "flops, bytes, exps, "
             "state_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO "
             "UPDATE SET "
             "flops = excluded.flops, bytes = excluded.bytes, exps = excluded.exps, state_bytes = "
             "excluded.state_bytes",
             VALUES(val_integer(id), val_text(text), val_text(p->method->name),
                    val_text(point->variant ? point->variant->name : "reference"),
                    val_text(point->variant ? isa_name(point->variant->isa) : "portable"),
                    val_text(dtype_name(p->dtype)), val_text(pass_name(p->pass)),
                    val_integer(point->threads), val_text(params), val_real(cost.flops),
                    val_real(cost.bytes), val_real(cost.exps), val_real(cost.state_bytes)));
}

static int64_t store_point(Db *db, const Point *point)
{
    char text[POINT_TEXT_MAX];
    point_print(point, text, sizeof text);
    const int64_t id = point_id(text);
    store_point_row(db, id, text, point);
    return id;
}

/* An object's hash is known to the build; the reference and tests' own variants have none. */
static const CodeHash *code_of(const Variant *v)
{
    static const CodeHash reference = { "reference", "" }, unknown = { "unknown", "" };
    char symbol[128];
    if (!v) return &reference;
    snprintf(symbol, sizeof symbol, "%s_%s_%s", v->method, v->name, isa_name(v->isa));
    for (const CodeHash *c = code_hashes; c->symbol; c++)
        if (!strcmp(c->symbol, symbol)) return c;
    return &unknown;
}

int64_t db_code_id(const Variant *variant)
{
    const CodeHash *c = code_of(variant);
    return identity(VALUES(val_text(c->symbol), val_text(c->sha256)));
}

int db_code_here(const char *symbol, const char *sha256)
{
    if (!*sha256) return 1;            /* the reference and tests' own have no hash */
    for (const CodeHash *c = code_hashes; c->symbol; c++)
        if (!strcmp(c->symbol, symbol)) return !strcmp(c->sha256, sha256);
    return -1;
}

static int64_t store_code(Db *db, const Variant *variant)
{
    const CodeHash *c = code_of(variant);
    const int64_t id = db_code_id(variant);
    db_write(db, "INSERT OR IGNORE INTO code (id, symbol, sha256) VALUES (?, ?, ?)",
             VALUES(val_integer(id), val_text(c->symbol), val_text(c->sha256)));
    return id;
}

/* ---- comparisons and blocks ----------------------------------------------------------- */

static void identity_add_arm(Sha256 *h, const Point *arm)
{
    char text[POINT_TEXT_MAX];
    point_print(arm, text, sizeof text);
    identity_text(h, text);
}

int64_t db_comparison_id(const Point *arm, int arms)
{
    Sha256 h;
    sha256_open(&h);
    for (int i = 0; i < arms; i++) identity_add_arm(&h, &arm[i]);
    return identity_close(&h);
}

static int64_t store_comparison(Db *db, const Point *arm, int arms)
{
    const int64_t id = db_comparison_id(arm, arms);
    db_write(db, "INSERT OR IGNORE INTO comparison (id, arms) VALUES (?, ?)",
             VALUES(val_integer(id), val_integer(arms)));
    for (int i = 0; i < arms; i++) {
        const int64_t point = store_point(db, &arm[i]);
        db_write(db, "INSERT OR IGNORE INTO arm (comparison, position, point) VALUES (?, ?, ?)",
                 VALUES(val_integer(id), val_integer(i), val_integer(point)));
    }
    return id;
}

static Value val_limit(int64_t limit) { return limit > 0 ? val_integer(limit) : val_null(); }

static int64_t store_block_row(Db *db, const BlockContext *c, int64_t comparison,
                               const BlockRecord *b)
{
    const int64_t id = identity(VALUES(val_integer(c->from.session), val_integer(comparison),
                                       val_integer(b->block), val_integer((int64_t)b->seed),
                                       val_integer(b->started_at_ms)));
    db_write(db,
             "INSERT OR IGNORE INTO block (id, comparison, session, build, spec, number, seed, "
             "started_at_ms, "
             "duration_ms, instruments, epsilon, wall_limit_ms, memory_limit_bytes) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             VALUES(val_integer(id), val_integer(comparison), val_integer(c->from.session),
                    val_integer(c->from.build), val_limit(c->spec), val_integer(b->block),
                    val_integer((int64_t)b->seed), val_integer(b->started_at_ms),
                    val_integer(b->duration_ms), val_text(c->instruments), val_real(c->epsilon),
                    val_limit(c->wall_limit_ms), val_limit(c->memory_limit_bytes)));
    db_write(db, "INSERT OR IGNORE INTO stale (block) VALUES (?)",
             VALUES(val_integer(id)));
    return id;
}

static void store_samples(Db *db, int64_t run, const RunRecord *r)
{
    size_t size;
    if (r->epochs == 0) return;
    void *data = sample_pack(r->epoch, r->epochs, &size);
    if (!data) {
        Err err;
        db_fail(db, fail(&err, NO_MEMORY, "no memory for %d epochs", r->epochs), &err);
        return;
    }
    db_write(db, "INSERT OR IGNORE INTO sample (run, epochs, data) VALUES (?, ?, ?)",
             VALUES(val_integer(run), val_integer(r->epochs), val_blob(data, size)));
    free(data);
}

/* "slow_bytes@32768" is the quantity slow_bytes at 32768 of the instrument's own axis, and
 * "lap.NAME_ns" of instrument time the phase NAME: an instrument of its own to whoever reads. */
static int64_t store_quantity(Db *db, const Metric *m)
{
    char name[sizeof m->name];
    strcpy(name, m->name);
    const size_t length = strlen(name);
    const int is_lap = !strncmp(name, "lap.", 4) && length > 7 && !strcmp(name + length - 3, "_ns");
    if (is_lap) {
        name[length - 3] = 0;
        memmove(name, name + 4, length - 6);
    }
    char *at = strchr(name, '@');
    if (at) *at++ = 0;
    const char *instrument = is_lap ? "lap" : m->instrument;
    const int64_t id = identity(VALUES(val_text(instrument), val_text(name), val_text(at),
                                       val_text(m->unit)));
    db_write(db, "INSERT OR IGNORE INTO quantity (id, instrument, name, at, unit) "
                 "VALUES (?, ?, ?, ?, ?)",
             VALUES(val_integer(id), val_text(instrument), val_text(name),
                    at ? val_real(strtod(at, NULL)) : val_null(), val_text(m->unit)));
    return id;
}

static void store_metric(Db *db, int64_t run, const Metric *m)
{
    const int64_t quantity = store_quantity(db, m);
    db_write(db, "INSERT OR IGNORE INTO metric (run, quantity, value) VALUES (?, ?, ?)",
             VALUES(val_integer(run), val_integer(quantity), val_real(m->value)));
}

static void store_run(Db *db, int64_t block, int position, int64_t point, const RunRecord *r)
{
    const int64_t id = identity(VALUES(val_integer(block), val_integer(position)));
    const int64_t code = store_code(db, r->point.variant);
    db_write(db,
             "INSERT OR IGNORE INTO run (id, block, position, point, code, outcome, reason, note) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
             VALUES(val_integer(id), val_integer(block), val_integer(position), val_integer(point),
                    val_integer(code), val_text(outcome_name(r->outcome)), val_text(r->reason),
                    val_text(r->note)));
    store_samples(db, id, r);
    for (int i = 0; i < r->metrics; i++) store_metric(db, id, &r->metric[i]);
}

static int position_of(const Point *arm, int arms, const char *text)
{
    char other[POINT_TEXT_MAX];
    for (int i = 0; i < arms; i++) {
        point_print(&arm[i], other, sizeof other);
        if (!strcmp(text, other)) return i;
    }
    require_failed("a run of one of the comparison's arms", __FILE__, __LINE__);
}

Status db_store_block(Db *db, const BlockContext *context, const Point *arm, int arms,
                      const BlockRecord *block, Err *err)
{
    require(arms >= 1 && arms <= ARMS_MAX && block->runs <= arms);
    char text[POINT_TEXT_MAX];
    db_begin(db);
    const int64_t comparison = store_comparison(db, arm, arms);
    const int64_t id = store_block_row(db, context, comparison, block);
    for (int i = 0; i < block->runs; i++) {
        point_print(&block->run[i].point, text, sizeof text);
        store_run(db, id, position_of(arm, arms, text), point_id(text), &block->run[i]);
    }
    return db_commit(db, err);
}
