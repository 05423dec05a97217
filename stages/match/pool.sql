-- Who and what the tiers (match.sql) work on.
CREATE OR REPLACE TEMP TABLE match_users AS
SELECT u.organization_id, u.object_guid, u.email_key, u.first_key, u.last_key, s.aliases,
       COALESCE(m.ambiguity = t.digest, false) AS settled
FROM next_ad_users u
JOIN read_settings s ON s.organization_id = u.organization_id
JOIN user_presence p ON p.organization_id = u.organization_id AND p.object_guid = u.object_guid AND p.presence = 'present'
LEFT JOIN user_matching m      ON m.organization_id = u.organization_id AND m.object_guid = u.object_guid
LEFT JOIN contention t         ON t.organization_id = u.organization_id AND t.object_guid = u.object_guid
LEFT JOIN links l              ON l.organization_id = u.organization_id AND l.object_guid = u.object_guid
LEFT JOIN read_decided_users d ON d.organization_id = u.organization_id AND d.object_guid = u.object_guid AND d.ignored
WHERE l.object_guid IS NULL AND d.object_guid IS NULL;

CREATE OR REPLACE TEMP TABLE match_aliases AS
SELECT organization_id, object_guid, alias_key FROM next_ad_user_aliases;

CREATE OR REPLACE TEMP TABLE match_contacts AS
SELECT organization_id, contact_id, first_key, last_key FROM next_contacts;

CREATE OR REPLACE TEMP TABLE match_emails AS
SELECT DISTINCT organization_id, contact_id, email_key FROM next_contact_emails WHERE email_key IS NOT NULL;

CREATE OR REPLACE TEMP TABLE match_linked AS
SELECT organization_id, contact_id FROM links WHERE contact_id IS NOT NULL;

CREATE OR REPLACE TEMP TABLE match_apart AS
SELECT DISTINCT organization_id, object_guid, contact_id FROM next_separations WHERE contact_id IS NOT NULL;
