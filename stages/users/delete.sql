-- A deleted collector has read nothing.
DELETE FROM read_users        r USING deleted_collectors d WHERE d.organization_id = r.organization_id AND d.collector = r.collector;
DELETE FROM read_user_aliases r USING deleted_collectors d WHERE d.organization_id = r.organization_id AND d.collector = r.collector;
DELETE FROM read_collectors   r USING deleted_collectors d WHERE d.organization_id = r.organization_id AND d.collector = r.collector;
