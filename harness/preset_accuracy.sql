-- SPDX-License-Identifier: Apache-2.0
-- the worst error of each variant against float64, and where, among the last 20000 points
WITH worst AS (
    SELECT p.method, p.variant, p.isa, p.dtype, p.pass, max(e.error_rel) AS error_rel, e.id AS estimate,
           p.text AS point, count(*) AS points
    FROM (SELECT id, point, error_rel FROM estimate WHERE newest AND error_rel IS NOT NULL
          ORDER BY measured_at_ms DESC LIMIT 20000) e JOIN point p ON p.id = e.point
    GROUP BY p.method, p.variant, p.isa, p.dtype, p.pass)
SELECT w.method || '/' || w.variant AS variant, w.isa, w.dtype, w.pass,
       printf('%.2e', w.error_rel) AS error_rel,
       (SELECT value FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = w.estimate
        WHERE q.instrument = 'accuracy' AND q.name = 'tolerance') AS tolerance,
       w.points, w.point AS worst_point
FROM worst w ORDER BY 1, 2, 3, 4
