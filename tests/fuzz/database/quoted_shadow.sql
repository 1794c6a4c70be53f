CREATE VIEW "w_a"";VACUUM INTO 'elsewhere.db';--" AS SELECT 1 AS machine_id
