-- SPDX-License-Identifier: Apache-2.0
-- Hides half of the blocks from this connection: the judge asks its question again of the first and of
-- the later processes alone (db_half.c). Views of the connection's own stand before those of the same
-- names; `half.first` is 1 for the earlier blocks. Where a view gives an interval, its ends are the value
-- here: half of the blocks are asked where they lie, not how sure they are. Every value is looked up for
-- its own point or pair, so that a question about a few of a million points stays a small one.

DROP VIEW IF EXISTS temp.v_block;
CREATE TEMP VIEW v_block AS
SELECT b.* FROM main.v_block b, half
WHERE (2 * b.block <= (SELECT blocks FROM estimate WHERE id = b.estimate_id)) = half.first
      AND b.machine_id = half.whose;

CREATE TEMP VIEW half_time AS
SELECT t.*, (SELECT half_median(b.started_at_ms, x.median_ns, b.id, half.first) FROM estimate e
        JOIN run r ON r.point = e.point AND r.code = e.code JOIN timing x ON x.run = r.id
        JOIN block b ON b.id = r.block JOIN session s ON s.id = b.session AND s.machine = e.machine
        WHERE e.id = t.estimate_id) AS half_ns,
       (SELECT half_median(b.started_at_ms, x.min_ns, b.id, half.first) FROM estimate e
        JOIN run r ON r.point = e.point AND r.code = e.code JOIN timing x ON x.run = r.id
        JOIN block b ON b.id = r.block JOIN session s ON s.id = b.session AND s.machine = e.machine
        WHERE e.id = t.estimate_id) AS half_min_ns,
       (SELECT half_median(b.started_at_ms, x.p25_ns, b.id, half.first) FROM estimate e
        JOIN run r ON r.point = e.point AND r.code = e.code JOIN timing x ON x.run = r.id
        JOIN block b ON b.id = r.block JOIN session s ON s.id = b.session AND s.machine = e.machine
        WHERE e.id = t.estimate_id) AS half_p25_ns
FROM main.v_time t, half WHERE t.machine_id = half.whose;
DROP VIEW IF EXISTS temp.v_time;
CREATE TEMP VIEW v_time AS
SELECT point, method, variant, isa, dtype, pass, threads, p, machine, half_ns AS median_ns,
       half_ns AS low_ns, half_ns AS high_ns, level, interval, half_min_ns AS min_ns, half_p25_ns AS p25_ns,
       (blocks + 1 - first) / 2 AS blocks, (SELECT sum(epochs) FROM v_block b WHERE b.estimate_id = h.estimate_id)
       AS epochs, flagged_share, clock, flops / half_ns AS gflops, bytes / half_ns AS gbytes_per_s,
       fraction_of_limit * median_ns / half_ns AS fraction_of_limit, limit_name, error_rel, flops, bytes, exps,
       state_bytes, failures, measured_at, code, estimate_id, point_id, machine_id
FROM half_time h, half WHERE half_ns IS NOT NULL;

DROP VIEW IF EXISTS temp.v_speedup_block;
CREATE TEMP VIEW v_speedup_block AS
SELECT s.* FROM main.v_speedup_block s, half
WHERE (2 * s.block <= (SELECT r.blocks FROM run x JOIN run y ON y.id = s.b_run_id
                       JOIN ratio r ON r.machine = s.machine_id AND r.point_a = min(x.point, y.point)
                            AND r.point_b = max(x.point, y.point) AND r.newest
                       WHERE x.id = s.run_id)) = half.first AND s.machine_id = half.whose;

CREATE TEMP VIEW half_ratio AS
SELECT s.*, (SELECT half_median(b.started_at_ms, iif(t.run_a = x.id, t.ratio, 1 / t.ratio), b.id, half.first)
             FROM run x JOIN block b ON b.id = x.block JOIN session c ON c.id = b.session AND c.machine = s.machine_id
             JOIN run y ON y.block = x.block AND y.point = s.b_point_id
             JOIN pair_time t ON t.run_a = iif(x.point < y.point, x.id, y.id)
                  AND t.run_b = iif(x.point < y.point, y.id, x.id)
             JOIN estimate e ON e.machine = c.machine AND e.point = x.point AND e.code = x.code AND e.newest
             JOIN estimate f ON f.machine = c.machine AND f.point = y.point AND f.code = y.code AND f.newest
             WHERE x.point = s.point_id) AS half_ratio
FROM main.v_speedup s, half WHERE s.machine_id = half.whose;
DROP VIEW IF EXISTS temp.v_speedup;
CREATE TEMP VIEW v_speedup AS
SELECT a, b, half_ratio AS ratio, half_ratio AS low, half_ratio AS high, level, interval, verdict, method,
       variant, isa, dtype, pass, threads, p, b_method, b_variant, b_isa, b_dtype, b_pass, b_threads, b_p, machine,
       (blocks + 1 - first) / 2 AS blocks, rounds, clock, p_value, epsilon, resolution, point_id, b_point_id,
       machine_id
FROM half_ratio, half WHERE half_ratio IS NOT NULL;

CREATE TEMP VIEW half_lap AS
SELECT l.*, (SELECT half_median(b.started_at_ms, v.value, b.id, half.first) FROM estimate e
             JOIN run r ON r.point = e.point AND r.code = e.code AND r.outcome = 'ok'
             JOIN block b ON b.id = r.block JOIN session s ON s.id = b.session AND s.machine = e.machine
             JOIN quantity q ON q.instrument = 'lap' AND q.name = l.phase
             JOIN metric v ON v.run = r.id AND v.quantity = q.id
             WHERE e.id = l.estimate_id) AS half_ns
FROM main.v_lap l, half WHERE l.machine_id = half.whose;
DROP VIEW IF EXISTS temp.v_lap;
CREATE TEMP VIEW v_lap AS
SELECT point, method, variant, isa, dtype, pass, threads, p, machine, phase, half_ns AS time_ns,
       half_ns AS low_ns, half_ns AS high_ns, (blocks + 1 - first) / 2 AS blocks, point_id, machine_id
FROM half_lap, half WHERE half_ns IS NOT NULL;
