/* SPDX-License-Identifier: Apache-2.0 */
/* papers/ and verdicts to rows. Every id is the hash of what the row says, as schema.sql has it. */
#include "told.h"
#include "home.h"
#include "cli.h"
#include "file.h"

#include "../kernels/core/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIELDS = 32 };

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- published values ----------------------------------------------------------------------- */

/* Cuts a line at its commas, in place; no quoting (papers/README.md). */
static int split(char *line, char **field)
{
    int count = 0;
    for (char *at = line; at && count < FIELDS; count++) {
        field[count] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = '\0';
    }
    return count;
}

static int find(char *const *name, int count, const char *what)
{
    for (int i = 0; i < count; i++)
        if (strcmp(name[i], what) == 0)
            return i;
    return -1;
}

typedef struct {
    const char *path, *paper;
    char *name[FIELDS];
    int   count, at_table, at_series, at_x, at_y, at_unit, at_setting;
} Header;

static Status read_header(Header *h, char *line, Err *err)
{
    h->count = split(line, h->name);
    const struct { int *at; const char *name;
    } needed[] = { { &h->at_table, "table" }, { &h->at_series, "series" },
                   { &h->at_x, "x" },         { &h->at_y, "y" },
                   { &h->at_unit, "unit" },   { &h->at_setting, "setting" } };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if ((*needed[i].at = find(h->name, h->count, needed[i].name)) < 0)
            return fail(err, BAD_INPUT, "%s:1:1: there is no column \"%s\"", h->path,
                        needed[i].name);
    return OK;
}

static void put_word(FILE *out, const char *word)
{
    for (; *word; word++)
        fprintf(out, *word == '"' || *word == '\\' ? "\\%c" : "%c", *word);
}

/* The columns that have no place of their own, as {"pass":"fwd",...}. */
static char *labels(const Header *h, char *const *field)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    int written = 0;
    for (int i = 0; i < h->count; i++)
        if (i != h->at_table && i != h->at_series && i != h->at_x && i != h->at_y &&
            i != h->at_unit && i != h->at_setting) {
            /* Fields are plain words: nothing to escape but what would end the text. */
            fputs(written++ ? ",\"" : "{\"", out);
            put_word(out, h->name[i]);
            fputs("\":\"", out);
            put_word(out, field[i]);
            fputc('"', out);
        }
    fputs(written ? "}" : "{}", out);
    if (file_close(out))
        return text;
    free(text);
    return NULL;
}

static Status number_field(const Header *h, const char *text, int line, int column, double *out,
                           Err *err)
{
    char *end = NULL;
    *out = NAN;
    if (!*text)
        return OK;
    *out = strtod(text, &end);
    if (*end || !isfinite(*out))
        return fail(err, BAD_INPUT, "%s:%d: column %s: \"%.60s\" is no number", h->path, line,
                    h->name[column], text);
    return OK;
}

static Status store_value(Db *db, const Header *h, char *const *field, int line, Err *err)
{
    double x, y;
    Status status = number_field(h, field[h->at_x], line, h->at_x, &x, err);
    if (!status)
        status = number_field(h, field[h->at_y], line, h->at_y, &y, err);
    if (status)
        return status;
    char *rest = labels(h, field);
    if (!rest)
        return fail(err, NO_MEMORY, "no memory for published values");
    Sha256 hash;
    sha256_open(&hash);
    identity_text(&hash, "paper_value");
    identity_text(&hash, h->paper);
    for (int i = 0; i < h->count; i++)
        identity_text(&hash, field[i]);
    db_write(db,
             "INSERT OR IGNORE INTO paper_value(id, paper, table_name, series, x, y, printed, "
             "unit, setting, labels) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             VALUES(val_integer(identity_close(&hash)), val_text(h->paper),
                    val_text(field[h->at_table]), val_text(field[h->at_series]), val_real(x),
                    val_real(y), val_text(field[h->at_y]), val_text(field[h->at_unit]),
                    val_text(field[h->at_setting]), val_text(rest)));
    free(rest);
    return OK;
}

static int has_control(const char *line)
{
    for (; *line; line += text_step(line))
        if (*line == '\t' || text_control(line))
            return 1;
    return 0;
}

