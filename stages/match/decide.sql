-- From links and the tiers' results to the status of every user (design section 2), and to the
-- creations that follow from it (section 5). Fills next_user_matching and next_creations.

CREATE OR REPLACE TEMP TABLE tiers AS
SELECT organization_id, object_guid, rule, contact_id, contact_key, created_run_id, waiting_runs,
       CAST(NULL AS VARCHAR) AS reason
FROM links
UNION ALL
SELECT organization_id, object_guid, rule, contact_id, NULL, NULL, 0, reason
FROM match_results;

-- How a user's last link ended is remembered until another replaces it.
CREATE OR REPLACE TEMP TABLE losses AS
SELECT organization_id, object_guid, lost_link
FROM (SELECT COALESCE(e.organization_id, m.organization_id) AS organization_id,
             COALESCE(e.object_guid, m.object_guid)         AS object_guid,
             CASE WHEN e.object_guid IS NOT NULL THEN e.lost_link ELSE m.lost_link END AS lost_link
      FROM user_matching m
      FULL OUTER JOIN ended e ON e.organization_id = m.organization_id AND e.object_guid = m.object_guid) x
WHERE lost_link IS NOT NULL;

CREATE OR REPLACE TEMP TABLE statuses AS
SELECT u.organization_id, u.object_guid,
       CASE WHEN d.ignored THEN 'ignored'
            WHEN p.presence = 'gone' THEN 'unavailable'
            WHEN t.rule IS NOT NULL THEN 'matched'
            ELSE 'unmatched' END AS status,
       CASE WHEN d.ignored THEN NULL ELSE t.rule END           AS rule,
       CASE WHEN d.ignored THEN NULL ELSE t.contact_id END     AS contact_id,
       CASE WHEN d.ignored THEN NULL ELSE t.contact_key END    AS contact_key,
       CASE WHEN d.ignored THEN NULL ELSE t.created_run_id END AS created_run_id,
       COALESCE(t.waiting_runs, 0)                             AS waiting_runs,
       CASE WHEN d.ignored OR p.presence = 'gone' OR t.rule IS NOT NULL THEN NULL
            ELSE COALESCE(l.lost_link,
                          CASE WHEN h.object_guid IS NOT NULL THEN 'unmatched_by_hand' END,
                          t.reason) END                        AS reason,
       CASE WHEN t.reason IN ('ambiguous_email', 'ambiguous_name') THEN c.digest END AS ambiguity,
       CASE WHEN t.rule IS NULL THEN l.lost_link END           AS lost_link,
       d.create_decision,
       d.decided_by
FROM next_ad_users u
JOIN user_presence p           ON p.organization_id = u.organization_id AND p.object_guid = u.object_guid
LEFT JOIN tiers t              ON t.organization_id = u.organization_id AND t.object_guid = u.object_guid
LEFT JOIN losses l             ON l.organization_id = u.organization_id AND l.object_guid = u.object_guid
LEFT JOIN read_decided_users d ON d.organization_id = u.organization_id AND d.object_guid = u.object_guid
LEFT JOIN contention c         ON c.organization_id = u.organization_id AND c.object_guid = u.object_guid
LEFT JOIN (SELECT DISTINCT organization_id, object_guid FROM next_separations) h
                               ON h.organization_id = u.organization_id AND h.object_guid = u.object_guid;

-- Creations of tonight: a person asked for it, or the policy does. Each decision and each user
-- under the policy counts once, for good; and a contact that is gone is never created again by a
-- decision from before that was known.
CREATE OR REPLACE TEMP TABLE new_creations AS
SELECT s.organization_id, s.object_guid, 'rollcall-' || s.object_guid AS contact_key, s.create_decision AS decision_id
FROM statuses s
JOIN read_settings o ON o.organization_id = s.organization_id
WHERE s.status = 'unmatched'
  AND (   (o.create_policy IN ('approved', 'all') AND s.create_decision IS NOT NULL
           AND (s.reason <> 'contact_deleted'
                OR NOT EXISTS (SELECT 1 FROM decisions d WHERE d.decision_id = s.create_decision))
           AND NOT EXISTS (SELECT 1 FROM creations c WHERE c.organization_id = s.organization_id
                             AND c.object_guid = s.object_guid AND c.decision_id = s.create_decision))
       OR (o.create_policy = 'all' AND s.reason = 'no_candidate'
           AND NOT EXISTS (SELECT 1 FROM creations c WHERE c.organization_id = s.organization_id
                             AND c.object_guid = s.object_guid)));

