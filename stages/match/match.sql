-- Automatic matching (design section 3), all organizations in one pass.
--
-- In:   match_users      organization_id, object_guid, email_key, first_key, last_key, aliases,
--                        settled; users that are neither linked nor ignored nor unavailable. A
--                        settled one gets no link, but is everybody's rival (contention.sql)
--       match_aliases    organization_id, object_guid, alias_key
--       match_contacts   organization_id, contact_id, first_key, last_key
--       match_emails     organization_id, contact_id, email_key, each once
--       match_linked     organization_id, contact_id of contacts that are linked already
--       match_apart      organization_id, object_guid, contact_id: pairs a person took apart;
--                        these are candidates in no tier, for nobody
-- Out:  match_results    organization_id, object_guid, rule, contact_id | reason; one row a user
--       match_candidates organization_id, object_guid, contact_id: the candidates of the tier
--                        that decided
--
-- A key that is NULL equals nothing, so it never makes a candidate.

------------------------------------------------------------------------------- e-mail tier
CREATE OR REPLACE TEMP TABLE email_pairs AS
SELECT u.organization_id, u.object_guid, e.contact_id, u.settled,
       CASE WHEN u.first_key = c.first_key AND u.last_key = c.last_key THEN 1 ELSE 0 END AS same_name,
       CASE WHEN l.contact_id IS NULL THEN 1 ELSE 0 END                                 AS free
FROM match_users u
JOIN match_emails e   ON e.organization_id = u.organization_id AND e.email_key = u.email_key
JOIN match_contacts c ON c.organization_id = e.organization_id AND c.contact_id = e.contact_id
LEFT JOIN match_linked l ON l.organization_id = e.organization_id AND l.contact_id = e.contact_id
LEFT JOIN match_apart a  ON a.organization_id = u.organization_id AND a.object_guid = u.object_guid
                        AND a.contact_id = e.contact_id
WHERE a.contact_id IS NULL;

-- (a) one free candidate, and nobody else has it as a candidate.
CREATE OR REPLACE TEMP TABLE email_links AS
SELECT p.organization_id, p.object_guid, p.contact_id
FROM email_pairs p
JOIN (SELECT organization_id, object_guid FROM email_pairs
      GROUP BY organization_id, object_guid HAVING sum(free) = 1) u
  ON u.organization_id = p.organization_id AND u.object_guid = p.object_guid
JOIN (SELECT organization_id, contact_id FROM email_pairs
      GROUP BY organization_id, contact_id HAVING count(*) = 1) c
  ON c.organization_id = p.organization_id AND c.contact_id = p.contact_id
WHERE p.free = 1 AND NOT p.settled;

-- (b) of the rest, a pair with equal names that is the only such pair on both sides.
CREATE OR REPLACE TEMP TABLE named_pairs AS
SELECT p.organization_id, p.object_guid, p.contact_id, p.settled
FROM email_pairs p
LEFT JOIN email_links u ON u.organization_id = p.organization_id AND u.object_guid = p.object_guid
LEFT JOIN email_links c ON c.organization_id = p.organization_id AND c.contact_id = p.contact_id
WHERE p.free = 1 AND p.same_name = 1 AND u.object_guid IS NULL AND c.contact_id IS NULL;

CREATE OR REPLACE TEMP TABLE email_name_links AS
SELECT p.organization_id, p.object_guid, p.contact_id
FROM named_pairs p
JOIN (SELECT organization_id, object_guid FROM named_pairs
      GROUP BY organization_id, object_guid HAVING count(*) = 1) u
  ON u.organization_id = p.organization_id AND u.object_guid = p.object_guid
JOIN (SELECT organization_id, contact_id FROM named_pairs
      GROUP BY organization_id, contact_id HAVING count(*) = 1) c
  ON c.organization_id = p.organization_id AND c.contact_id = p.contact_id
WHERE NOT p.settled;

CREATE OR REPLACE TEMP TABLE linked_after_email AS
SELECT organization_id, contact_id FROM match_linked
UNION ALL SELECT organization_id, contact_id FROM email_links
UNION ALL SELECT organization_id, contact_id FROM email_name_links;

