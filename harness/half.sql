-- SPDX-License-Identifier: Apache-2.0
-- Hides half of the blocks from this connection: the judge asks its question again of the first and of
-- the later processes alone (db_half.c). Tables of the connection's own stand before the views of the
-- same names; `half.first` is 1 for the earlier blocks. Where a view gives an interval, its ends are the
-- value here: half of the blocks are asked where they lie, not how sure they are.

CREATE TEMP TABLE half_block AS
SELECT b.* FROM main.v_block b
JOIN (SELECT estimate_id, max(block) AS blocks FROM main.v_block GROUP BY estimate_id) n USING (estimate_id), half
WHERE (2 * b.block <= n.blocks) = half.first AND b.machine_id = half.whose;
DROP VIEW IF EXISTS temp.v_block;
CREATE TEMP VIEW v_block AS SELECT * FROM half_block;

CREATE TEMP TABLE half_time AS
SELECT estimate_id, median(median_ns) AS median_ns, median(min_ns) AS min_ns, median(p25_ns) AS p25_ns,
       count(*) AS blocks, sum(epochs) AS epochs
FROM half_block GROUP BY estimate_id;
DROP VIEW IF EXISTS temp.v_time;
CREATE TEMP TABLE v_time AS
SELECT t.point, t.method, t.variant, t.isa, t.dtype, t.pass, t.threads, t.p, t.machine, h.median_ns,
       h.median_ns AS low_ns, h.median_ns AS high_ns, t.level, t.interval, h.min_ns, h.p25_ns, h.blocks, h.epochs,
       t.flagged_share, t.clock, t.flops / h.median_ns AS gflops, t.bytes / h.median_ns AS gbytes_per_s,
       t.fraction_of_limit * t.median_ns / h.median_ns AS fraction_of_limit, t.limit_name, t.error_rel, t.flops,
       t.bytes, t.exps, t.state_bytes, t.failures, t.measured_at, t.code, t.estimate_id, t.point_id, t.machine_id
FROM main.v_time t JOIN half_time h USING (estimate_id);

CREATE TEMP TABLE half_pair AS
SELECT s.* FROM main.v_speedup_block s
JOIN (SELECT a, b, machine_id, max(block) AS blocks FROM main.v_speedup_block GROUP BY 1, 2, 3) n
    USING (a, b, machine_id), half
WHERE (2 * s.block <= n.blocks) = half.first AND s.machine_id = half.whose;
DROP VIEW IF EXISTS temp.v_speedup_block;
CREATE TEMP VIEW v_speedup_block AS SELECT * FROM half_pair;

CREATE TEMP TABLE half_ratio AS
SELECT a, b, machine_id, median(ratio) AS ratio, count(*) AS blocks FROM half_pair GROUP BY 1, 2, 3;
DROP VIEW IF EXISTS temp.v_speedup;
CREATE TEMP TABLE v_speedup AS
SELECT s.a, s.b, h.ratio, h.ratio AS low, h.ratio AS high, s.level, s.interval, s.verdict, s.method, s.variant, s.isa,
       s.dtype, s.pass, s.threads, s.p, s.b_method, s.b_variant, s.b_isa, s.b_dtype, s.b_pass, s.b_threads, s.b_p,
       s.machine, h.blocks, s.rounds, s.clock, s.p_value, s.epsilon, s.resolution, s.point_id, s.b_point_id,
       s.machine_id
FROM main.v_speedup s JOIN half_ratio h USING (a, b, machine_id);

CREATE TEMP TABLE half_lap AS
SELECT m.*, row_number() OVER (PARTITION BY point_id, name ORDER BY started_at, block_id) AS place,
       count(*) OVER (PARTITION BY point_id, name) AS places
FROM main.v_metric_run m, half WHERE m.instrument = 'lap' AND m.outcome = 'ok' AND m.machine_id = half.whose;
DROP VIEW IF EXISTS temp.v_lap;
CREATE TEMP TABLE v_lap AS
SELECT point, method, variant, isa, dtype, pass, threads, p, machine, name AS phase, median(value) AS time_ns,
       median(value) AS low_ns, median(value) AS high_ns, count(*) AS blocks, point_id, machine_id
FROM half_lap, half WHERE (2 * place <= places) = half.first GROUP BY point_id, name;
