-- Every contact that shares a key with the user, by which key, and who has it.
--   $1 organization   $2 user
WITH me AS (
    SELECT organization_id, object_guid, email_key, first_key, last_key
    FROM ad_users WHERE organization_id = $1 AND object_guid = $2
), shared AS (
    SELECT e.contact_id, 1 AS tier, 'the e-mail' AS how
    FROM me JOIN contact_emails e ON e.organization_id = me.organization_id AND e.email_key = me.email_key
    UNION
    SELECT e.contact_id, 2, 'another address'
    FROM me JOIN ad_user_aliases a ON a.organization_id = me.organization_id AND a.object_guid = me.object_guid
            JOIN contact_emails e  ON e.organization_id = a.organization_id AND e.email_key = a.alias_key
    UNION
    SELECT c.contact_id, 3, 'first and last name'
    FROM me JOIN contacts c ON c.organization_id = me.organization_id
                           AND c.first_key = me.first_key AND c.last_key = me.last_key
)
SELECT s.how, s.contact_id,
       COALESCE(TRIM(COALESCE(c.first_name, '') || ' ' || COALESCE(c.last_name, '')), ''),
       COALESCE(m.object_guid, ''),
       COALESCE(m.display_name, ''),
       EXISTS (SELECT 1 FROM separations p WHERE p.organization_id = $1 AND p.object_guid = $2 AND p.contact_id = s.contact_id)
FROM shared s
JOIN contacts c ON c.organization_id = $1 AND c.contact_id = s.contact_id
LEFT JOIN contact_matching m ON m.organization_id = $1 AND m.contact_id = s.contact_id
ORDER BY s.tier, s.contact_id
LIMIT 50