INSERT INTO next_creations
SELECT c.organization_id, c.object_guid, c.contact_key, c.run_id, c.decision_id
FROM creations c
JOIN active_organizations a ON a.organization_id = c.organization_id
UNION ALL
SELECT n.organization_id, n.object_guid, n.contact_key, x.run_id, n.decision_id
FROM new_creations n CROSS JOIN run_context x;

-- A creation whose decision was undone and stands again goes on waiting for its contact.
CREATE OR REPLACE TEMP TABLE revived AS
SELECT s.organization_id, s.object_guid, max(c.contact_key) AS contact_key, max(c.run_id) AS run_id
FROM statuses s
JOIN creations c ON c.organization_id = s.organization_id AND c.object_guid = s.object_guid
                AND c.decision_id = s.create_decision
WHERE s.status = 'unmatched' AND s.reason <> 'contact_deleted'
GROUP BY s.organization_id, s.object_guid;

CREATE OR REPLACE TEMP TABLE emitted AS
SELECT n.organization_id, n.object_guid, n.contact_key, x.run_id FROM new_creations n CROSS JOIN run_context x
UNION ALL
SELECT organization_id, object_guid, contact_key, run_id FROM revived;

CREATE OR REPLACE TEMP TABLE candidate_lists AS
SELECT organization_id, object_guid, list(contact_id ORDER BY contact_id) AS candidates
FROM (SELECT organization_id, object_guid, contact_id,
             row_number() OVER (PARTITION BY organization_id, object_guid ORDER BY contact_id) AS place
      FROM match_candidates)
WHERE place <= 20
GROUP BY organization_id, object_guid;

CREATE OR REPLACE TEMP TABLE decided AS
SELECT s.organization_id, s.object_guid,
       CASE WHEN n.object_guid IS NOT NULL THEN 'matched' ELSE s.status END AS status,
       CASE WHEN n.object_guid IS NOT NULL THEN 'created' ELSE s.rule END   AS rule,
       CASE WHEN n.object_guid IS NOT NULL THEN NULL ELSE s.reason END      AS reason,
       s.contact_id,
       COALESCE(n.contact_key, s.contact_key)                               AS contact_key,
       CASE WHEN n.object_guid IS NOT NULL THEN NULL ELSE s.lost_link END   AS lost_link,
       CASE WHEN n.object_guid IS NOT NULL THEN NULL ELSE s.ambiguity END   AS ambiguity,
       COALESCE(n.run_id, s.created_run_id)                                 AS created_run_id,
       s.waiting_runs,
       s.decided_by,
       k.decision_id AS creation_decision
FROM statuses s
LEFT JOIN emitted n        ON n.organization_id = s.organization_id AND n.object_guid = s.object_guid
LEFT JOIN next_creations k ON k.organization_id = s.organization_id AND k.object_guid = s.object_guid
                          AND k.run_id = COALESCE(n.run_id, s.created_run_id);

INSERT INTO next_user_matching
SELECT d.organization_id, d.object_guid, d.status, d.rule, d.reason, d.contact_id, d.contact_key,
       CASE WHEN m.object_guid IS NOT NULL
             AND m.status = d.status
             AND m.rule IS NOT DISTINCT FROM d.rule
             AND m.reason IS NOT DISTINCT FROM d.reason
             AND m.contact_id IS NOT DISTINCT FROM d.contact_id
             AND m.contact_key IS NOT DISTINCT FROM d.contact_key
            THEN m.since_run_id ELSE x.run_id END,
       CASE WHEN d.status = 'ignored' OR d.rule = 'manual' OR d.reason = 'unmatched_by_hand'
              OR d.creation_decision IS NOT NULL
            THEN d.decided_by END,
       CASE WHEN d.status = 'unmatched' THEN l.candidates END,
       d.lost_link, d.ambiguity, d.created_run_id, d.waiting_runs
FROM decided d
CROSS JOIN run_context x
LEFT JOIN user_matching m   ON m.organization_id = d.organization_id AND m.object_guid = d.object_guid
LEFT JOIN candidate_lists l ON l.organization_id = d.organization_id AND l.object_guid = d.object_guid;

-- At most one link on either side: this must stay empty.
CREATE OR REPLACE TEMP TABLE broken_links AS
SELECT organization_id, contact_id FROM next_user_matching
WHERE contact_id IS NOT NULL
GROUP BY organization_id, contact_id HAVING count(*) > 1;
