-- SPDX-License-Identifier: Apache-2.0
-- The tables of results/attest.db, version 2. What other programs may rely on is the views of
-- views.sql, described in results/README.md; tables may change by a numbered migration.
--
-- Ids are content hashes: the first 63 bits of the SHA-256 of the row's identity (named at each
-- table), so the same row has the same id in every file, merging two files is INSERT OR IGNORE,
-- and foreign keys need no translation. Parameters are JSON, metrics and facts are rows, never columns: a
-- new method or instrument adds no column. Failure is data: every point that was tried has a row.
--
-- Three layers, from what cannot be had again to what can be computed again:
--   raw      machine session build code spec point comparison block run sample metric ceiling noise
--   derived  timing pair_time estimate summary ratio   (from the raw rows, bit for bit: db_estimate.c)
--   told     paper_value claim verdict figure

-- ---- where it was measured ------------------------------------------------------------------------

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE machine (                -- id: its facts, which are all stable (no clock rate, no load)
    id    INTEGER PRIMARY KEY,
    alias TEXT NOT NULL               -- what people call it; may be changed, is no part of the id
) STRICT;

CREATE TABLE machine_fact (           -- CPU model, cores, cache sizes, instruction sets, ...
    machine INTEGER NOT NULL REFERENCES machine(id),
    name    TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (machine, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE session (                -- id: machine, start and a random number: one call of attest
    id            INTEGER PRIMARY KEY,
    machine       INTEGER NOT NULL REFERENCES machine(id),
    started_at_ms INTEGER NOT NULL,
    command       TEXT NOT NULL       -- "run experiments/flashattention/runtime.yaml"
) STRICT;
CREATE INDEX session_machine ON session(machine, started_at_ms);

CREATE TABLE session_fact (           -- kernel, governor, load, pressure, clock source, limits, ...
    session INTEGER NOT NULL REFERENCES session(id),
    name    TEXT NOT NULL,
    value   TEXT,
    reason  TEXT,                     -- why there is no value
    PRIMARY KEY (session, name),
    CHECK ((value IS NULL) <> (reason IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE ceiling (                -- what this machine can do at most, measured in this session
    session INTEGER NOT NULL REFERENCES session(id),
    name    TEXT NOT NULL,            -- "fma", "read", "copy", ...
    isa     TEXT NOT NULL,            -- "" where it does not matter
    dtype   TEXT NOT NULL,            -- likewise
    level   TEXT NOT NULL,            -- "L1", "L2", "L3", "DRAM"; "" for arithmetic
    threads INTEGER NOT NULL,
    value   REAL NOT NULL,
    unit    TEXT NOT NULL,            -- "FLOP/s", "B/s", "B"
    PRIMARY KEY (session, name, isa, dtype, level, threads)
) STRICT, WITHOUT ROWID;

CREATE TABLE noise (                  -- the A/A certificate: equal code in both arms
    session INTEGER NOT NULL REFERENCES session(id),
    kernel  TEXT NOT NULL,            -- "compute", "memory"
    name    TEXT NOT NULL,            -- "false_positive_share", "half_width", "trials", ...
    value   REAL NOT NULL,
    unit    TEXT NOT NULL,
    PRIMARY KEY (session, kernel, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE build (                  -- id: all its columns
    id       INTEGER PRIMARY KEY,
    revision TEXT NOT NULL,           -- git commit or "unknown"
    dirty    INTEGER NOT NULL CHECK (dirty IN (0, 1)),
    compiler TEXT NOT NULL,
    flags    TEXT NOT NULL
) STRICT;

CREATE TABLE code (                   -- id: both columns; one variant's object code
    id     INTEGER PRIMARY KEY,
    symbol TEXT NOT NULL,
    sha256 TEXT NOT NULL
) STRICT;

-- ---- what was asked for ---------------------------------------------------------------------------

CREATE TABLE spec (                   -- id: text
    id    INTEGER PRIMARY KEY,
    name  TEXT NOT NULL,              -- "flashattention/runtime"
    title TEXT NOT NULL,
    paper TEXT NOT NULL,
    text  TEXT NOT NULL               -- the file as it was read
) STRICT;
CREATE INDEX spec_name ON spec(name);

CREATE TABLE point (                  -- id: text
    id      INTEGER PRIMARY KEY,
    text    TEXT NOT NULL UNIQUE,     -- flash_attention/online@avx512:B=1,...:f32:fwd:threads=2
    method  TEXT NOT NULL,
    variant TEXT NOT NULL,
    isa     TEXT NOT NULL,
    dtype   TEXT NOT NULL,
    pass    TEXT NOT NULL,
    threads INTEGER NOT NULL,
    params  TEXT NOT NULL CHECK (json_valid(params)),    -- {"B":1,"T":4096,...}: all of them
    -- The descriptor's Cost: useful work by the method's stated convention, least traffic.
    flops   REAL NOT NULL,
    bytes   REAL NOT NULL,
    exps    REAL NOT NULL,
    state_bytes REAL NOT NULL
) STRICT;
CREATE INDEX point_method ON point(method, variant, pass);

CREATE TABLE comparison (             -- id: its arms' texts in order; measured interleaved
    id   INTEGER PRIMARY KEY,
    arms INTEGER NOT NULL CHECK (arms >= 1)
) STRICT;

CREATE TABLE arm (
    comparison INTEGER NOT NULL REFERENCES comparison(id),
    position   INTEGER NOT NULL,
    point      INTEGER NOT NULL REFERENCES point(id),
    PRIMARY KEY (comparison, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX arm_point ON arm(point);

-- ---- what was measured ----------------------------------------------------------------------------

CREATE TABLE block (                  -- id: session, comparison, seed, start; one worker process
    id            INTEGER PRIMARY KEY,
    comparison    INTEGER NOT NULL REFERENCES comparison(id),
    session       INTEGER NOT NULL REFERENCES session(id),
    build         INTEGER NOT NULL REFERENCES build(id),
    spec          INTEGER REFERENCES spec(id),           -- NULL: asked for on the command line
    number        INTEGER NOT NULL,   -- 0, 1, ...: how manieth of this comparison in this session
    seed          INTEGER NOT NULL,   -- 64 bits, of the inputs and of the order
    started_at_ms INTEGER NOT NULL,   -- since 1970, UTC
    duration_ms   INTEGER NOT NULL,
    instruments   TEXT NOT NULL,      -- "accuracy,memory,time"
    epsilon       REAL NOT NULL,      -- the margin within which two times count as the same
    wall_limit_ms INTEGER,            -- NULL: none
    memory_limit_bytes INTEGER
) STRICT;
CREATE INDEX block_comparison ON block(comparison, started_at_ms);
CREATE INDEX block_session ON block(session, build);
CREATE INDEX block_spec ON block(spec);
CREATE INDEX block_build ON block(build);

CREATE TABLE run (                    -- id: block and position; one point in one block
    id       INTEGER PRIMARY KEY,
    block    INTEGER NOT NULL REFERENCES block(id),
    position INTEGER NOT NULL,        -- place among the arms
    point    INTEGER NOT NULL REFERENCES point(id),
    code     INTEGER NOT NULL REFERENCES code(id),
    outcome  TEXT NOT NULL CHECK (outcome IN ('ok', 'wrong', 'skipped', 'unsupported', 'crashed',
                 'timeout', 'out-of-memory', 'impossible', 'nondeterministic')),
    reason   TEXT NOT NULL,           -- '' where ok
    note     TEXT NOT NULL,           -- why metrics that were asked for are absent; '' where none are
    UNIQUE (block, position)
) STRICT;
CREATE INDEX run_point ON run(point, code);
CREATE INDEX run_failed ON run(outcome) WHERE outcome <> 'ok';

CREATE TABLE sample (                 -- the raw epochs of a run; layout in results/README.md
    run    INTEGER PRIMARY KEY REFERENCES run(id),
    epochs INTEGER NOT NULL,
    data   BLOB NOT NULL
) STRICT;

CREATE TABLE quantity (               -- id: the other columns
    id         INTEGER PRIMARY KEY,
    instrument TEXT NOT NULL,         -- "accuracy"
    name       TEXT NOT NULL,         -- "error_rel"
    at         REAL,                  -- the instrument's own axis, as fast memory's bytes; mostly NULL
    unit       TEXT NOT NULL
) STRICT;
CREATE INDEX quantity_name ON quantity(instrument, name);

CREATE TABLE metric (
    run      INTEGER NOT NULL REFERENCES run(id),
    quantity INTEGER NOT NULL REFERENCES quantity(id),
    value    REAL NOT NULL,
    PRIMARY KEY (run, quantity)
) STRICT, WITHOUT ROWID;

-- ---- derived --------------------------------------------------------------------------------------
-- An estimate pools the blocks of one point with one object code on one machine; other code is
-- another estimate, so nothing is averaged over a change. newest: the code measured last.

CREATE TABLE stale (                  -- blocks that the estimates do not contain yet
    block INTEGER PRIMARY KEY REFERENCES block(id)
) STRICT;

CREATE TABLE timing (                 -- one run's epochs behind the warm-up, per call
    run           INTEGER PRIMARY KEY REFERENCES run(id),
    clock         TEXT NOT NULL CHECK (clock IN ('cpu', 'wall')),  -- cpu with one thread
    epochs        INTEGER NOT NULL,
    min_ns        REAL NOT NULL,
    p25_ns        REAL NOT NULL,
    median_ns     REAL NOT NULL,
    flagged_share REAL                -- of epochs that waited or were switched out; NULL: not known
) STRICT;

CREATE TABLE pair_time (              -- two arms in one block, paired round by round
    run_a  INTEGER NOT NULL REFERENCES run(id),
    run_b  INTEGER NOT NULL REFERENCES run(id),
    clock  TEXT NOT NULL CHECK (clock IN ('cpu', 'wall')),
    rounds INTEGER NOT NULL,
    ratio  REAL NOT NULL,             -- exp of the median of ln(time b / time a)
    PRIMARY KEY (run_a, run_b)
) STRICT, WITHOUT ROWID;
CREATE INDEX pair_time_b ON pair_time(run_b);

CREATE TABLE estimate (               -- id: machine, point, code
    id          INTEGER PRIMARY KEY,
    machine     INTEGER NOT NULL REFERENCES machine(id),
    point       INTEGER NOT NULL REFERENCES point(id),
    code        INTEGER NOT NULL REFERENCES code(id),
    newest      INTEGER NOT NULL CHECK (newest IN (0, 1)),
    runs        INTEGER NOT NULL,     -- of whatever outcome: so many tries of this point
    failures    INTEGER NOT NULL,     -- runs whose outcome is not ok
    outcome     TEXT NOT NULL,        -- of the last run
    reason      TEXT NOT NULL,
    measured_at_ms INTEGER NOT NULL,  -- the last run's start
    error_rel   REAL,                 -- the worst of all runs
    clock       TEXT,                 -- from here on NULL where no run was timed
    blocks      INTEGER,
    epochs      INTEGER,
    median_ns   REAL,
    low_ns      REAL,
    high_ns     REAL,
    level       REAL,                 -- confidence reached by [low_ns, high_ns]; 0: no interval yet
    interval    TEXT,                 -- how it was taken: order, range, ...
    min_ns      REAL,
    p25_ns      REAL,
    flagged_share REAL,
    limit_name  TEXT,                 -- "fma" or "memory", whichever binds; NULL: no ceiling known
    limit_ns    REAL,                 -- the least time by the ceilings measured beside the last run
    UNIQUE (machine, point, code)
) STRICT;
CREATE INDEX estimate_point ON estimate(point);
CREATE INDEX estimate_recent ON estimate(measured_at_ms);
CREATE INDEX estimate_former ON estimate(machine, point) WHERE NOT newest;

CREATE TABLE summary (                -- a metric over the ok runs of an estimate
    estimate INTEGER NOT NULL REFERENCES estimate(id),
    quantity INTEGER NOT NULL REFERENCES quantity(id),
    blocks   INTEGER NOT NULL,
    value    REAL NOT NULL,           -- median
    low      REAL NOT NULL,           -- least
    high     REAL NOT NULL,           -- largest
    PRIMARY KEY (estimate, quantity)
) STRICT, WITHOUT ROWID;
CREATE INDEX summary_quantity ON summary(quantity, estimate);

CREATE TABLE ratio (                  -- id: machine, points and codes; point_a < point_b
    id      INTEGER PRIMARY KEY,
    machine INTEGER NOT NULL REFERENCES machine(id),
    point_a INTEGER NOT NULL REFERENCES point(id),
    code_a  INTEGER NOT NULL REFERENCES code(id),
    point_b INTEGER NOT NULL REFERENCES point(id),
    code_b  INTEGER NOT NULL REFERENCES code(id),
    newest  INTEGER NOT NULL CHECK (newest IN (0, 1)),
    clock   TEXT NOT NULL,
    blocks  INTEGER NOT NULL,
    rounds  INTEGER NOT NULL,
    ratio   REAL NOT NULL,            -- time(b) / time(a): above 1, a is faster
    low     REAL,                     -- NULL: no interval yet
    high    REAL,
    level   REAL NOT NULL,
    interval TEXT NOT NULL,
    p_value REAL,                     -- of the verdict: sign test over blocks; NULL: under 6 blocks
    resolution REAL,                  -- the least change that would have been seen, as a share
    epsilon REAL NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('faster', 'slower', 'same', 'inconclusive')),  -- a's
    UNIQUE (machine, point_a, code_a, point_b, code_b)
) STRICT;
CREATE INDEX ratio_a ON ratio(point_a);
CREATE INDEX ratio_b ON ratio(point_b);

-- ---- what papers say, and what we say about it ----------------------------------------------------

CREATE TABLE paper_value (            -- id: the other columns; a line of papers/PAPER/published.csv
    id         INTEGER PRIMARY KEY,
    paper      TEXT NOT NULL,
    table_name TEXT NOT NULL,         -- "fa1-table9"
    series     TEXT NOT NULL,         -- "FlashAttention"
    x          REAL,                  -- NULL: the table has no such axis
    y          REAL,                  -- NULL: the paper prints a dash
    printed    TEXT NOT NULL,         -- y as printed: its last digit says how exact it is
    unit       TEXT NOT NULL,
    setting    TEXT NOT NULL,
    labels     TEXT NOT NULL CHECK (json_valid(labels))   -- all other columns: {"pass":"fwd",...}
) STRICT;
CREATE INDEX paper_value_table ON paper_value(paper, table_name, series);

CREATE TABLE claim (                  -- id: paper, name and content
    id       INTEGER PRIMARY KEY,
    paper    TEXT NOT NULL,
    name     TEXT NOT NULL,           -- "memory-linear": the id in claims.yaml
    position INTEGER NOT NULL,        -- its place in claims.yaml
    place    TEXT NOT NULL,           -- "Table 21"
    says     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    content  TEXT NOT NULL CHECK (json_valid(content)),   -- the whole entry
    current  INTEGER NOT NULL CHECK (current IN (0, 1)),  -- 0: the entry has changed since
    UNIQUE (paper, name, content)
) STRICT;

CREATE TABLE verdict (                -- id: claim, machine, rows_hash, engine and the verdict itself
    id      INTEGER PRIMARY KEY,
    claim   INTEGER NOT NULL REFERENCES claim(id),
    machine INTEGER REFERENCES machine(id),               -- NULL: needs none
    verdict TEXT NOT NULL CHECK (verdict IN ('reproduced', 'partly', 'contradicted', 'inconclusive',
                'under-specified', 'not-testable', 'not-yet-measured')),
    reason  TEXT NOT NULL,
    value   REAL,
    low     REAL,
    high    REAL,
    expected TEXT NOT NULL,
    points  INTEGER NOT NULL,         -- rows of evidence
    rows_hash TEXT NOT NULL,          -- SHA-256 of the rows of evidence
    engine  INTEGER NOT NULL,         -- version of the judge
    judged_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX verdict_claim ON verdict(claim, judged_at_ms);

CREATE TABLE figure (                 -- id: paper, name, query and rows_hash
    id        INTEGER PRIMARY KEY,
    paper     TEXT NOT NULL,
    name      TEXT NOT NULL,
    query     TEXT NOT NULL,
    rows_hash TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    drawn_at_ms INTEGER NOT NULL
) STRICT;
