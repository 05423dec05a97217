-- The Contact Matching page: every user with its status and, if there is one, its link.
SELECT
    m.organization_id,
    m.object_guid,
    COALESCE(u.display_name,
             NULLIF(TRIM(COALESCE(u.first_name, '') || ' ' || COALESCE(u.last_name, '')), ''),
             u.sam_account_name) AS display_name,
    u.email,
    u.ad_status,
    m.status,
    m.rule,
    m.reason,
    m.contact_id,
    m.contact_key,
    m.since_run_id,
    m.decided_by,
    m.candidates
FROM user_matching m
JOIN ad_users u ON u.organization_id = m.organization_id AND u.object_guid = m.object_guid
