-- SPDX-License-Identifier: Apache-2.0
-- the last 200 runs that did not end well, with the reason
SELECT o.outcome, o.reason, o.point, o.started_at, o.experiment
FROM (SELECT id FROM run WHERE outcome <> 'ok' LIMIT 20000) f JOIN v_outcome o ON o.run_id = f.id
ORDER BY o.started_at_ms DESC, o.point LIMIT 200
