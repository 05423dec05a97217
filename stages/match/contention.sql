-- What was ambiguous stays for a person until something about it changes.
--
-- The tiers look at the users and contacts that are free. When one of two rivals gets a link, the
-- other would have no rival the next night, and would be linked on unchanged inputs by what a
-- person was to decide. So the contention that an ambiguous user is in is remembered as a digest:
-- its possible contacts by any key, and for each of these all users that could mean it, linked or
-- not, with what people decided of them. As long as the digest is the same the user is settled,
-- and takes part in the tiers as a rival only.

CREATE OR REPLACE TEMP TABLE contention_pairs AS
SELECT p.organization_id, p.object_guid, p.contact_id
FROM (
    SELECT u.organization_id, u.object_guid, e.contact_id
    FROM next_ad_users u
    JOIN next_contact_emails e ON e.organization_id = u.organization_id AND e.email_key = u.email_key
    UNION
    SELECT a.organization_id, a.object_guid, e.contact_id
    FROM next_ad_user_aliases a
    JOIN read_settings s       ON s.organization_id = a.organization_id AND s.aliases
    JOIN next_contact_emails e ON e.organization_id = a.organization_id AND e.email_key = a.alias_key
    UNION
    SELECT u.organization_id, u.object_guid, c.contact_id
    FROM next_ad_users u
    JOIN next_contacts c ON c.organization_id = u.organization_id
                        AND c.first_key = u.first_key AND c.last_key = u.last_key
) p
LEFT JOIN next_separations s ON s.organization_id = p.organization_id AND s.object_guid = p.object_guid
                            AND s.contact_id = p.contact_id
WHERE s.contact_id IS NULL;

-- Contacts that more than one user could mean, or users that could mean more than one: the rest
-- is never ambiguous and needs no digest.
CREATE OR REPLACE TEMP TABLE contended AS
SELECT p.organization_id, p.object_guid, p.contact_id
FROM contention_pairs p
JOIN (SELECT organization_id, object_guid FROM contention_pairs GROUP BY organization_id, object_guid HAVING count(*) > 1
      UNION
      SELECT p.organization_id, p.object_guid
      FROM contention_pairs p
      JOIN (SELECT organization_id, contact_id FROM contention_pairs
            GROUP BY organization_id, contact_id HAVING count(*) > 1) c
        ON c.organization_id = p.organization_id AND c.contact_id = p.contact_id) u
  ON u.organization_id = p.organization_id AND u.object_guid = p.object_guid;

CREATE OR REPLACE TEMP TABLE contention AS
SELECT p.organization_id, p.object_guid,
       md5(string_agg(p.contact_id || ':' || r.rivals, ',' ORDER BY p.contact_id)) AS digest
FROM contended p
JOIN (SELECT q.organization_id, q.contact_id,
             md5(string_agg(q.object_guid
                            || CASE WHEN w.presence = 'gone' THEN '-' WHEN d.ignored THEN '!' ELSE '' END
                            || COALESCE('=' || m.contact_id, ''), ',' ORDER BY q.object_guid)) AS rivals
      FROM contention_pairs q
      JOIN (SELECT DISTINCT organization_id, contact_id FROM contended) c
        ON c.organization_id = q.organization_id AND c.contact_id = q.contact_id
      LEFT JOIN manual_links m       ON m.organization_id = q.organization_id AND m.object_guid = q.object_guid
      LEFT JOIN user_presence w      ON w.organization_id = q.organization_id AND w.object_guid = q.object_guid
      LEFT JOIN read_decided_users d ON d.organization_id = q.organization_id AND d.object_guid = q.object_guid
      GROUP BY q.organization_id, q.contact_id) r
  ON r.organization_id = p.organization_id AND r.contact_id = p.contact_id
GROUP BY p.organization_id, p.object_guid;
