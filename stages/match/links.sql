-- What stands before any automatic matching (design sections 1 to 3): links of former nights,
-- what people decided, and created contacts that have appeared.
--
-- Out:  links   organization_id, object_guid, rule, contact_id, contact_key, created_run_id,
--               waiting_runs
--       ended   organization_id, object_guid, lost_link: links that end tonight, and how

-- Pairs that a person took apart. An unmatch that names no contact means the one that the user
-- was linked to when it was first applied; an undone one is gone.
INSERT INTO next_separations
SELECT r.decision_id, r.organization_id, r.object_guid,
       CASE WHEN s.decision_id IS NOT NULL THEN s.contact_id
            ELSE COALESCE(r.contact_id, m.contact_id) END
FROM read_separations r
JOIN active_organizations a ON a.organization_id = r.organization_id
LEFT JOIN separations s     ON s.decision_id = r.decision_id
LEFT JOIN user_matching m   ON m.organization_id = r.organization_id AND m.object_guid = r.object_guid;

-- Manual links whose contact exists. Of two users matched to one contact the later decision wins.
CREATE OR REPLACE TEMP TABLE manual_links AS
SELECT organization_id, object_guid, contact_id
FROM (SELECT d.organization_id, d.object_guid, d.contact_id,
             row_number() OVER (PARTITION BY d.organization_id, d.contact_id ORDER BY d.position DESC) AS place
      FROM read_decided_users d
      JOIN next_ad_users u ON u.organization_id = d.organization_id AND u.object_guid = d.object_guid
      JOIN next_contacts c ON c.organization_id = d.organization_id AND c.contact_id = d.contact_id
      WHERE NOT d.ignored)
WHERE place = 1;

-- Every former link, with what may end it.
CREATE OR REPLACE TEMP TABLE former_links AS
SELECT m.organization_id, m.object_guid, m.rule, m.contact_id, m.contact_key, m.created_run_id, m.waiting_runs,
       CASE
           -- Ignored: the link is dropped, and not missed.
           WHEN d.ignored THEN 'ignored'
           -- Matched by hand: that link replaces it.
           WHEN own.contact_id IS NOT NULL THEN 'replaced'
           -- Its contact went to someone else by hand.
           WHEN taken.contact_id IS NOT NULL THEN 'contact_taken'
           -- Taken apart by hand.
           WHEN apart.contact_id IS NOT NULL THEN 'unmatched_by_hand'
           -- The contact is gone.
           WHEN m.contact_id IS NOT NULL AND c.contact_id IS NULL THEN 'contact_deleted'
           -- A manual link whose decision was undone, or has lost its contact to a later one.
           WHEN m.rule = 'manual' AND d.contact_id IS NOT NULL THEN 'contact_taken'
           WHEN m.rule = 'manual' THEN 'undone'
           -- A creation by decision that was undone or unmatched.
           WHEN m.rule = 'created' AND k.decision_id IS NOT NULL AND d.create_decision IS NULL
               THEN 'undone'
       END AS ending
FROM user_matching m
JOIN next_ad_users u ON u.organization_id = m.organization_id AND u.object_guid = m.object_guid
LEFT JOIN next_contacts c       ON c.organization_id = m.organization_id AND c.contact_id = m.contact_id
LEFT JOIN read_decided_users d  ON d.organization_id = m.organization_id AND d.object_guid = m.object_guid
LEFT JOIN manual_links own      ON own.organization_id = m.organization_id AND own.object_guid = m.object_guid
LEFT JOIN manual_links taken    ON taken.organization_id = m.organization_id AND taken.contact_id = m.contact_id
                               AND taken.object_guid <> m.object_guid
LEFT JOIN (SELECT DISTINCT organization_id, object_guid, contact_id FROM next_separations) apart
                                ON apart.organization_id = m.organization_id AND apart.object_guid = m.object_guid
                               AND apart.contact_id = m.contact_id
LEFT JOIN creations k           ON k.organization_id = m.organization_id AND k.object_guid = m.object_guid
                               AND k.run_id = m.created_run_id
WHERE m.contact_id IS NOT NULL OR m.contact_key IS NOT NULL;

CREATE OR REPLACE TEMP TABLE ended AS
SELECT organization_id, object_guid,
       CASE WHEN ending IN ('contact_taken', 'contact_deleted') THEN ending END AS lost_link
FROM former_links WHERE ending IS NOT NULL;

CREATE OR REPLACE TEMP TABLE standing_links AS
SELECT organization_id, object_guid, 'manual' AS rule, contact_id,
       CAST(NULL AS VARCHAR) AS contact_key, CAST(NULL AS VARCHAR) AS created_run_id, 0 AS waiting_runs
FROM manual_links
UNION ALL
SELECT organization_id, object_guid, rule, contact_id, contact_key, created_run_id, waiting_runs
FROM former_links WHERE ending IS NULL;

-- Created contacts that have appeared: by external key, else by e-mail, else by names. Only a
-- contact that was not there when the creation was emitted can be the created one, and only if
-- the pair is the only such pair on both sides.
CREATE OR REPLACE TEMP TABLE waiting AS
SELECT p.organization_id, p.object_guid, p.contact_key, p.created_run_id, u.email_key, u.first_key, u.last_key
FROM standing_links p
JOIN next_ad_users u ON u.organization_id = p.organization_id AND u.object_guid = p.object_guid
WHERE p.rule = 'created' AND p.contact_id IS NULL;

