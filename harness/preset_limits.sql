-- SPDX-License-Identifier: Apache-2.0
-- the share of the measured limit that each variant reaches
SELECT p.method || '/' || p.variant AS variant, p.isa, p.dtype, p.pass, p.threads, count(*) AS points,
       round(100 * avg(e.limit_ns / e.median_ns), 1) AS mean_percent,
       round(100 * max(e.limit_ns / e.median_ns), 1) AS best_percent, e.limit_name AS limit_name, p.text AS best_point
FROM estimate e JOIN point p ON p.id = e.point WHERE e.newest AND e.limit_ns IS NOT NULL AND e.median_ns > 0
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
