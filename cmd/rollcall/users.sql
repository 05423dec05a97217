-- The lists: users with their status and, of an unmatched one, why each candidate is one. A
-- parameter that is NULL does not restrict.
--   $1 status   $2 organization   $3 collector   $4 text in name, e-mail or account   $5 reason
--   $6 decisions that wait for the next run, as JSON
WITH waiting AS (
    SELECT organization_id, object_guid, string_agg(words, '; ' ORDER BY place) AS pending
    FROM (SELECT unnest(from_json($6::VARCHAR, '[{"organization_id":"BIGINT","object_guid":"VARCHAR","place":"BIGINT","words":"VARCHAR"}]'), recursive := true))
    GROUP BY ALL
), listed AS (
    SELECT m.*, u.email_key, u.first_key, u.last_key
    FROM contact_matching m
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
      AND ($5::VARCHAR IS NULL OR m.reason = $5)
), candidates AS (
    SELECT k.organization_id, k.object_guid,
           string_agg(k.contact_id || ' ' || TRIM(COALESCE(c.first_name, '') || ' ' || COALESCE(c.last_name, ''))
                      || ': ' || concat_ws(' and ',
                             CASE WHEN e.contact_id IS NOT NULL THEN 'e-mail' END,
                             CASE WHEN a.contact_id IS NOT NULL THEN 'another address' END,
                             CASE WHEN c.first_key = k.first_key AND c.last_key = k.last_key THEN 'names' END)
                      || CASE WHEN h.object_guid IS NULL THEN ', free' ELSE ', linked to ' || COALESCE(h.display_name, h.object_guid) END,
                      '; ' ORDER BY k.contact_id) AS why
    FROM (SELECT organization_id, object_guid, email_key, first_key, last_key, unnest(candidates) AS contact_id
          FROM listed WHERE status = 'unmatched') k
    JOIN contacts c ON c.organization_id = k.organization_id AND c.contact_id = k.contact_id
    LEFT JOIN (SELECT DISTINCT organization_id, contact_id, email_key FROM contact_emails) e
           ON e.organization_id = k.organization_id AND e.contact_id = k.contact_id AND e.email_key = k.email_key
    LEFT JOIN (SELECT DISTINCT p.organization_id, p.object_guid, q.contact_id
               FROM ad_user_aliases p
               JOIN contact_emails q ON q.organization_id = p.organization_id AND q.email_key = p.alias_key) a
           ON a.organization_id = k.organization_id AND a.object_guid = k.object_guid AND a.contact_id = k.contact_id
    LEFT JOIN contact_matching h ON h.organization_id = k.organization_id AND h.contact_id = k.contact_id
    GROUP BY ALL
)
SELECT l.organization_id, l.object_guid, l.display_name, l.email, l.ad_status,
       l.status, l.rule, l.reason, l.contact_id, l.candidates, c.why, w.pending
FROM listed l
LEFT JOIN candidates c ON c.organization_id = l.organization_id AND c.object_guid = l.object_guid
LEFT JOIN waiting w    ON w.organization_id = l.organization_id AND w.object_guid = l.object_guid
