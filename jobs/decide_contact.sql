-- A contact by its id, wherever it is, and who is linked to it.
--   $1 contact   $2 organization, listed first
SELECT c.organization_id,
       TRIM(COALESCE(c.first_name, '') || ' ' || COALESCE(c.last_name, '')),
       COALESCE(m.object_guid, ''), COALESCE(m.display_name, '')
FROM contacts c
LEFT JOIN contact_matching m ON m.organization_id = c.organization_id AND m.contact_id = c.contact_id
WHERE c.contact_id = $1
ORDER BY c.organization_id <> $2, c.organization_id
LIMIT 1
