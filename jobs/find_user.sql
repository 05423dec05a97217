-- The users that a person may mean: by GUID, or by UPN or account name in one organization, and
-- how they stand.
--   $1 the user   $2 organization, or NULL
SELECT m.organization_id, m.object_guid, COALESCE(m.display_name, ''), m.status, m.contact_id, COALESCE(m.contact_key, '')
FROM contact_matching m
JOIN ad_users u ON u.organization_id = m.organization_id AND u.object_guid = m.object_guid
WHERE ($2::BIGINT IS NULL OR m.organization_id = $2)
  AND (m.object_guid = lower($1)
       OR ($2::BIGINT IS NOT NULL
           AND (lower(u.user_principal_name) = lower($1) OR lower(u.sam_account_name) = lower($1))))
ORDER BY m.organization_id, m.object_guid
LIMIT 2
