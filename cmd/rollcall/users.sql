-- The lists: users with their status. A parameter that is NULL does not restrict.
--   $1 status   $2 organization   $3 collector   $4 text in name, e-mail or account
--   $5 decisions that wait for the next run, as JSON
SELECT m.organization_id, m.object_guid, m.display_name, m.email, m.ad_status,
       m.status, m.rule, m.reason, m.contact_id, m.candidates, p.pending
FROM contact_matching m
LEFT JOIN (SELECT organization_id, object_guid, string_agg(words, '; ' ORDER BY place) AS pending
           FROM (SELECT unnest(from_json($5::VARCHAR, '[{"organization_id":"BIGINT","object_guid":"VARCHAR","place":"BIGINT","words":"VARCHAR"}]'), recursive := true))
           GROUP BY ALL) p ON p.organization_id = m.organization_id AND p.object_guid = m.object_guid
JOIN ad_users u ON u.organization_id = m.organization_id AND u.object_guid = m.object_guid
WHERE ($1::VARCHAR IS NULL OR m.status = $1)
  AND ($2::BIGINT  IS NULL OR m.organization_id = $2)
  AND ($3::VARCHAR IS NULL OR EXISTS (SELECT 1 FROM ad_user_collectors c
                                      WHERE c.organization_id = m.organization_id
                                        AND c.object_guid = m.object_guid AND c.collector = $3))
  AND ($4::VARCHAR IS NULL
       OR contains(lower(COALESCE(m.display_name, '')), lower($4))
       OR contains(lower(COALESCE(m.email, '')), lower($4))
       OR contains(lower(COALESCE(u.sam_account_name, '')), lower($4))
       OR contains(lower(COALESCE(u.user_principal_name, '')), lower($4)))
ORDER BY m.organization_id, m.display_name, m.object_guid
