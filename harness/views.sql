-- SPDX-License-Identifier: Apache-2.0
-- The public way to read results/attest.db; every column is described in results/README.md.
-- Views hold no data: each program that opens the file for writing replaces them by its own, so
-- they need no migration. A machine_id has a + in front, for there are few machines: an index would rather
-- read all that one has measured than the few rows that were asked for. v_NAME speaks of the newest code of
-- each point; v_NAME_all of every code.

CREATE VIEW v_machine AS
SELECT m.alias AS machine, m.id AS machine_id,
       (SELECT json_group_object(name, value) FROM machine_fact WHERE machine = m.id) AS facts,
       (SELECT count(*) FROM session WHERE machine = m.id) AS sessions
FROM machine m;

CREATE VIEW v_session AS
SELECT printf('%016x', s.id) AS session, s.id AS session_id, m.alias AS machine,
       s.machine AS machine_id, datetime(s.started_at_ms / 1000.0, 'unixepoch') AS started_at,
       s.command,
       (SELECT json_group_object(name, coalesce(value, 'unavailable: ' || reason))
        FROM session_fact WHERE session = s.id) AS facts,
       (SELECT count(*) FROM block WHERE session = s.id) AS blocks
FROM session s JOIN machine m ON m.id = s.machine;

CREATE VIEW v_ceiling AS
SELECT m.alias AS machine, s.machine AS machine_id, c.name, c.isa, c.dtype, c.level, c.threads,
       c.value, c.unit, datetime(s.started_at_ms / 1000.0, 'unixepoch') AS measured_at,
       c.session AS session_id,
       s.started_at_ms = (SELECT max(n.started_at_ms) FROM ceiling d JOIN session n ON n.id = d.session
                          WHERE n.machine = s.machine) AS newest
FROM ceiling c JOIN session s ON s.id = c.session JOIN machine m ON m.id = s.machine;

CREATE VIEW v_noise AS
SELECT m.alias AS machine, s.machine AS machine_id, n.kernel, n.name, n.value, n.unit,
       datetime(s.started_at_ms / 1000.0, 'unixepoch') AS measured_at, n.session AS session_id
FROM noise n JOIN session s ON s.id = n.session JOIN machine m ON m.id = s.machine;

-- ---- every point that was tried ---------------------------------------------------------------------

CREATE VIEW v_point_all AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, e.outcome, e.reason, e.runs, e.failures,
       datetime(e.measured_at_ms / 1000.0, 'unixepoch') AS measured_at, e.measured_at_ms, e.newest,
       printf('%016x', e.code) AS code, e.id AS estimate_id, e.point AS point_id,
       +e.machine AS machine_id
FROM estimate e JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine;

CREATE VIEW v_point AS SELECT * FROM v_point_all WHERE newest;

CREATE VIEW v_outcome AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, r.outcome, r.reason, r.note, b.number AS block, r.position,
       printf('%016x', r.id) AS run, datetime(b.started_at_ms / 1000.0, 'unixepoch') AS started_at,
       b.started_at_ms, b.duration_ms, printf('%016x', b.seed) AS seed, b.instruments,
       x.name AS experiment,
       u.revision, u.dirty, u.compiler, u.flags, c.symbol, c.sha256, r.id AS run_id,
       b.id AS block_id, b.session AS session_id, r.point AS point_id, +s.machine AS machine_id
FROM run r JOIN point p ON p.id = r.point JOIN block b ON b.id = r.block JOIN session s ON s.id = b.session
     -- always there but for spec; LEFT, so that they are read only where their columns are asked for
     LEFT JOIN machine m ON m.id = s.machine LEFT JOIN build u ON u.id = b.build
     LEFT JOIN code c ON c.id = r.code LEFT JOIN spec x ON x.id = b.spec;

-- ---- time -------------------------------------------------------------------------------------------

CREATE VIEW v_time_all AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, e.median_ns, e.low_ns, e.high_ns, e.level, e.interval, e.min_ns, e.p25_ns,
       e.blocks, e.epochs, e.flagged_share, e.clock,
       p.flops / e.median_ns AS gflops, p.bytes / e.median_ns AS gbytes_per_s,
       e.limit_ns / e.median_ns AS fraction_of_limit, e.limit_name, e.error_rel,
       p.flops, p.bytes, p.exps, p.state_bytes, e.failures, e.newest,
       datetime(e.measured_at_ms / 1000.0, 'unixepoch') AS measured_at, e.measured_at_ms,
       printf('%016x', e.code) AS code, e.id AS estimate_id, e.point AS point_id,
       +e.machine AS machine_id
