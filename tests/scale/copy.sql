-- SPDX-License-Identifier: Apache-2.0
-- Multiplies the comparisons of made-up methods by the numbers in temp.copy (fill.c): each gets ids, a
-- method and a text of its own, and everything else of the original. In the order of ids, so that each
-- table is walked through once.

CREATE TEMP TABLE base_point AS SELECT id FROM point WHERE method GLOB 'made_up_*' ORDER BY id;
CREATE TEMP TABLE base_comparison AS
    SELECT DISTINCT a.comparison AS id FROM arm a JOIN base_point p ON p.id = a.point ORDER BY 1;
CREATE TEMP TABLE base_block AS
    SELECT id FROM block WHERE comparison IN (SELECT id FROM base_comparison) ORDER BY id;
CREATE TEMP TABLE base_run AS SELECT id FROM run WHERE block IN (SELECT id FROM base_block) ORDER BY id;
CREATE TEMP TABLE base_estimate AS
    SELECT id FROM estimate WHERE point IN (SELECT id FROM base_point) ORDER BY id;

INSERT INTO point
SELECT id + n, 'copy_' || n || '_of_' || text, 'copy_' || n || '_of_' || method, variant, isa, dtype, pass,
       threads, params, flops, bytes, exps, state_bytes
FROM base_point CROSS JOIN point USING (id) CROSS JOIN copy;

INSERT INTO comparison SELECT id + n, arms FROM base_comparison CROSS JOIN comparison USING (id) CROSS JOIN copy;

INSERT INTO arm
SELECT comparison + n, position, point + n
FROM base_comparison b CROSS JOIN arm ON comparison = b.id CROSS JOIN copy;

INSERT INTO block
SELECT id + n, comparison + n, session, build, spec, number, seed, started_at_ms + n, duration_ms, instruments,
       epsilon, wall_limit_ms, memory_limit_bytes
FROM base_block CROSS JOIN block USING (id) CROSS JOIN copy;

INSERT INTO run
SELECT id + n, block + n, position, point + n, code, outcome, reason, note
FROM base_run CROSS JOIN run USING (id) CROSS JOIN copy;

INSERT INTO sample SELECT run + n, epochs, data FROM base_run b CROSS JOIN sample ON run = b.id CROSS JOIN copy;

INSERT INTO metric
SELECT run + n, quantity, value FROM base_run b CROSS JOIN metric ON run = b.id CROSS JOIN copy;

INSERT INTO timing
SELECT run + n, clock, epochs, min_ns, p25_ns, median_ns, flagged_share
FROM base_run b CROSS JOIN timing ON run = b.id CROSS JOIN copy;

INSERT INTO pair_time
SELECT run_a + n, run_b + n, clock, rounds, ratio FROM base_run b CROSS JOIN pair_time ON run_a = b.id CROSS JOIN copy;

INSERT INTO estimate
SELECT id + n, machine, point + n, code, newest, runs, failures, outcome, reason, measured_at_ms + n, error_rel,
       clock, blocks, epochs, median_ns, low_ns, high_ns, level, interval, min_ns, p25_ns, flagged_share,
       limit_name, limit_ns
FROM base_estimate CROSS JOIN estimate USING (id) CROSS JOIN copy;

INSERT INTO summary
SELECT estimate + n, quantity, blocks, value, low, high
FROM base_estimate b CROSS JOIN summary ON estimate = b.id CROSS JOIN copy;

INSERT INTO ratio
SELECT r.id + n, machine, point_a + n, code_a, point_b + n, code_b, newest, clock, blocks, rounds, ratio, low, high,
       level, interval, p_value, resolution, epsilon, verdict
FROM (SELECT * FROM ratio WHERE point_a IN (SELECT id FROM base_point) ORDER BY id) r CROSS JOIN copy;