-- A contact that carries a user's key was created for that user, even if the store was lost
-- meanwhile and remembers no creation.
CREATE OR REPLACE TEMP TABLE key_holders AS
SELECT organization_id, object_guid, contact_key FROM waiting
UNION ALL
SELECT u.organization_id, u.object_guid, 'rollcall-' || u.object_guid
FROM next_ad_users u
JOIN user_presence p ON p.organization_id = u.organization_id AND p.object_guid = u.object_guid AND p.presence = 'present'
LEFT JOIN standing_links l     ON l.organization_id = u.organization_id AND l.object_guid = u.object_guid
LEFT JOIN read_decided_users d ON d.organization_id = u.organization_id AND d.object_guid = u.object_guid AND d.ignored
WHERE l.object_guid IS NULL AND d.object_guid IS NULL;

-- Contacts that nobody is linked to. One that carries a key of rollcall's is for that user alone.
CREATE OR REPLACE TEMP TABLE unlinked AS
SELECT c.organization_id, c.contact_id, c.external_key, c.first_key, c.last_key, c.first_seen_run_id,
       COALESCE(c.external_key LIKE 'rollcall-%', false) AS is_ours
FROM next_contacts c
LEFT JOIN standing_links l ON l.organization_id = c.organization_id AND l.contact_id = c.contact_id
WHERE l.contact_id IS NULL;

-- Contacts whose e-mail is a user's own: a namesake has no claim on them.
CREATE OR REPLACE TEMP TABLE mailed AS
SELECT DISTINCT e.organization_id, e.contact_id, u.object_guid
FROM next_contact_emails e
JOIN unlinked c      ON c.organization_id = e.organization_id AND c.contact_id = e.contact_id
JOIN next_ad_users u ON u.organization_id = e.organization_id AND u.email_key = e.email_key;

CREATE OR REPLACE TEMP TABLE appeared_pairs AS
SELECT f.organization_id, f.object_guid, f.contact_id, min(f.step) AS step
FROM (SELECT k.organization_id, k.object_guid, c.contact_id, 1 AS step
      FROM key_holders k
      JOIN unlinked c ON c.organization_id = k.organization_id AND c.external_key = k.contact_key
      -- A key on several contacts tells nothing, whoever these are linked to.
      JOIN (SELECT organization_id, external_key FROM next_contacts
            GROUP BY organization_id, external_key HAVING count(*) = 1) one
        ON one.organization_id = c.organization_id AND one.external_key = c.external_key
      UNION ALL
      SELECT w.organization_id, w.object_guid, c.contact_id, 2
      FROM waiting w
      JOIN next_contact_emails e ON e.organization_id = w.organization_id AND e.email_key = w.email_key
      JOIN unlinked c ON c.organization_id = e.organization_id AND c.contact_id = e.contact_id
                     AND c.first_seen_run_id > w.created_run_id
      WHERE NOT c.is_ours
      UNION ALL
      SELECT w.organization_id, w.object_guid, c.contact_id, 3
      FROM waiting w
      JOIN unlinked c ON c.organization_id = w.organization_id AND c.first_key = w.first_key
                     AND c.last_key = w.last_key AND c.first_seen_run_id > w.created_run_id
      LEFT JOIN mailed m ON m.organization_id = c.organization_id AND m.contact_id = c.contact_id
      WHERE NOT c.is_ours AND m.contact_id IS NULL) f
LEFT JOIN next_separations s ON s.organization_id = f.organization_id AND s.object_guid = f.object_guid
                            AND s.contact_id = f.contact_id
WHERE s.contact_id IS NULL
GROUP BY f.organization_id, f.object_guid, f.contact_id;

CREATE OR REPLACE TEMP TABLE appeared AS
SELECT p.organization_id, p.object_guid, p.contact_id
FROM appeared_pairs p
-- The first step that yields a candidate decides, for the user and for the contact.
JOIN (SELECT organization_id, object_guid, min(step) AS step FROM appeared_pairs
      GROUP BY organization_id, object_guid) u
  ON u.organization_id = p.organization_id AND u.object_guid = p.object_guid AND u.step = p.step
JOIN (SELECT organization_id, contact_id, min(step) AS step FROM appeared_pairs
      GROUP BY organization_id, contact_id) c
  ON c.organization_id = p.organization_id AND c.contact_id = p.contact_id AND c.step = p.step
JOIN (SELECT organization_id, object_guid, step FROM appeared_pairs
      GROUP BY organization_id, object_guid, step HAVING count(*) = 1) one_contact
  ON one_contact.organization_id = p.organization_id AND one_contact.object_guid = p.object_guid AND one_contact.step = p.step
JOIN (SELECT organization_id, contact_id, step FROM appeared_pairs
      GROUP BY organization_id, contact_id, step HAVING count(*) = 1) one_user
  ON one_user.organization_id = p.organization_id AND one_user.contact_id = p.contact_id AND one_user.step = p.step;

CREATE OR REPLACE TEMP TABLE links AS
SELECT s.organization_id, s.object_guid, s.rule, COALESCE(s.contact_id, a.contact_id) AS contact_id,
       s.contact_key, s.created_run_id,
       CASE WHEN s.rule = 'created' AND s.contact_id IS NULL AND a.contact_id IS NULL
            THEN s.waiting_runs + 1 ELSE 0 END AS waiting_runs
FROM standing_links s
LEFT JOIN appeared a ON a.organization_id = s.organization_id AND a.object_guid = s.object_guid
UNION ALL
SELECT a.organization_id, a.object_guid, 'created', a.contact_id, k.contact_key, NULL, 0
FROM appeared a
JOIN key_holders k         ON k.organization_id = a.organization_id AND k.object_guid = a.object_guid
LEFT JOIN standing_links s ON s.organization_id = a.organization_id AND s.object_guid = a.object_guid
WHERE s.object_guid IS NULL;
