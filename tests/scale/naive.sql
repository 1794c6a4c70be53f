-- SPDX-License-Identifier: Apache-2.0
-- What some views mean, written down as plainly as it can be: by grouping and joining everything. Those in
-- views.sql look rows up instead; on any file they must say the same (scale.sh).

-- view v_outcome
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, r.outcome, r.reason, r.note, b.number AS block, r.position,
       printf('%016x', r.id) AS run, datetime(b.started_at_ms / 1000.0, 'unixepoch') AS started_at,
       b.started_at_ms, b.duration_ms, printf('%016x', b.seed) AS seed, b.instruments,
       (SELECT name FROM spec WHERE id = b.spec) AS experiment,
       u.revision, u.dirty, u.compiler, u.flags, c.symbol, c.sha256, r.id AS run_id,
       b.id AS block_id, b.session AS session_id, r.point AS point_id, s.machine AS machine_id
FROM run r JOIN point p ON p.id = r.point JOIN block b ON b.id = r.block
     JOIN session s ON s.id = b.session JOIN machine m ON m.id = s.machine
     JOIN build u ON u.id = b.build JOIN code c ON c.id = r.code;

-- view v_block
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, row_number() OVER (PARTITION BY e.id ORDER BY b.started_at_ms, b.id) AS block,
       t.median_ns, t.p25_ns, t.min_ns, t.epochs, t.flagged_share, t.clock,
       p.flops / t.median_ns AS gflops, datetime(b.started_at_ms / 1000.0, 'unixepoch') AS started_at,
       r.block AS block_id, b.session AS session_id, r.id AS run_id, e.id AS estimate_id,
       e.point AS point_id, e.machine AS machine_id
FROM estimate e JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
     JOIN run r ON r.point = e.point AND r.code = e.code JOIN block b ON b.id = r.block
     JOIN session s ON s.id = b.session AND s.machine = e.machine JOIN timing t ON t.run = r.id
WHERE e.newest;

-- view v_speedup_all
WITH both AS (
    SELECT id, machine, point_a, code_a, point_b, code_b, newest, clock, blocks, rounds, ratio, low,
           high, level, interval, p_value, resolution, epsilon, verdict
    FROM ratio
    UNION ALL
    SELECT id, machine, point_b, code_b, point_a, code_a, newest, clock, blocks, rounds, 1 / ratio,
           1 / high, 1 / low, level, interval, p_value, resolution, epsilon,
           CASE verdict WHEN 'faster' THEN 'slower' WHEN 'slower' THEN 'faster' ELSE verdict END
    FROM ratio
)
SELECT a.text AS a, b.text AS b, r.ratio, r.low, r.high, r.level, r.interval, r.verdict,
       a.method, a.variant, a.isa, a.dtype, a.pass, a.threads, a.params AS p,
       b.method AS b_method, b.variant AS b_variant, b.isa AS b_isa, b.dtype AS b_dtype,
       b.pass AS b_pass, b.threads AS b_threads, b.params AS b_p,
       m.alias AS machine, r.blocks, r.rounds, r.clock, r.p_value, r.epsilon, r.resolution,
       r.newest, printf('%016x', r.code_a) AS a_code, printf('%016x', r.code_b) AS b_code,
       r.id AS ratio_id, r.point_a AS point_id, r.point_b AS b_point_id, r.machine AS machine_id
FROM both r JOIN point a ON a.id = r.point_a JOIN point b ON b.id = r.point_b
     JOIN machine m ON m.id = r.machine;

-- view v_speedup_block
WITH both AS (
    SELECT run_a, run_b, rounds, clock, ratio FROM pair_time
    UNION ALL
    SELECT run_b, run_a, rounds, clock, 1 / ratio FROM pair_time
)
SELECT a.text AS a, b.text AS b, t.ratio,
       row_number() OVER (PARTITION BY s.machine, a.id, b.id ORDER BY k.started_at_ms, k.id) AS block,
       a.method, a.variant, a.isa, a.dtype, a.pass, a.threads, a.params AS p,
       b.method AS b_method, b.variant AS b_variant, b.isa AS b_isa, b.dtype AS b_dtype,
       b.pass AS b_pass, b.threads AS b_threads, b.params AS b_p,
       m.alias AS machine, t.rounds, t.clock,
       datetime(k.started_at_ms / 1000.0, 'unixepoch') AS started_at, k.id AS block_id,
       k.session AS session_id, t.run_a AS run_id, t.run_b AS b_run_id, s.machine AS machine_id
