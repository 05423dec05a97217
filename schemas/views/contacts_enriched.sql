-- The Contact show page: every contact, the four overlay columns of its linked user, and
-- whether it is eligible for the PSA. A user that is gone from Active Directory keeps its link;
-- the overlay says `unavailable`.
SELECT
    c.organization_id,
    c.contact_id,
    c.first_name,
    c.last_name,
    c.title,
    c.contact_type,
    c.location,
    c.primary_email,
    c.primary_phone,
    c.psa_id,
    u.object_guid,
    CASE WHEN m.status = 'unavailable' THEN 'unavailable' ELSE u.ad_status END AS ad_status,
    u.last_logon,
    u.last_password_reset,
    u.password_expires,
    u.password_state,
    p.psa_badge,
    p.psa_reason
FROM contacts c
LEFT JOIN user_matching m ON m.organization_id = c.organization_id AND m.contact_id = c.contact_id
LEFT JOIN ad_users u      ON u.organization_id = m.organization_id AND u.object_guid = m.object_guid
LEFT JOIN contact_psa p   ON p.organization_id = c.organization_id AND p.contact_id = c.contact_id
