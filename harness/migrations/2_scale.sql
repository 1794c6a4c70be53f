-- SPDX-License-Identifier: Apache-2.0
-- Version 2: a million points. Parameters were kept twice, as JSON and as rows that nobody asked for; the
-- rows took more room than the points. Indexes for what was found by reading everything.
DROP TABLE param;
CREATE INDEX spec_name ON spec(name);
DROP INDEX block_session;
CREATE INDEX block_session ON block(session, build);
CREATE INDEX block_build ON block(build);
CREATE INDEX pair_time_b ON pair_time(run_b);
CREATE INDEX estimate_former ON estimate(machine, point) WHERE NOT newest;