-- (c) the rest: contact_taken if every candidate is linked by now, else ambiguous_email.
CREATE OR REPLACE TEMP TABLE email_rest AS
SELECT p.organization_id, p.object_guid,
       CASE WHEN count(*) = count(t.contact_id) THEN 'contact_taken' ELSE 'ambiguous_email' END AS reason
FROM email_pairs p
LEFT JOIN email_links a        ON a.organization_id = p.organization_id AND a.object_guid = p.object_guid
LEFT JOIN email_name_links b   ON b.organization_id = p.organization_id AND b.object_guid = p.object_guid
LEFT JOIN linked_after_email t ON t.organization_id = p.organization_id AND t.contact_id = p.contact_id
WHERE a.object_guid IS NULL AND b.object_guid IS NULL
GROUP BY p.organization_id, p.object_guid;

-------------------------------------------------------------------------------- alias tier
-- Users without an e-mail candidate, where the organization wants it. Contacts claimed by an
-- ambiguous user are not free: they are that user's until a person has looked.
CREATE OR REPLACE TEMP TABLE claimed_by_email AS
SELECT DISTINCT p.organization_id, p.contact_id
FROM email_pairs p
JOIN email_rest r ON r.organization_id = p.organization_id AND r.object_guid = p.object_guid
WHERE r.reason = 'ambiguous_email';

CREATE OR REPLACE TEMP TABLE alias_pairs AS
SELECT DISTINCT u.organization_id, u.object_guid, e.contact_id, u.settled,
       CASE WHEN t.contact_id IS NULL AND k.contact_id IS NULL THEN 1 ELSE 0 END AS free
FROM match_users u
JOIN match_aliases s  ON s.organization_id = u.organization_id AND s.object_guid = u.object_guid
JOIN match_emails e   ON e.organization_id = s.organization_id AND e.email_key = s.alias_key
LEFT JOIN email_pairs p        ON p.organization_id = u.organization_id AND p.object_guid = u.object_guid
LEFT JOIN linked_after_email t ON t.organization_id = e.organization_id AND t.contact_id = e.contact_id
LEFT JOIN claimed_by_email k   ON k.organization_id = e.organization_id AND k.contact_id = e.contact_id
LEFT JOIN match_apart a        ON a.organization_id = u.organization_id AND a.object_guid = u.object_guid
                              AND a.contact_id = e.contact_id
WHERE u.aliases AND p.object_guid IS NULL AND a.contact_id IS NULL;

CREATE OR REPLACE TEMP TABLE alias_links AS
SELECT p.organization_id, p.object_guid, p.contact_id
FROM alias_pairs p
JOIN (SELECT organization_id, object_guid FROM alias_pairs
      GROUP BY organization_id, object_guid HAVING sum(free) = 1) u
  ON u.organization_id = p.organization_id AND u.object_guid = p.object_guid
JOIN (SELECT organization_id, contact_id FROM alias_pairs
      GROUP BY organization_id, contact_id HAVING count(*) = 1) c
  ON c.organization_id = p.organization_id AND c.contact_id = p.contact_id
WHERE p.free = 1 AND NOT p.settled;

CREATE OR REPLACE TEMP TABLE linked_after_alias AS
SELECT organization_id, contact_id FROM linked_after_email
UNION ALL SELECT organization_id, contact_id FROM alias_links;

CREATE OR REPLACE TEMP TABLE alias_rest AS
SELECT p.organization_id, p.object_guid,
       CASE WHEN count(*) = count(t.contact_id) THEN 'contact_taken' ELSE 'ambiguous_email' END AS reason
FROM alias_pairs p
LEFT JOIN alias_links a        ON a.organization_id = p.organization_id AND a.object_guid = p.object_guid
LEFT JOIN linked_after_alias t ON t.organization_id = p.organization_id AND t.contact_id = p.contact_id
WHERE a.object_guid IS NULL
GROUP BY p.organization_id, p.object_guid;

--------------------------------------------------------------------------------- name tier
CREATE OR REPLACE TEMP TABLE claimed AS
SELECT organization_id, contact_id FROM claimed_by_email
UNION
SELECT p.organization_id, p.contact_id
FROM alias_pairs p
JOIN alias_rest r ON r.organization_id = p.organization_id AND r.object_guid = p.object_guid
WHERE r.reason = 'ambiguous_email';

