-- From accounts as collectors saw them to users (design sections 2 and 6).
--
--   read_users      accounts tonight, a row for each collector that saw one
--   ad_users        users as last committed
--   read_logons     what the other domain controllers know of last logons
--   user_matching   their links: an exclusion never applies to a linked user
--
-- Fills next_ad_users, next_ad_user_collectors, next_ad_user_aliases, and user_presence: for each
-- user whether it is 'present', or 'gone'.

-- Users with a link, or with a created contact that has not appeared yet.
CREATE OR REPLACE TEMP TABLE linked_before AS
SELECT organization_id, object_guid
FROM user_matching
WHERE contact_id IS NOT NULL OR contact_key IS NOT NULL;

-- What the record of an account does not say of its last logon: what the other controllers saw,
-- and, where one of them is silent tonight, what was known before. A logon that happened does not
-- unhappen because a controller is switched off.
CREATE OR REPLACE TEMP TABLE known_logons AS
SELECT organization_id, object_guid, last_logon, last_logon_source
FROM (SELECT organization_id, object_guid, last_logon, 'lastLogon' AS last_logon_source
      FROM read_logons
      UNION ALL
      SELECT u.organization_id, u.object_guid, u.last_logon, u.last_logon_source
      FROM ad_users u
      JOIN ad_user_collectors c ON c.organization_id = u.organization_id AND c.object_guid = u.object_guid
      JOIN read_collectors r    ON r.organization_id = c.organization_id AND r.collector = c.collector
      WHERE len(r.silent_controllers) > 0 AND u.last_logon IS NOT NULL)
QUALIFY row_number() OVER (PARTITION BY organization_id, object_guid
                           ORDER BY last_logon DESC, last_logon_source) = 1;

-- What was seen tonight in organizations that were read whole, without excluded accounts.
CREATE OR REPLACE TEMP TABLE seen AS
SELECT r.*
FROM read_users r
JOIN active_organizations a ON a.organization_id = r.organization_id
LEFT JOIN linked_before l   ON l.organization_id = r.organization_id AND l.object_guid = r.object_guid
WHERE r.excluded IS NULL OR l.object_guid IS NOT NULL;

-- The last logon is the latest that anybody saw; of equal ones the precise source is told.
CREATE OR REPLACE TEMP TABLE latest_logons AS
SELECT organization_id, object_guid, last_logon, last_logon_source
FROM (SELECT organization_id, object_guid, last_logon, last_logon_source FROM seen
      UNION ALL
      SELECT organization_id, object_guid, last_logon, last_logon_source FROM known_logons)
WHERE last_logon IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY organization_id, object_guid
                           ORDER BY last_logon DESC, last_logon_source) = 1;

-- Seen by several collectors, a user is one user. The freshest record wins: a readable status
-- before an unreadable one, then the latest change of the entry, then the latest logon in it, then
-- the collector's name, so that the order of reading never matters.
CREATE OR REPLACE TEMP TABLE ranked AS
SELECT s.*, l.last_logon AS latest_logon, l.last_logon_source AS latest_logon_source,
       row_number() OVER (PARTITION BY s.organization_id, s.object_guid
                          ORDER BY CASE WHEN s.ad_status = 'unknown' THEN 1 ELSE 0 END,
                                   CASE WHEN s.when_changed IS NULL THEN 1 ELSE 0 END, s.when_changed DESC,
                                   CASE WHEN s.last_logon IS NULL THEN 1 ELSE 0 END,
                                   s.last_logon DESC, s.collector) AS place
FROM seen s
LEFT JOIN latest_logons l ON l.organization_id = s.organization_id AND l.object_guid = s.object_guid;

INSERT INTO next_ad_users
SELECT organization_id, object_guid, sam_account_name, user_principal_name, distinguished_name,
       first_name, last_name, display_name, title, department, email, email_source, phone,
       ad_status, latest_logon, latest_logon_source, last_password_reset, password_expires,
       password_state, when_created, email_key, first_key, last_key
FROM ranked
WHERE place = 1;

INSERT INTO next_ad_user_collectors
SELECT organization_id, object_guid, collector FROM seen;

INSERT INTO next_ad_user_aliases
SELECT DISTINCT r.organization_id, r.object_guid, r.alias_key
FROM read_user_aliases r
JOIN ranked k ON k.organization_id = r.organization_id AND k.object_guid = r.object_guid
             AND k.collector = r.collector AND k.place = 1;

