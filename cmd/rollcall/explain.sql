-- What `rollcall explain` tells of a user.
--   $1 organization   $2 user
SELECT u.organization_id, u.object_guid, COALESCE(m.display_name, ''), COALESCE(u.email, ''), COALESCE(u.email_source, ''),
       COALESCE(u.email_key, ''), COALESCE(u.first_key, ''), COALESCE(u.last_key, ''), u.ad_status,
       m.status, COALESCE(m.rule, ''), COALESCE(m.reason, ''), m.contact_id, COALESCE(m.contact_key, ''),
       m.since_run_id, COALESCE(m.decided_by, ''),
       (SELECT string_agg(c.collector, ', ' ORDER BY c.collector) FROM ad_user_collectors c
        WHERE c.organization_id = u.organization_id AND c.object_guid = u.object_guid)
FROM ad_users u
JOIN contact_matching m ON m.organization_id = u.organization_id AND m.object_guid = u.object_guid
WHERE u.organization_id = $1 AND u.object_guid = $2