static Status store_lines(Db *db, Header *h, char *text, Err *err)
{
    int line = 0;
    Status status = OK;
    for (char *at = text; at && *at && !status;) {
        char *field[FIELDS], *next = strchr(at, '\n');
        if (next)
            *next++ = '\0';
        line++;
        if (has_control(at)) {
            status = fail(err, BAD_INPUT, "%s:%d: a control character", h->path, line);
        } else if (line == 1) {
            status = read_header(h, at, err);
        } else if (*at) {
            const int count = split(at, field);
            status = count == h->count
                         ? store_value(db, h, field, line, err)
                         : fail(err, BAD_INPUT, "%s:%d: %d fields, but the first line has %d",
                                h->path, line, count, h->count);
        }
        at = next;
    }
    return status;
}

/* Is this the file that was read last? Notes its hash if not. */
static int unchanged(Db *db, const char *key, const char *text, size_t size)
{
    Sha256 hash;
    uint8_t digest[SHA256_BYTES];
    char now[SHA256_TEXT];
    sha256_open(&hash);
    sha256_add(&hash, text, size);
    sha256_close(&hash, digest);
    sha256_text(digest, now);
    if (db_integer(db, "SELECT count(*) FROM meta WHERE key = ? AND value = ?",
                   VALUES(val_text(key), val_text(now)), 0))
        return 1;
    db_write(db,
             "INSERT INTO meta(key, value) VALUES(?, ?) ON CONFLICT(key) DO UPDATE SET value = "
             "excluded.value",
             VALUES(val_text(key), val_text(now)));
    return 0;
}

Status told_published_text(Db *db, const Paper *paper, const char *path, const char *published,
                           size_t size, Err *err)
{
    char key[128];
    char *text = malloc(size + 1);     /* is cut at its commas */
    if (!text)
        return fail(err, NO_MEMORY, "no memory for published values");
    memcpy(text, published, size);
    text[size] = '\0';
    snprintf(key, sizeof key, "published:%s", paper->id);
    Header header = { .path = path, .paper = paper->id };
    Status status = OK;
    db_begin(db);
    if (!unchanged(db, key, text, size)) {
        db_write(db, "DELETE FROM paper_value WHERE paper = ?", VALUES(val_text(paper->id)));
        status = store_lines(db, &header, text, err);
    }
    if (status)
        db_rollback(db);
    else
        status = db_commit(db, err);
    free(text);
    return status;
}

Status told_published(Db *db, const Paper *paper, Err *err)
{
    char path[HOME_PATH];
    size_t size = 0;
    snprintf(path, sizeof path, "%s/published.csv", paper->folder);
    char *text = file_read(path, &size);
    if (!text)
        return errno == ENOENT ? OK : fail(err, IO_FAILED, "%s: %s", path, strerror(errno));
    const Status status = told_published_text(db, paper, path, text, size, err);
    free(text);
    return status;
}

/* ---- claims --------------------------------------------------------------------------------- */

static void put_json(Json *json, const char *key, const Node *node)
{
    double value;
    if (node->kind == NODE_SCALAR) {
        if (!node->quoted && !strchr(node->text, '%') && node_number(node, &value))
            json_number(json, key, value);
        else
            json_text(json, key, node->text);
        return;
    }
    if (node->kind == NODE_LIST)
        json_array(json, key);
    else
        json_object(json, key);
    for (int i = 0; i < node->count; i++)
        put_json(json, node->kind == NODE_MAP ? node->key[i]->text : NULL, node->item[i]);
    json_close(json);
}

static char *content_of(const Claim *claim)
{
    char *text = NULL;
    size_t size = 0;
    Json json;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    json_open(&json, out);
    put_json(&json, NULL, claim->entry);
    if (file_close(out))
        return text;
    free(text);
    return NULL;
}

static int64_t claim_id(const Paper *paper, const Claim *claim, const char *content)
{
    Sha256 hash;
    sha256_open(&hash);
    identity_text(&hash, "claim");
    identity_text(&hash, paper->id);
    identity_text(&hash, claim->id);
    identity_text(&hash, content);
    return identity_close(&hash);
}