-- Users without a candidate so far, with both names.
CREATE OR REPLACE TEMP TABLE without_candidate AS
SELECT u.*
FROM match_users u
LEFT JOIN (SELECT DISTINCT organization_id, object_guid FROM email_pairs
           UNION SELECT DISTINCT organization_id, object_guid FROM alias_pairs) p
  ON p.organization_id = u.organization_id AND p.object_guid = u.object_guid
WHERE p.object_guid IS NULL;

CREATE OR REPLACE TEMP TABLE name_pairs AS
SELECT u.organization_id, u.object_guid, c.contact_id, u.settled,
       CASE WHEN t.contact_id IS NULL AND k.contact_id IS NULL THEN 1 ELSE 0 END AS free
FROM without_candidate u
JOIN match_contacts c ON c.organization_id = u.organization_id
                     AND c.first_key = u.first_key AND c.last_key = u.last_key
LEFT JOIN linked_after_alias t ON t.organization_id = c.organization_id AND t.contact_id = c.contact_id
LEFT JOIN claimed k            ON k.organization_id = c.organization_id AND k.contact_id = c.contact_id
LEFT JOIN match_apart a        ON a.organization_id = u.organization_id AND a.object_guid = u.object_guid
                              AND a.contact_id = c.contact_id
WHERE a.contact_id IS NULL;

CREATE OR REPLACE TEMP TABLE name_links AS
SELECT p.organization_id, p.object_guid, p.contact_id
FROM name_pairs p
JOIN (SELECT organization_id, object_guid FROM name_pairs
      GROUP BY organization_id, object_guid HAVING sum(free) = 1) u
  ON u.organization_id = p.organization_id AND u.object_guid = p.object_guid
JOIN (SELECT organization_id, contact_id FROM name_pairs
      GROUP BY organization_id, contact_id HAVING count(*) = 1) c
  ON c.organization_id = p.organization_id AND c.contact_id = p.contact_id
WHERE p.free = 1 AND NOT p.settled;

CREATE OR REPLACE TEMP TABLE linked_after_name AS
SELECT organization_id, contact_id FROM linked_after_alias
UNION ALL SELECT organization_id, contact_id FROM name_links;

CREATE OR REPLACE TEMP TABLE name_rest AS
SELECT p.organization_id, p.object_guid,
       CASE WHEN count(*) = count(t.contact_id) THEN 'contact_taken' ELSE 'ambiguous_name' END AS reason
FROM name_pairs p
LEFT JOIN name_links a        ON a.organization_id = p.organization_id AND a.object_guid = p.object_guid
LEFT JOIN linked_after_name t ON t.organization_id = p.organization_id AND t.contact_id = p.contact_id
WHERE a.object_guid IS NULL
GROUP BY p.organization_id, p.object_guid;

------------------------------------------------------------------------------------ result
CREATE OR REPLACE TEMP TABLE match_results AS
SELECT organization_id, object_guid, 'email' AS rule, contact_id, CAST(NULL AS VARCHAR) AS reason FROM email_links
UNION ALL SELECT organization_id, object_guid, 'email_name', contact_id, NULL FROM email_name_links
UNION ALL SELECT organization_id, object_guid, 'alias', contact_id, NULL      FROM alias_links
UNION ALL SELECT organization_id, object_guid, 'name', contact_id, NULL       FROM name_links
UNION ALL SELECT organization_id, object_guid, NULL, NULL, reason FROM email_rest
UNION ALL SELECT organization_id, object_guid, NULL, NULL, reason FROM alias_rest
UNION ALL SELECT organization_id, object_guid, NULL, NULL, reason FROM name_rest
UNION ALL
SELECT u.organization_id, u.object_guid, NULL, NULL,
       CASE WHEN u.email_key IS NULL AND (u.first_key IS NULL OR u.last_key IS NULL)
            THEN 'no_key' ELSE 'no_candidate' END
FROM without_candidate u
LEFT JOIN name_pairs p ON p.organization_id = u.organization_id AND p.object_guid = u.object_guid
WHERE p.object_guid IS NULL;

CREATE OR REPLACE TEMP TABLE match_candidates AS
SELECT organization_id, object_guid, contact_id FROM email_pairs
UNION ALL SELECT organization_id, object_guid, contact_id FROM alias_pairs
UNION ALL SELECT organization_id, object_guid, contact_id FROM name_pairs;