FROM estimate e JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE e.median_ns IS NOT NULL;

CREATE VIEW v_time AS SELECT * FROM v_time_all WHERE newest;

CREATE VIEW v_block AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine,
       row_number() OVER (PARTITION BY e.id, p.text, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads,
                          p.params, m.alias, e.point, e.machine ORDER BY b.started_at_ms, b.id) AS block,
       t.median_ns, t.p25_ns, t.min_ns, t.epochs, t.flagged_share, t.clock,
       p.flops / t.median_ns AS gflops, datetime(b.started_at_ms / 1000.0, 'unixepoch') AS started_at,
       r.block AS block_id, b.session AS session_id, r.id AS run_id, e.id AS estimate_id,
       e.point AS point_id, +e.machine AS machine_id
FROM estimate e JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
     JOIN run r ON r.point = e.point AND r.code = e.code JOIN block b ON b.id = r.block
     JOIN session s ON s.id = b.session AND s.machine = e.machine JOIN timing t ON t.run = r.id
WHERE e.newest;

-- ---- comparisons, in both directions ------------------------------------------------------------------

CREATE VIEW v_speedup_all AS
SELECT a.text AS a, b.text AS b, r.ratio, r.low, r.high, r.level, r.interval, r.verdict,
       a.method, a.variant, a.isa, a.dtype, a.pass, a.threads, a.params AS p,
       b.method AS b_method, b.variant AS b_variant, b.isa AS b_isa, b.dtype AS b_dtype,
       b.pass AS b_pass, b.threads AS b_threads, b.params AS b_p,
       m.alias AS machine, r.blocks, r.rounds, r.clock, r.p_value, r.epsilon, r.resolution,
       r.newest, printf('%016x', r.code_a) AS a_code, printf('%016x', r.code_b) AS b_code,
       r.id AS ratio_id, a.id AS point_id, b.id AS b_point_id, +r.machine AS machine_id
FROM ratio r JOIN point a ON a.id = r.point_a JOIN point b ON b.id = r.point_b JOIN machine m ON m.id = r.machine
UNION ALL
SELECT a.text, b.text, 1 / r.ratio, 1 / r.high, 1 / r.low, r.level, r.interval,
       CASE r.verdict WHEN 'faster' THEN 'slower' WHEN 'slower' THEN 'faster' ELSE r.verdict END,
       a.method, a.variant, a.isa, a.dtype, a.pass, a.threads, a.params,
       b.method, b.variant, b.isa, b.dtype,
       b.pass, b.threads, b.params,
       m.alias, r.blocks, r.rounds, r.clock, r.p_value, r.epsilon, r.resolution,
       r.newest, printf('%016x', r.code_b), printf('%016x', r.code_a),
       r.id, a.id, b.id, +r.machine
FROM ratio r JOIN point a ON a.id = r.point_b JOIN point b ON b.id = r.point_a JOIN machine m ON m.id = r.machine;

CREATE VIEW v_speedup AS SELECT * FROM v_speedup_all WHERE newest;

