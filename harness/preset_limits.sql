-- SPDX-License-Identifier: Apache-2.0
-- the share of the measured limit that each variant reaches, among the last 20000 points
SELECT p.method || '/' || p.variant AS variant, p.isa, p.dtype, p.pass, p.threads, count(*) AS points,
       round(100 * avg(e.limit_ns / e.median_ns), 1) AS mean_percent,
       round(100 * max(e.limit_ns / e.median_ns), 1) AS best_percent, e.limit_name AS limit_name,
       p.text AS best_point
FROM (SELECT point, limit_ns, median_ns, limit_name FROM estimate
      WHERE newest AND limit_ns IS NOT NULL AND median_ns > 0
      ORDER BY measured_at_ms DESC LIMIT 20000) e JOIN point p ON p.id = e.point
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
