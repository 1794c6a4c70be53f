-- SPDX-License-Identifier: Apache-2.0
-- What differs between two sides, ?1 to ?3 and ?4 to ?6: machine, session, revision; 0 or '': any.
-- Each fact with all values that a side's blocks saw, so that nothing is hidden by an average.
WITH used AS (
    SELECT 1 AS side, s.id AS session, s.machine, u.id AS build FROM session s JOIN build u
    WHERE (?1 = 0 OR s.machine = ?1) AND (?2 = 0 OR s.id = ?2) AND (?3 = '' OR u.revision = ?3)
          AND EXISTS (SELECT 1 FROM block WHERE session = s.id AND build = u.id)
    UNION ALL SELECT 2, s.id, s.machine, u.id FROM session s JOIN build u
    WHERE (?4 = 0 OR s.machine = ?4) AND (?5 = 0 OR s.id = ?5) AND (?6 = '' OR u.revision = ?6)
          AND EXISTS (SELECT 1 FROM block WHERE session = s.id AND build = u.id)),
facts AS (
    SELECT side, 1 AS place, 'machine' AS name, alias AS value FROM used JOIN machine m ON m.id = machine
    UNION SELECT side, 2, f.name, f.value FROM used u JOIN machine_fact f ON f.machine = u.machine
    UNION SELECT side, 3, 'revision', revision || iif(dirty, ', changed', '') FROM used u JOIN build b ON b.id = u.build
    UNION SELECT side, 3, 'compiler', compiler FROM used u JOIN build b ON b.id = u.build
    UNION SELECT side, 3, 'flags', flags FROM used u JOIN build b ON b.id = u.build
    UNION SELECT side, 4, f.name, coalesce(f.value, 'unavailable: ' || f.reason) FROM used u
    JOIN session_fact f ON f.session = u.session AND f.name <> 'schedstat'),   -- raw counters always differ
listed AS (SELECT side, place, name, group_concat(value, ' | ') AS value
    FROM (SELECT * FROM facts ORDER BY value) GROUP BY side, place, name)
SELECT name, max(value) FILTER (WHERE side = 1) AS a, max(value) FILTER (WHERE side = 2) AS b
FROM listed GROUP BY place, name HAVING a IS NOT b ORDER BY place, name