static Status store_claim(Db *db, const Paper *paper, int position, Err *err)
{
    const Claim *claim = &paper->claim[position];
    char *content = content_of(claim);
    if (!content)
        return fail(err, NO_MEMORY, "no memory for a claim");
    db_write(db,
             "INSERT INTO claim(id, paper, name, position, place, says, kind, content, current) "
             "VALUES(?, ?, ?, ?, ?, ?, ?, ?, 1) "
             "ON CONFLICT(id) DO UPDATE SET current = 1, position = excluded.position",
             VALUES(val_integer(claim_id(paper, claim, content)), val_text(paper->id),
                    val_text(claim->id), val_integer(position), val_text(claim->where),
                    val_text(claim->says), val_text(claim->kind), val_text(content)));
    free(content);
    return OK;
}

Status told_claims(Db *db, const Paper *paper, Err *err)
{
    Status status = OK;
    db_begin(db);
    db_write(db, "UPDATE claim SET current = 0 WHERE paper = ? AND current",
             VALUES(val_text(paper->id)));
    for (int i = 0; i < paper->claims && !status; i++)
        status = store_claim(db, paper, i, err);
    if (!status)
        return db_commit(db, err);
    db_rollback(db);
    return status;
}

/* ---- verdicts and figures ------------------------------------------------------------------- */

static void store_verdict(Db *db, const char *paper, const Judgement *j, int64_t machine,
                          int64_t at_ms)
{
    const int64_t claim =
        db_integer(db, "SELECT id FROM claim WHERE paper = ? AND name = ? AND current",
                   VALUES(val_text(paper), val_text(j->claim->id)), 0);
    const Value whose = machine ? val_integer(machine) : val_null();
    const char *name = verdict_name(j->verdict);
    if (db_integer(db,
                   "SELECT count(*) FROM (SELECT * FROM verdict WHERE claim = ? AND machine IS ? "
                   "ORDER BY judged_at_ms DESC LIMIT 1) "
                   "WHERE verdict = ? AND rows_hash = ? AND reason = ? AND engine = ?",
                   VALUES(val_integer(claim), whose, val_text(name), val_text(j->rows_hash),
                          val_text(j->reason), val_integer(JUDGE_ENGINE)),
                   0))
        return;
    Sha256 hash;
    sha256_open(&hash);
    identity_text(&hash, "verdict");
    identity_integer(&hash, claim);
    identity_integer(&hash, machine);
    identity_text(&hash, j->rows_hash);
    identity_integer(&hash, JUDGE_ENGINE);
    identity_text(&hash, name);
    identity_text(&hash, j->reason);
    db_write(db,
             "INSERT INTO verdict(id, claim, machine, verdict, reason, value, low, high, expected, "
             "points, rows_hash, engine, "
             "judged_at_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
             "ON CONFLICT(id) DO UPDATE SET judged_at_ms = excluded.judged_at_ms",
             VALUES(val_integer(identity_close(&hash)), val_integer(claim), whose, val_text(name),
                    val_text(j->reason), val_real(j->value), val_real(j->low), val_real(j->high),
                    val_text(j->expected), val_integer(j->points), val_text(j->rows_hash),
                    val_integer(JUDGE_ENGINE), val_integer(at_ms)));
}

Status told_verdicts(Db *db, const Paper *paper, const Judgements *judgements, Err *err)
{
    const int64_t at_ms = now_ms();
    db_begin(db);
    for (int i = 0; i < judgements->count; i++)
        store_verdict(db, paper->id, &judgements->item[i], judgements->machine, at_ms);
    return db_commit(db, err);
}

Status told_figure(Db *db, const char *paper, const Figure *figure, Err *err)
{
    Sha256 hash;
    sha256_open(&hash);
    identity_text(&hash, "figure");
    identity_text(&hash, paper);
    identity_text(&hash, figure->name);
    identity_text(&hash, figure->query);
    identity_text(&hash, figure->rows_hash);
    db_begin(db);
    db_write(db,
             "INSERT INTO figure(id, paper, name, query, rows_hash, row_count, drawn_at_ms) "
             "VALUES(?, ?, ?, ?, ?, ?, ?) "
             "ON CONFLICT(id) DO UPDATE SET drawn_at_ms = excluded.drawn_at_ms",
             VALUES(val_integer(identity_close(&hash)), val_text(paper), val_text(figure->name),
                    val_text(figure->query), val_text(figure->rows_hash), val_integer(figure->rows),
                    val_integer(now_ms())));
    return db_commit(db, err);
}
