-- SPDX-License-Identifier: Apache-2.0
-- the fastest arm of each of the last 200 comparisons, and how much it gains
WITH last AS (
    SELECT DISTINCT a.comparison, e.machine FROM (SELECT machine, point FROM estimate
        WHERE newest AND median_ns IS NOT NULL ORDER BY measured_at_ms DESC LIMIT 2000) e
    JOIN arm a ON a.point = e.point LIMIT 200),
placed AS (
    SELECT l.comparison, e.machine, e.point, e.median_ns,
           row_number() OVER (PARTITION BY l.comparison, e.machine ORDER BY e.median_ns) AS place
    FROM last l JOIN arm a ON a.comparison = l.comparison
    JOIN estimate e ON e.point = a.point AND e.machine = l.machine
    WHERE e.newest AND e.median_ns IS NOT NULL)
SELECT t.point AS fastest, round(t.median_ns / 1e3, 2) AS median_us, round(t.gflops, 1) AS gflops,
       (SELECT text FROM point WHERE id = y.point) AS next, round(y.median_ns / x.median_ns, 3) AS ratio,
       s.verdict
FROM placed x JOIN v_time t ON t.point_id = x.point AND t.machine_id = x.machine
LEFT JOIN placed y ON y.comparison = x.comparison AND y.machine = x.machine AND y.place = 2
LEFT JOIN v_speedup s ON s.point_id = x.point AND s.b_point_id = y.point AND s.machine_id = x.machine
WHERE x.place = 1 ORDER BY t.method, t.pass, t.dtype, t.threads, t.flops
