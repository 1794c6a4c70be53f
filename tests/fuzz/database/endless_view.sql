DROP VIEW v_machine
CREATE VIEW v_machine AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS machine_id, 'a' AS machine, '{}' AS facts FROM c
