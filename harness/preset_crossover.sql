-- SPDX-License-Identifier: Apache-2.0
-- where one arm overtakes another as T grows, among the last 2000 pairs
WITH pair AS (
    SELECT r.machine, t.ratio, y.block, a.method || '/' || a.variant AS a, b.method || '/' || b.variant AS b,
           a.dtype, a.pass, a.threads, a.params->>'T' AS T, json_remove(a.params, '$.T', '$.Tk') AS ap,
           json_remove(b.params, '$.T', '$.Tk') AS bp
    FROM (SELECT * FROM ratio WHERE newest LIMIT 2000) r
    JOIN point a ON a.id = r.point_a JOIN point b ON b.id = r.point_b
    JOIN run x ON x.point = a.id AND x.code = r.code_a JOIN pair_time t ON t.run_a = x.id
    JOIN run y ON y.id = t.run_b AND y.point = b.id AND y.code = r.code_b
    WHERE a.params->>'T' = b.params->>'T'),
both AS (
    SELECT * FROM pair WHERE a < b UNION ALL
    SELECT machine, 1 / ratio, block, b, a, dtype, pass, threads, T, bp, ap FROM pair WHERE a > b)
SELECT a, b, pass, dtype, threads, min(T) AS from_T, max(T) AS to_T, crossover_kind(T, ratio, block) AS kind,
       round(crossover(T, ratio, block)) AS T, round(crossover_low(T, ratio, block)) AS T_low,
       round(crossover_high(T, ratio, block)) AS T_high, round(min(ratio), 3) AS least_ratio,
       round(max(ratio), 3) AS largest_ratio, ap AS p
FROM both GROUP BY machine, a, b, pass, dtype, threads, ap, bp HAVING count(DISTINCT T) > 1
ORDER BY a, b, pass, dtype, threads
