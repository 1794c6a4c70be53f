-- SPDX-License-Identifier: Apache-2.0
-- the fastest arm of each of the last 200 comparisons, and how much it gains
-- Ratios are looked up in the table by their key: the view would be built as a whole.
WITH last AS (
    SELECT DISTINCT a.comparison, e.machine FROM (SELECT machine, point FROM estimate
        WHERE newest AND median_ns IS NOT NULL ORDER BY measured_at_ms DESC LIMIT 2000) e
    JOIN arm a ON a.point = e.point LIMIT 200),
placed AS MATERIALIZED (
    SELECT l.comparison, e.machine, e.point, e.median_ns,
           row_number() OVER (PARTITION BY l.comparison, e.machine ORDER BY e.median_ns) AS place
    FROM last l CROSS JOIN arm a ON a.comparison = l.comparison
    CROSS JOIN estimate e ON e.point = a.point AND e.machine = l.machine
    WHERE e.newest AND e.median_ns IS NOT NULL),
pair AS MATERIALIZED (
    SELECT comparison, machine, max(point) FILTER (WHERE place = 1) AS a,
           max(median_ns) FILTER (WHERE place = 1) AS a_ns,
           max(point) FILTER (WHERE place = 2) AS b, max(median_ns) FILTER (WHERE place = 2) AS b_ns
    FROM placed WHERE place <= 2 GROUP BY comparison, machine)
SELECT p.text AS fastest, round(x.a_ns / 1e3, 2) AS median_us, round(p.flops / x.a_ns, 1) AS gflops,
       (SELECT text FROM point WHERE id = x.b) AS next, round(x.b_ns / x.a_ns, 3) AS ratio,
       coalesce(
           (SELECT verdict FROM ratio WHERE machine = x.machine AND point_a = x.a AND point_b = x.b AND newest),
           (SELECT CASE verdict WHEN 'faster' THEN 'slower' WHEN 'slower' THEN 'faster' ELSE verdict END
            FROM ratio WHERE machine = x.machine AND point_a = x.b AND point_b = x.a AND newest)) AS verdict
FROM pair x CROSS JOIN point p ON p.id = x.a
ORDER BY p.method, p.pass, p.dtype, p.threads, p.flops
