/* SPDX-License-Identifier: Apache-2.0 */
/* How it was measured and on what: the protocol in words, everything else from the database. */
#include "markdown.h"
#include "report.h"
#include "markdown_parts.h"

#include <stdio.h>
#include <string.h>

static void put_protocol(FILE *out)
{
    fputs("- **Interleaved.** The arms of a comparison run in turns inside one process, in rounds "
          "whose order is drawn from a stored seed. What "
          "disturbs one arm disturbs its neighbour too, and their ratio survives it.\n"
          "- **The process is the unit.** Memory layout and neighbours differ from process to "
          "process, so each process (a *block*) gives one "
          "number, the median of its rounds, and intervals are order statistics over blocks: 95 % "
          "needs six of them.\n"
          "- **Warm-up from the data.** Epochs count once they show no trend; earlier ones are "
          "kept and flagged. Nothing is dropped as an outlier.\n"
          "- **What is timed is checked.** The output of the timed calls is compared with a "
          "float64 reference; a wrong output makes the whole block "
          "*wrong*, and a time below what the measured ceilings allow makes it *impossible*.\n"
          "- **Clock.** CPU time of the thread where there is one thread, wall time where there "
          "are several; the view `v_time` says which.\n"
          "- **Counting first.** FLOPs, exponentials, bytes and traffic are counted or modelled "
          "exactly, and decide whatever they can decide; times only support it.\n",
          out);
}

/* Facts of the session that measured or was asked last. */
#define LAST_STATE \
    "SELECT f.key AS fact, replace(f.value, 'unavailable: ', '') AS value " \
    "FROM (SELECT facts FROM v_session ORDER BY blocks > 0 DESC, started_at DESC LIMIT 1) s, " \
    "json_each(s.facts) f"

static void put_counts(FILE *out, Db *db)
{
    md_table(out, db, "What was measured",
              "SELECT experiment, count(DISTINCT point) AS points, count(DISTINCT block_id) AS "
              "processes, "
              "sum(outcome = 'ok') AS \"runs that finished\", sum(outcome <> 'ok') AS \"that did "
              "not\", min(started_at) AS \"from\", "
              "max(started_at) AS \"to\" FROM v_outcome WHERE experiment IS NOT NULL GROUP BY "
              "experiment ORDER BY min(started_at_ms)");
    md_table(out, db, "Why runs did not finish",
              "SELECT outcome, reason, count(*) AS runs, count(DISTINCT point) AS points FROM "
              "v_outcome WHERE outcome <> 'ok' "
              "GROUP BY outcome, reason ORDER BY count(*) DESC LIMIT 20");
}

void report_machine(FILE *out, Db *db)
{
    md_table(out, db, "The machine",
             "SELECT f.key AS fact, f.value FROM v_machine m, json_each(m.facts) f");
    md_table(out, db, "Its limits, measured in the same sessions",
             "SELECT name, isa, dtype, level AS memory, threads, max(value) / 1e9 AS value, 'G' "
             "|| unit AS unit FROM v_ceiling "
             "GROUP BY name, isa, dtype, level, threads ORDER BY name, isa, level, threads");
    md_table(out, db, "Noise certificate: equal code in both arms",
             "SELECT kernel, name, value, unit, measured_at AS \"measured\" FROM v_noise "
             "WHERE session_id = (SELECT session_id FROM v_noise ORDER BY measured_at DESC LIMIT "
             "1) ORDER BY kernel, name");
    md_table(out, db, "Its state in the last session",
             LAST_STATE " WHERE f.value NOT LIKE 'unavailable: %'");
    md_table(out, db, "What it lacks, and why",
             LAST_STATE " WHERE f.value LIKE 'unavailable: %'");
    md_table(out, db, "The programs that measured",
             "SELECT substr(revision, 1, 12) || CASE dirty WHEN 1 THEN ' with changes' ELSE '' "
             "END AS revision, compiler, flags, count(DISTINCT block_id) AS "
             "processes FROM v_outcome GROUP BY revision, dirty, compiler, flags ORDER BY "
             "count(*) DESC");
    put_counts(out, db);
}

void report_measuring(FILE *out, const Report *r)
{
    fputs("\n## How it was measured\n\n", out);
    put_protocol(out);
    report_machine(out, r->db);
}
