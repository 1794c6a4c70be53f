-- SPDX-License-Identifier: Apache-2.0
-- points whose code has changed: before and after
WITH changed AS (
    SELECT DISTINCT machine, point FROM estimate WHERE NOT newest LIMIT 2000)
SELECT t.point, datetime(max(o.measured_at_ms) / 1000.0, 'unixepoch') AS before_at, t.measured_at AS after_at,
       round(o.median_ns / 1e3, 2) AS before_us, round(t.median_ns / 1e3, 2) AS after_us,
       round(t.median_ns / o.median_ns, 3) AS after_by_before,
       CASE WHEN t.high_ns < o.low_ns THEN 'faster' WHEN t.low_ns > o.high_ns THEN 'slower' ELSE 'not clear' END AS looks
FROM changed c JOIN v_time t ON t.point_id = c.point AND t.machine_id = c.machine
JOIN estimate o ON o.machine = c.machine AND o.point = c.point AND NOT o.newest AND o.median_ns IS NOT NULL
GROUP BY t.estimate_id ORDER BY t.point
