-- SPDX-License-Identifier: Apache-2.0
-- the worst error of each variant against float64, and where
WITH worst AS (
    SELECT p.method, p.variant, p.isa, p.dtype, p.pass, max(e.error_rel) AS error_rel, e.id AS estimate,
           p.text AS point, count(*) AS points
    FROM estimate e JOIN point p ON p.id = e.point WHERE e.newest AND e.error_rel IS NOT NULL
    GROUP BY p.method, p.variant, p.isa, p.dtype, p.pass)
SELECT w.method || '/' || w.variant AS variant, w.isa, w.dtype, w.pass, printf('%.2e', w.error_rel) AS error_rel,
       (SELECT value FROM summary s JOIN quantity q ON q.id = s.quantity WHERE s.estimate = w.estimate
        AND q.instrument = 'accuracy' AND q.name = 'tolerance') AS tolerance, w.points, w.point AS worst_point
FROM worst w ORDER BY 1, 2, 3, 4