CREATE VIEW v_speedup_block AS
WITH both AS (
    SELECT a.text AS a, b.text AS b, t.ratio AS ratio, a.method, a.variant, a.isa, a.dtype, a.pass, a.threads,
           a.params AS p, b.method AS b_method, b.variant AS b_variant, b.isa AS b_isa, b.dtype AS b_dtype,
           b.pass AS b_pass, b.threads AS b_threads, b.params AS b_p, m.alias AS machine, t.rounds, t.clock,
           k.started_at_ms, k.id AS block_id, k.session AS session_id, x.id AS run_id, y.id AS b_run_id,
           +s.machine AS machine_id
    FROM point a JOIN run x ON x.point = a.id JOIN pair_time t ON t.run_a = x.id JOIN run y ON y.id = t.run_b
         JOIN point b ON b.id = y.point JOIN block k ON k.id = x.block JOIN session s ON s.id = k.session
         JOIN machine m ON m.id = s.machine
         JOIN estimate e ON e.machine = s.machine AND e.point = x.point AND e.code = x.code AND e.newest
         JOIN estimate f ON f.machine = s.machine AND f.point = y.point AND f.code = y.code AND f.newest
    UNION ALL
    SELECT a.text AS a, b.text AS b, 1 / t.ratio AS ratio, a.method, a.variant, a.isa, a.dtype, a.pass, a.threads,
           a.params AS p, b.method AS b_method, b.variant AS b_variant, b.isa AS b_isa, b.dtype AS b_dtype,
           b.pass AS b_pass, b.threads AS b_threads, b.params AS b_p, m.alias AS machine, t.rounds, t.clock,
           k.started_at_ms, k.id AS block_id, k.session AS session_id, x.id AS run_id, y.id AS b_run_id,
           +s.machine AS machine_id
    FROM point a JOIN run x ON x.point = a.id JOIN pair_time t ON t.run_b = x.id JOIN run y ON y.id = t.run_a
         JOIN point b ON b.id = y.point JOIN block k ON k.id = x.block JOIN session s ON s.id = k.session
         JOIN machine m ON m.id = s.machine
         JOIN estimate e ON e.machine = s.machine AND e.point = x.point AND e.code = x.code AND e.newest
         JOIN estimate f ON f.machine = s.machine AND f.point = y.point AND f.code = y.code AND f.newest
)
SELECT a, b, ratio,
       row_number() OVER (PARTITION BY machine_id, a, b, method, variant, isa, dtype, pass, threads, p, b_method,
                          b_variant, b_isa, b_dtype, b_pass, b_threads, b_p, machine
                          ORDER BY started_at_ms, block_id) AS block,
       method, variant, isa, dtype, pass, threads, p, b_method, b_variant, b_isa, b_dtype, b_pass, b_threads, b_p,
       machine, rounds, clock, datetime(started_at_ms / 1000.0, 'unixepoch') AS started_at, block_id,
       session_id, run_id, b_run_id, machine_id
FROM both;

-- ---- everything else that instruments say ---------------------------------------------------------------

CREATE VIEW v_metric AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, q.instrument, q.name, q.at, q.unit, s.value, s.low, s.high, s.blocks,
       e.id AS estimate_id, e.point AS point_id, +e.machine AS machine_id
FROM summary s JOIN quantity q ON q.id = s.quantity JOIN estimate e ON e.id = s.estimate
     JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE e.newest;

CREATE VIEW v_metric_run AS
SELECT o.point, o.method, o.variant, o.isa, o.dtype, o.pass, o.threads, o.p, o.machine, q.instrument,
       q.name, q.at, q.unit, v.value, o.outcome, o.block, o.run, o.started_at, o.run_id, o.block_id,
       o.session_id, o.point_id, o.machine_id
FROM metric v JOIN quantity q ON q.id = v.quantity JOIN v_outcome o ON o.run_id = v.run;

-- Looked up point by point, not grouped, so that a question about few points reads few rows.
CREATE VIEW v_accuracy AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine,
       (SELECT max(s.high) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'accuracy' AND q.name = 'error_rel') AS error_rel,
       (SELECT max(s.value) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'accuracy' AND q.name = 'tolerance') AS tolerance,
       (SELECT max(s.high) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'accuracy' AND q.name = 'error_abs') AS error_abs,
       (SELECT max(s.high) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'accuracy' AND q.name = 'rmse') AS rmse,
       (SELECT max(s.high) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'accuracy' AND q.name = 'ulp') AS ulp,
       (SELECT max(s.high) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'accuracy' AND q.name = 'nan_count') AS nan_count,
       (SELECT max(s.value) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'accuracy' AND q.name = 'compared') AS compared,
       (SELECT max(s.blocks) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'accuracy') AS blocks, e.outcome, e.id AS estimate_id,
       e.point AS point_id, +e.machine AS machine_id
FROM estimate e JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE e.newest AND EXISTS (SELECT 1 FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
                           WHERE q.instrument = 'accuracy');

CREATE VIEW v_memory AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine,
       (SELECT max(s.value) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'memory' AND q.name = 'tensor_bytes') AS tensor_bytes,
       (SELECT max(s.value) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'memory' AND q.name = 'workspace_used_bytes') AS workspace_bytes,
       (SELECT max(s.value) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'memory' AND q.name = 'total_bytes') AS total_bytes,
       (SELECT max(s.value) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'memory' AND q.name = 'output_bytes') AS output_bytes, p.state_bytes,
       (SELECT max(s.high) FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
        WHERE q.instrument = 'memory' AND q.name = 'worker_peak_bytes') AS worker_peak_bytes,
       e.id AS estimate_id, e.point AS point_id, +e.machine AS machine_id
