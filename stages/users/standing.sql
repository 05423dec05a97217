-- The users as the last run left them, in the place of what the collectors would read: for a run
-- that applies decisions alone. Whoever was gone stays gone.
CREATE OR REPLACE TEMP TABLE deleted_collectors (organization_id BIGINT NOT NULL, collector VARCHAR NOT NULL);

INSERT INTO read_users BY NAME
SELECT u.*, c.collector
FROM ad_users u
JOIN ad_user_collectors c   ON c.organization_id = u.organization_id AND c.object_guid = u.object_guid
JOIN active_organizations a ON a.organization_id = u.organization_id
JOIN user_matching m        ON m.organization_id = u.organization_id AND m.object_guid = u.object_guid
WHERE m.status <> 'unavailable';

INSERT INTO read_user_aliases
SELECT s.organization_id, c.collector, s.object_guid, s.alias_key
FROM ad_user_aliases s
JOIN ad_user_collectors c   ON c.organization_id = s.organization_id AND c.object_guid = s.object_guid
JOIN active_organizations a ON a.organization_id = s.organization_id;

-- Every collector counts as having read what it last had: absence means what it meant then.
INSERT INTO read_collectors BY NAME
SELECT c.organization_id, c.collector, 'complete' AS status, CAST(NULL AS VARCHAR) AS message, c.users_seen,
       CAST([] AS VARCHAR[]) AS controllers, CAST([] AS VARCHAR[]) AS silent_controllers,
       c.certificate_expires
FROM collectors c
WHERE c.status <> 'not_configured';
