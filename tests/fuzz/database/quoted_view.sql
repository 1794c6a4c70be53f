CREATE VIEW "v_a"";ATTACH 'elsewhere.db' AS e;CREATE TABLE e.t(x);--" AS SELECT 1 AS machine_id
UPDATE meta SET value = 'other' WHERE key = 'views'
