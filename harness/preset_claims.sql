-- SPDX-License-Identifier: Apache-2.0
-- every claim, with its latest verdict
SELECT paper, id, verdict, round(value, 4) AS value, round(low, 4) AS low, round(high, 4) AS high, expected,
       points, place, says FROM v_claim ORDER BY paper, position