FROM estimate e JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE e.newest AND EXISTS (SELECT 1 FROM quantity q JOIN summary s ON s.quantity = q.id AND s.estimate = e.id
                           WHERE q.instrument = 'memory');

-- Where executing every operation one by one would take too long, the variant's formula speaks.
CREATE VIEW v_count AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, q.name, s.value AS counted, 'counting build' AS how,
       (SELECT max(v.value) FROM quantity f JOIN summary v ON v.quantity = f.id AND v.estimate = e.id
        WHERE f.instrument = 'count' AND f.name = 'formula.' || q.name AND f.unit = q.unit) AS formula,
       CASE q.name WHEN 'matmul_flops' THEN p.flops WHEN 'exps' THEN p.exps END AS useful, q.unit,
       e.id AS estimate_id, e.point AS point_id, +e.machine AS machine_id
FROM quantity q JOIN summary s ON s.quantity = q.id JOIN estimate e ON e.id = s.estimate
     JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE q.instrument = 'count' AND q.name NOT GLOB 'formula*' AND q.name NOT GLOB 'nominal_*' AND e.newest
UNION ALL
SELECT p.text, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params, m.alias,
       substr(q.name, 9), s.value, 'formula', s.value,
       CASE q.name WHEN 'formula.matmul_flops' THEN p.flops WHEN 'formula.exps' THEN p.exps END, q.unit,
       e.id, e.point, +e.machine
FROM quantity q JOIN summary s ON s.quantity = q.id JOIN estimate e ON e.id = s.estimate
     JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE q.instrument = 'count' AND q.name GLOB 'formula.*' AND e.newest
      AND NOT EXISTS (SELECT 1 FROM quantity c JOIN summary v ON v.quantity = c.id AND v.estimate = e.id
                      WHERE c.instrument = 'count' AND c.name = substr(q.name, 9) AND c.unit = q.unit);

CREATE VIEW v_cache AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, q.name, q.at AS fast_bytes, s.value AS slow_bytes,
       e.id AS estimate_id, e.point AS point_id, +e.machine AS machine_id
FROM quantity q JOIN summary s ON s.quantity = q.id JOIN estimate e ON e.id = s.estimate
     JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
WHERE q.instrument = 'cache' AND e.newest;

CREATE VIEW v_lap AS
SELECT p.text AS point, p.method, p.variant, p.isa, p.dtype, p.pass, p.threads, p.params AS p,
       m.alias AS machine, q.name AS phase, s.value AS time_ns, s.low AS low_ns, s.high AS high_ns,
       s.blocks, e.id AS estimate_id, e.point AS point_id, +e.machine AS machine_id
FROM estimate e JOIN point p ON p.id = e.point JOIN machine m ON m.id = e.machine
     CROSS JOIN summary s ON s.estimate = e.id CROSS JOIN quantity q ON q.id = s.quantity
WHERE q.instrument = 'lap' AND e.newest;

-- ---- papers -------------------------------------------------------------------------------------------

CREATE VIEW v_paper AS
SELECT paper, table_name, series, x, y, printed, unit, setting, labels AS p FROM paper_value;

CREATE VIEW v_verdict AS
SELECT c.paper, c.name AS id, c.position, c.place, c.says, c.kind, v.verdict, v.reason, v.value, v.low,
       v.high, v.expected, v.points, v.rows_hash, v.engine,
       datetime(v.judged_at_ms / 1000.0, 'unixepoch') AS judged_at, v.judged_at_ms, c.current,
       (SELECT alias FROM machine WHERE id = v.machine) AS machine, v.machine AS machine_id,
       c.content, c.id AS claim_id, v.id AS verdict_id
FROM verdict v JOIN claim c ON c.id = v.claim;

CREATE VIEW v_claim AS
SELECT c.paper, c.name AS id, c.position, c.place, c.says, c.kind,
       coalesce(v.verdict, 'not-yet-measured') AS verdict, coalesce(v.reason, '') AS reason, v.value,
       v.low, v.high, v.expected, coalesce(v.points, 0) AS points, v.rows_hash, v.engine,
       datetime(v.judged_at_ms / 1000.0, 'unixepoch') AS judged_at,
       (SELECT alias FROM machine WHERE id = v.machine) AS machine, c.content, c.id AS claim_id
FROM claim c LEFT JOIN verdict v ON v.id = (SELECT id FROM verdict WHERE claim = c.id
                                            ORDER BY judged_at_ms DESC, id LIMIT 1)
WHERE c.current;
