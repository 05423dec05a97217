-- How each organization fared: counts of what stands after the run, which is the old state for
-- an organization that was left as it was, and a message for a person.
CREATE OR REPLACE TEMP TABLE standing_users AS
SELECT organization_id, status FROM next_user_matching
WHERE organization_id IN (SELECT organization_id FROM active_organizations)
UNION ALL
SELECT organization_id, status FROM user_matching
WHERE organization_id NOT IN (SELECT organization_id FROM active_organizations);

CREATE OR REPLACE TEMP TABLE standing_contacts AS
SELECT organization_id FROM next_contacts
WHERE organization_id IN (SELECT organization_id FROM active_organizations)
UNION ALL
SELECT organization_id FROM contacts
WHERE organization_id NOT IN (SELECT organization_id FROM active_organizations);

-- What a person should know although nothing failed.
CREATE OR REPLACE TEMP TABLE remarks AS
SELECT organization_id, 'collector ' || collector || ': ' || message AS remark
FROM read_collectors
WHERE status <> 'failed' AND message IS NOT NULL
UNION ALL
SELECT c.organization_id, 'collector ' || c.collector || ': ' || c.message
FROM next_collectors c
JOIN verdicts v ON v.organization_id = c.organization_id
WHERE c.status = 'not_configured'
UNION ALL
SELECT organization_id,
       count(*) || ' created contacts have not appeared after 3 runs: check the import of the creations'
FROM next_user_matching
WHERE waiting_runs >= 3 AND organization_id IN (SELECT organization_id FROM active_organizations)
GROUP BY organization_id
UNION ALL
SELECT d.organization_id, count(*) || ' decisions concern users who are not on the list'
FROM read_decided_users d
JOIN active_organizations a ON a.organization_id = d.organization_id
LEFT JOIN next_ad_users u   ON u.organization_id = d.organization_id AND u.object_guid = d.object_guid
WHERE u.object_guid IS NULL
GROUP BY d.organization_id;

-- An organization that is left as it was keeps the count and run of each collector's last read
-- that counted; how tonight's read went is told all the same.
UPDATE next_collectors
SET users_seen  = COALESCE((SELECT c.users_seen FROM collectors c
                            WHERE c.organization_id = next_collectors.organization_id AND c.collector = next_collectors.collector), 0),
    last_run_id = (SELECT c.last_run_id FROM collectors c
                   WHERE c.organization_id = next_collectors.organization_id AND c.collector = next_collectors.collector)
WHERE organization_id NOT IN (SELECT organization_id FROM active_organizations);

-- What was read and is no user. An account that several collectors saw counts once.
CREATE OR REPLACE TEMP TABLE excluded_accounts AS
SELECT r.organization_id, r.object_guid, min(r.excluded) AS reason
FROM read_users r
JOIN active_organizations a ON a.organization_id = r.organization_id
LEFT JOIN next_ad_users u   ON u.organization_id = r.organization_id AND u.object_guid = r.object_guid
WHERE r.excluded IS NOT NULL AND u.object_guid IS NULL
GROUP BY r.organization_id, r.object_guid;

INSERT INTO next_run_organizations
SELECT x.run_id, v.organization_id, v.status,
       (SELECT count(*) FROM standing_users u WHERE u.organization_id = v.organization_id AND u.status <> 'unavailable'),
       (SELECT count(*) FROM standing_contacts c WHERE c.organization_id = v.organization_id),
       (SELECT count(*) FROM standing_users u WHERE u.organization_id = v.organization_id AND u.status = 'matched'),
       (SELECT count(*) FROM standing_users u WHERE u.organization_id = v.organization_id AND u.status = 'unmatched'),
       (SELECT count(*) FROM standing_users u WHERE u.organization_id = v.organization_id AND u.status = 'ignored'),
       (SELECT count(*) FROM standing_users u WHERE u.organization_id = v.organization_id AND u.status = 'unavailable'),
       CASE WHEN v.status = 'succeeded' THEN COALESCE(e.accounts, 0) END, e.reasons,
       NULLIF(concat_ws('; ', v.message, r.remarks), '')
FROM verdicts v
LEFT JOIN (SELECT organization_id, string_agg(remark, '; ' ORDER BY remark) AS remarks
           FROM remarks GROUP BY organization_id) r ON r.organization_id = v.organization_id
LEFT JOIN (SELECT organization_id, CAST(sum(accounts) AS BIGINT) AS accounts,
                  string_agg(reason || ' ' || accounts, ', ' ORDER BY reason) AS reasons
           FROM (SELECT organization_id, reason, count(*) AS accounts FROM excluded_accounts GROUP BY ALL)
           GROUP BY organization_id) e ON e.organization_id = v.organization_id
CROSS JOIN run_context x;

-- A decision is applied once a run has worked on its organization: one on an organization that is
-- left as it was waits for the next run, as if tonight had not read it.
DELETE FROM next_decisions
WHERE organization_id IN (SELECT organization_id FROM verdicts WHERE status <> 'succeeded')
  AND decision_id NOT IN (SELECT decision_id FROM decisions);