FROM both t JOIN run x ON x.id = t.run_a JOIN run y ON y.id = t.run_b
     JOIN point a ON a.id = x.point JOIN point b ON b.id = y.point
     JOIN block k ON k.id = x.block JOIN session s ON s.id = k.session
     JOIN machine m ON m.id = s.machine
     JOIN estimate e ON e.machine = s.machine AND e.point = x.point AND e.code = x.code AND e.newest
     JOIN estimate f ON f.machine = s.machine AND f.point = y.point AND f.code = y.code AND f.newest;

-- view v_accuracy
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, max(s.high) FILTER (WHERE q.name = 'error_rel') AS error_rel,
       max(s.value) FILTER (WHERE q.name = 'tolerance') AS tolerance,
       max(s.high) FILTER (WHERE q.name = 'error_abs') AS error_abs,
       max(s.high) FILTER (WHERE q.name = 'rmse') AS rmse,
       max(s.high) FILTER (WHERE q.name = 'ulp') AS ulp,
       max(s.high) FILTER (WHERE q.name = 'nan_count') AS nan_count,
       max(s.value) FILTER (WHERE q.name = 'compared') AS compared,
       max(s.blocks) AS blocks, e.outcome, e.id AS estimate_id, e.point AS point_id,
       e.machine AS machine_id
FROM quantity q JOIN summary s ON s.quantity = q.id JOIN estimate e ON e.id = s.estimate
     JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE q.instrument = 'accuracy' AND e.newest
GROUP BY e.id;

-- view v_memory
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, max(s.value) FILTER (WHERE q.name = 'tensor_bytes') AS tensor_bytes,
       max(s.value) FILTER (WHERE q.name = 'workspace_used_bytes') AS workspace_bytes,
       max(s.value) FILTER (WHERE q.name = 'total_bytes') AS total_bytes,
       max(s.value) FILTER (WHERE q.name = 'output_bytes') AS output_bytes, p.state_bytes,
       max(s.high) FILTER (WHERE q.name = 'worker_peak_bytes') AS worker_peak_bytes,
       e.id AS estimate_id, e.point AS point_id, e.machine AS machine_id
FROM quantity q JOIN summary s ON s.quantity = q.id JOIN estimate e ON e.id = s.estimate
     JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE q.instrument = 'memory' AND e.newest
GROUP BY e.id;

-- view v_count
WITH work AS (
    SELECT s.estimate, replace(q.name, 'formula.', '') AS name, q.unit,
           max(s.value) FILTER (WHERE q.name NOT GLOB 'formula.*') AS counted,
           max(s.value) FILTER (WHERE q.name GLOB 'formula.*') AS formula
    FROM quantity q JOIN summary s ON s.quantity = q.id
    WHERE q.instrument = 'count' AND q.name NOT GLOB 'nominal_*' AND q.name <> 'formula_equal'
    GROUP BY s.estimate, replace(q.name, 'formula.', ''), q.unit
)
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, w.name, coalesce(w.counted, w.formula) AS counted,
       CASE WHEN w.counted IS NULL THEN 'formula' ELSE 'counting build' END AS how, w.formula,
       CASE w.name WHEN 'matmul_flops' THEN p.flops WHEN 'exps' THEN p.exps END AS useful, w.unit,
       e.id AS estimate_id, e.point AS point_id, e.machine AS machine_id
FROM work w JOIN estimate e ON e.id = w.estimate JOIN point p ON p.id = e.point
     JOIN machine m ON m.id = e.machine
WHERE e.newest;

-- view v_lap
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, q.name AS phase, s.value AS time_ns, s.low AS low_ns, s.high AS high_ns,
       s.blocks, e.id AS estimate_id, e.point AS point_id, e.machine AS machine_id
FROM quantity q JOIN summary s ON s.quantity = q.id JOIN estimate e ON e.id = s.estimate
     JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE q.instrument = 'lap' AND e.newest;