-- Users of before that nobody saw tonight.
CREATE OR REPLACE TEMP TABLE missing AS
SELECT u.*
FROM ad_users u
JOIN active_organizations a ON a.organization_id = u.organization_id
LEFT JOIN next_ad_users n   ON n.organization_id = u.organization_id AND n.object_guid = u.object_guid
WHERE n.object_guid IS NULL;

-- Those that were seen tonight but are excluded now are no users any more, and leave the list.
CREATE OR REPLACE TEMP TABLE excluded_now AS
SELECT DISTINCT m.organization_id, m.object_guid
FROM missing m
JOIN read_users r ON r.organization_id = m.organization_id AND r.object_guid = m.object_guid;

-- Absence counts only when every collector that had seen the user has read its AD completely.
-- One without credentials, or no longer configured, has not: it vouches for its users still.
CREATE OR REPLACE TEMP TABLE vouched AS
SELECT c.organization_id, c.object_guid, c.collector
FROM ad_user_collectors c
JOIN missing m ON m.organization_id = c.organization_id AND m.object_guid = c.object_guid
LEFT JOIN read_collectors r ON r.organization_id = c.organization_id AND r.collector = c.collector
                           AND r.status = 'complete'
WHERE r.collector IS NULL;

CREATE OR REPLACE TEMP TABLE user_presence AS
SELECT organization_id, object_guid, 'present' AS presence FROM next_ad_users
UNION ALL
SELECT m.organization_id, m.object_guid,
       CASE WHEN EXISTS (SELECT 1 FROM vouched v
                         WHERE v.organization_id = m.organization_id AND v.object_guid = m.object_guid)
            -- Whoever is vouched for stays what it was.
            THEN CASE WHEN EXISTS (SELECT 1 FROM user_matching w
                                   WHERE w.organization_id = m.organization_id AND w.object_guid = m.object_guid
                                     AND w.status = 'unavailable')
                      THEN 'gone' ELSE 'present' END
            ELSE 'gone' END
FROM missing m
LEFT JOIN excluded_now e ON e.organization_id = m.organization_id AND e.object_guid = m.object_guid
WHERE e.object_guid IS NULL;

-- The missing stay as last seen: nothing is deleted.
INSERT INTO next_ad_users
SELECT m.*
FROM missing m
LEFT JOIN excluded_now e ON e.organization_id = m.organization_id AND e.object_guid = m.object_guid
WHERE e.object_guid IS NULL;

-- A missing user that is vouched for is held by those collectors alone; one that is gone keeps
-- the collectors that saw it last.
INSERT INTO next_ad_user_collectors
SELECT v.organization_id, v.object_guid, v.collector
FROM vouched v
LEFT JOIN excluded_now e ON e.organization_id = v.organization_id AND e.object_guid = v.object_guid
WHERE e.object_guid IS NULL
UNION ALL
SELECT c.organization_id, c.object_guid, c.collector
FROM ad_user_collectors c
JOIN missing m           ON m.organization_id = c.organization_id AND m.object_guid = c.object_guid
LEFT JOIN excluded_now e ON e.organization_id = c.organization_id AND e.object_guid = c.object_guid
LEFT JOIN vouched v      ON v.organization_id = c.organization_id AND v.object_guid = c.object_guid
WHERE e.object_guid IS NULL AND v.object_guid IS NULL;

-- A user seen tonight by one collector stays vouched for by another that could not look.
INSERT INTO next_ad_user_collectors
SELECT c.organization_id, c.object_guid, c.collector
FROM ad_user_collectors c
JOIN ranked k ON k.organization_id = c.organization_id AND k.object_guid = c.object_guid AND k.place = 1
LEFT JOIN read_collectors r ON r.organization_id = c.organization_id AND r.collector = c.collector
                           AND r.status = 'complete'
WHERE r.collector IS NULL;

INSERT INTO next_ad_user_aliases
SELECT a.organization_id, a.object_guid, a.alias_key
FROM ad_user_aliases a
JOIN missing m           ON m.organization_id = a.organization_id AND m.object_guid = a.object_guid
LEFT JOIN excluded_now e ON e.organization_id = a.organization_id AND e.object_guid = a.object_guid
WHERE e.object_guid IS NULL;
