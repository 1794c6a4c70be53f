/* SPDX-License-Identifier: Apache-2.0 */
/* A page a machine: what it is, its measured limits, how quiet it was, what it lacks and why. */
#include "site.h"

#include <stdlib.h>

enum { NAME = 160 };

/* Machines by alias; two of one alias are told apart by a number. */
static const char machines_sql[] =
    "SELECT machine_id, machine, "
    "row_number() OVER (PARTITION BY lower(machine) ORDER BY machine_id), sessions, "
    "json_extract(facts, '$.\"cpu.name\"'), facts ->> 'cores', facts ->> 'isa' "
    "FROM v_machine ORDER BY lower(machine), machine_id";

/* Of a page: letters, digits, - and _, whatever the alias holds. */
static void page_name(const Query *q, char *out)
{
    char text[NAME];
    const long long number = column_integer(q, 2);
    snprintf(text, sizeof text, number > 1 ? "%.120s-%lld" : "%.120s", column_text(q, 1), number);
    markdown_anchor(text, out, NAME);
}

/* The tables are of one machine, so they ask a connection that shows no other. */
static Status put_machine(FILE *out, const Site *site, int64_t machine, const char *alias, Err *err)
{
    Db *db = NULL;
    Status status = db_open(&db, db_path(site->db), DB_READ, err);
    if (!status)
        status = db_only_machine(db, machine, err);
    if (!status) {
        fputs("# ", out);
        md_text(out, alias);
        fputs("\n\nA machine is known by what does not change about it. Its limits and its noise "
              "are measured: `attest doctor` does it again, `attest doctor --aa` at length.\n",
              out);
        report_machine(out, db);
        status = db_check(db, err);
    }
    db_close(db);
    return status;
}

static Status write_machine(const Site *site, const Query *q, FILE *told, Err *err)
{
    char name[NAME];
    Draft draft;
    Status status = draft_open(&draft, err);
    if (status)
        return status;
    page_name(q, name);
    status = put_machine(draft.out, site, column_integer(q, 0), column_text(q, 1), err);
    if (!status)
        status = site_page(site, &draft, column_text(q, 1), "machine", name, told, err);
    draft_close(&draft);
    return status;
}

Status site_machines(const Site *site, FILE *told, Err *err)
{
    Status status = OK;
    Query *q = query_open(site->db, machines_sql, NO_VALUES);
    while (!status && query_row(q))
        status = write_machine(site, q, told, err);
    query_close(q);
    return status ? status : db_check(site->db, err);
}

static void put_machine_row(FILE *out, const Query *q)
{
    char name[NAME];
    page_name(q, name);
    fputs("| [", out);
    md_text(out, column_text(q, 1));
    fprintf(out, "](machine/%s.html) |", name);
    for (int i = 4; i <= 6; i++) {
        fputs(" ", out);
        md_text(out, column_text(q, i));
        fputs(" |", out);
    }
    fprintf(out, " %lld |\n", (long long)column_integer(q, 3));
}

void site_list_machines(FILE *out, Db *db)
{
    int rows = 0;
    fputs("\n## Machines\n\n", out);
    Query *q = query_open(db, machines_sql, NO_VALUES);
    while (query_row(q)) {
        if (rows++ == 0)
            fputs("| machine | processor | cores | instruction sets | sessions |\n"
                  "|---|---|---:|---|---:|\n", out);
        put_machine_row(out, q);
    }
    query_close(q);
    if (!rows)
        fputs("None has measured yet: `attest doctor` says what this one is.\n", out);
}
