/* SPDX-License-Identifier: Apache-2.0 */
/* Questions that everybody asks, ready to be run, and to be read as examples of how to ask. Each
 * starts from what an index gives at once, so that it answers a large file quickly too. */
#include "query_presets.h"

#include <string.h>

const Preset presets[] = {
    { "fastest", "the fastest arm of each of the last 200 comparisons, and how much it gains",
      "WITH last AS (\n"
      "    SELECT DISTINCT a.comparison, e.machine FROM (SELECT machine, point FROM estimate\n"
      "        WHERE newest AND median_ns IS NOT NULL ORDER BY measured_at_ms DESC LIMIT 2000) e\n"
      "    JOIN arm a ON a.point = e.point LIMIT 200),\n"
      "placed AS (\n"
      "    SELECT l.comparison, e.machine, e.point, e.median_ns,\n"
      "           row_number() OVER (PARTITION BY l.comparison, e.machine ORDER BY e.median_ns) AS place\n"
      "    FROM last l JOIN arm a ON a.comparison = l.comparison\n"
      "    JOIN estimate e ON e.point = a.point AND e.machine = l.machine\n"
      "    WHERE e.newest AND e.median_ns IS NOT NULL)\n"
      "SELECT t.point AS fastest, round(t.median_ns / 1e3, 2) AS median_us, round(t.gflops, 1) AS gflops,\n"
      "       (SELECT text FROM point WHERE id = y.point) AS next, round(y.median_ns / x.median_ns, 3) AS ratio,\n"
      "       s.verdict\n"
      "FROM placed x JOIN v_time t ON t.point_id = x.point AND t.machine_id = x.machine\n"
      "LEFT JOIN placed y ON y.comparison = x.comparison AND y.machine = x.machine AND y.place = 2\n"
      "LEFT JOIN v_speedup s ON s.point_id = x.point AND s.b_point_id = y.point AND s.machine_id = x.machine\n"
      "WHERE x.place = 1 ORDER BY t.method, t.pass, t.dtype, t.threads, t.flops" },
    { "crossover", "where one arm overtakes another as T grows, among the last 2000 pairs",
      "WITH pair AS (\n"
      "    SELECT r.machine, t.ratio, y.block, a.method || '/' || a.variant AS a, b.method || '/' || b.variant AS b,\n"
      "           a.dtype, a.pass, a.threads, a.params->>'T' AS T, json_remove(a.params, '$.T', '$.Tk') AS ap,\n"
      "           json_remove(b.params, '$.T', '$.Tk') AS bp\n"
      "    FROM (SELECT * FROM ratio WHERE newest LIMIT 2000) r\n"
      "    JOIN point a ON a.id = r.point_a JOIN point b ON b.id = r.point_b\n"
      "    JOIN run x ON x.point = a.id AND x.code = r.code_a JOIN pair_time t ON t.run_a = x.id\n"
      "    JOIN run y ON y.id = t.run_b AND y.point = b.id AND y.code = r.code_b\n"
      "    WHERE a.params->>'T' = b.params->>'T'),\n"
      "both AS (\n"
      "    SELECT * FROM pair WHERE a < b UNION ALL\n"
      "    SELECT machine, 1 / ratio, block, b, a, dtype, pass, threads, T, bp, ap FROM pair WHERE a > b)\n"
      "SELECT a, b, pass, dtype, threads, min(T) AS from_T, max(T) AS to_T, crossover_kind(T, ratio, block) AS kind,\n"
      "       round(crossover(T, ratio, block)) AS T, round(crossover_low(T, ratio, block)) AS T_low,\n"
      "       round(crossover_high(T, ratio, block)) AS T_high, round(min(ratio), 3) AS least_ratio,\n"
      "       round(max(ratio), 3) AS largest_ratio, ap AS p\n"
      "FROM both GROUP BY machine, a, b, pass, dtype, threads, ap, bp HAVING count(DISTINCT T) > 1\n"
      "ORDER BY a, b, pass, dtype, threads" },
    { "accuracy", "the worst error of each variant against float64, and where",
      "WITH worst AS (\n"
      "    SELECT p.method, p.variant, p.isa, p.dtype, p.pass, max(e.error_rel) AS error_rel, e.id AS estimate,\n"
      "           p.text AS point, count(*) AS points\n"
      "    FROM estimate e JOIN point p ON p.id = e.point WHERE e.newest AND e.error_rel IS NOT NULL\n"
      "    GROUP BY p.method, p.variant, p.isa, p.dtype, p.pass)\n"
      "SELECT w.method || '/' || w.variant AS variant, w.isa, w.dtype, w.pass, printf('%.2e', w.error_rel) AS error_rel,\n"
      "       (SELECT value FROM summary s JOIN quantity q ON q.id = s.quantity WHERE s.estimate = w.estimate\n"
      "        AND q.instrument = 'accuracy' AND q.name = 'tolerance') AS tolerance, w.points, w.point AS worst_point\n"
      "FROM worst w ORDER BY 1, 2, 3, 4" },
    { "limits", "the share of the measured limit that each variant reaches",
      "SELECT p.method || '/' || p.variant AS variant, p.isa, p.dtype, p.pass, p.threads, count(*) AS points,\n"
      "       round(100 * avg(e.limit_ns / e.median_ns), 1) AS mean_percent,\n"
      "       round(100 * max(e.limit_ns / e.median_ns), 1) AS best_percent, e.limit_name AS limit_name, p.text AS best_point\n"
      "FROM estimate e JOIN point p ON p.id = e.point WHERE e.newest AND e.limit_ns IS NOT NULL AND e.median_ns > 0\n"
      "GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5" },
    { "failures", "the last 200 runs that did not end well, with the reason",
      "SELECT o.outcome, o.reason, o.point, o.started_at, o.experiment\n"
      "FROM (SELECT id FROM run WHERE outcome <> 'ok' LIMIT 20000) f JOIN v_outcome o ON o.run_id = f.id\n"
      "ORDER BY o.started_at_ms DESC, o.point LIMIT 200" },
    { "history", "points whose code has changed: before and after",
      "WITH changed AS (\n"
      "    SELECT machine, point FROM estimate GROUP BY machine, point HAVING count(*) > 1 LIMIT 2000)\n"
      "SELECT t.point, datetime(max(o.measured_at_ms) / 1000.0, 'unixepoch') AS before_at, t.measured_at AS after_at,\n"
      "       round(o.median_ns / 1e3, 2) AS before_us, round(t.median_ns / 1e3, 2) AS after_us,\n"
      "       round(t.median_ns / o.median_ns, 3) AS after_by_before,\n"
      "       CASE WHEN t.high_ns < o.low_ns THEN 'faster' WHEN t.low_ns > o.high_ns THEN 'slower' ELSE 'not clear' END AS looks\n"
      "FROM changed c JOIN v_time t ON t.point_id = c.point AND t.machine_id = c.machine\n"
      "JOIN estimate o ON o.machine = c.machine AND o.point = c.point AND NOT o.newest AND o.median_ns IS NOT NULL\n"
      "GROUP BY t.estimate_id ORDER BY t.point" },
    { "claims", "every claim, with its latest verdict",
      "SELECT paper, id, verdict, round(value, 4) AS value, round(low, 4) AS low, round(high, 4) AS high, expected,\n"
      "       points, place, says FROM v_claim ORDER BY paper, position" },
};

const int preset_count = sizeof presets / sizeof *presets;

const Preset *preset_find(const char *name)
{
    for (int i = 0; i < preset_count; i++)
        if (!strcmp(presets[i].name, name)) return &presets[i];
    return NULL;
}
