-- What is to be told of contacts (design section 4), compared with what was told before.
--
--   overlay   ad_status, last_logon, last_password_reset, password_expires of a linked user
--   fill      a contact's own field, where the organization's policy says so
--   created   all fields of a created contact, until it appears: on its first night all of them are
--             news, later what changed meanwhile
--
-- `enrichments` holds what was told last; a contact is its id as text, or its contact_key until
-- it appears.

CREATE OR REPLACE TEMP TABLE linked_users AS
SELECT m.organization_id, m.object_guid, m.status, m.contact_id, m.contact_key,
       COALESCE(CAST(m.contact_id AS VARCHAR), m.contact_key)        AS target,
       m.contact_id IS NULL AND m.created_run_id = x.run_id          AS created_now,
       u.first_name, u.last_name, u.title, u.email, u.phone, u.email_key,
       CASE WHEN m.status = 'unavailable' THEN 'unavailable' ELSE u.ad_status END AS ad_status,
       strftime(u.last_logon,          '%Y-%m-%dT%H:%M:%S.%fZ')      AS last_logon,
       strftime(u.last_password_reset, '%Y-%m-%dT%H:%M:%S.%fZ')      AS last_password_reset,
       strftime(u.password_expires,    '%Y-%m-%dT%H:%M:%S.%fZ')      AS password_expires
FROM next_user_matching m
CROSS JOIN run_context x
JOIN next_ad_users u ON u.organization_id = m.organization_id AND u.object_guid = m.object_guid
WHERE m.contact_id IS NOT NULL OR m.contact_key IS NOT NULL;

-- Fields that the policy wants in an existing contact. A blank source never erases; phone
-- numbers are compared by their digits and addresses by their keys, because documentation
-- systems rewrite them.
CREATE OR REPLACE TEMP TABLE fills AS
SELECT organization_id, target, contact_id, object_guid, field, own_value, value
FROM (
    SELECT l.organization_id, l.target, l.contact_id, l.object_guid, 'first_name' AS field, s.fill_first_name AS policy,
           c.first_name AS own_value, l.first_name AS value, c.first_name IS DISTINCT FROM l.first_name AS differs
    FROM linked_users l JOIN next_contacts c ON c.organization_id = l.organization_id AND c.contact_id = l.contact_id
                        JOIN read_settings s ON s.organization_id = l.organization_id
    UNION ALL
    SELECT l.organization_id, l.target, l.contact_id, l.object_guid, 'last_name', s.fill_last_name,
           c.last_name, l.last_name, c.last_name IS DISTINCT FROM l.last_name
    FROM linked_users l JOIN next_contacts c ON c.organization_id = l.organization_id AND c.contact_id = l.contact_id
                        JOIN read_settings s ON s.organization_id = l.organization_id
    UNION ALL
    SELECT l.organization_id, l.target, l.contact_id, l.object_guid, 'title', s.fill_title,
           c.title, l.title, c.title IS DISTINCT FROM l.title
    FROM linked_users l JOIN next_contacts c ON c.organization_id = l.organization_id AND c.contact_id = l.contact_id
                        JOIN read_settings s ON s.organization_id = l.organization_id
    UNION ALL
    SELECT l.organization_id, l.target, l.contact_id, l.object_guid, 'email', s.fill_email,
           c.primary_email, l.email, email_key(c.primary_email) IS DISTINCT FROM l.email_key
    FROM linked_users l JOIN next_contacts c ON c.organization_id = l.organization_id AND c.contact_id = l.contact_id
                        JOIN read_settings s ON s.organization_id = l.organization_id
    UNION ALL
    SELECT l.organization_id, l.target, l.contact_id, l.object_guid, 'phone', s.fill_phone,
           c.primary_phone, l.phone,
           regexp_replace(c.primary_phone, '[^0-9]', '', 'g') IS DISTINCT FROM regexp_replace(l.phone, '[^0-9]', '', 'g')
    FROM linked_users l JOIN next_contacts c ON c.organization_id = l.organization_id AND c.contact_id = l.contact_id
                        JOIN read_settings s ON s.organization_id = l.organization_id
)
WHERE value IS NOT NULL AND differs
  AND (policy = 'overwrite' OR (policy = 'fill_blank' AND own_value IS NULL));

CREATE OR REPLACE TEMP TABLE told_now AS
SELECT organization_id, target, contact_id, contact_key, object_guid, field, value,
       CAST(NULL AS VARCHAR) AS own_value, 'overlay' AS kind
FROM (SELECT *, unnest(['ad_status', 'last_logon', 'last_password_reset', 'password_expires']) AS field,
                unnest([ad_status, last_logon, last_password_reset, password_expires])         AS value
      FROM linked_users)
UNION ALL
SELECT organization_id, target, contact_id, NULL, object_guid, field, value, own_value, 'fill'
FROM fills
UNION ALL
SELECT organization_id, target, NULL, contact_key, object_guid, field, value, NULL, 'created'
FROM (SELECT l.*, unnest(['first_name', 'last_name', 'title', 'email', 'email_type', 'phone', 'phone_type']) AS field,
             unnest([l.first_name, l.last_name, l.title, l.email,
                     CASE WHEN l.email IS NOT NULL THEN CASE WHEN s.two_way_sync THEN COALESCE(s.email_type, 'AD Email') ELSE 'AD Email' END END,
                     l.phone,
                     CASE WHEN l.phone IS NOT NULL THEN CASE WHEN s.two_way_sync THEN COALESCE(s.phone_type, 'AD Phone') ELSE 'AD Phone' END END]) AS value
      FROM linked_users l JOIN read_settings s ON s.organization_id = l.organization_id
      WHERE l.contact_id IS NULL)
WHERE value IS NOT NULL;

-- What was told before. A created contact that has appeared is called by its id from now on: its
-- overlay was told under the key, while its own fields are what the source says. If something was
-- told under the id already, that is what the contact shows.
CREATE OR REPLACE TEMP TABLE told_before AS
SELECT organization_id, target, contact_id, object_guid, field, value, own_value
FROM (
SELECT e.organization_id,
       COALESCE(CAST(m.contact_id AS VARCHAR), e.target) AS target,
       COALESCE(e.contact_id, m.contact_id)              AS contact_id,
       e.object_guid, e.field, e.value, e.own_value,
       row_number() OVER (PARTITION BY e.organization_id, COALESCE(CAST(m.contact_id AS VARCHAR), e.target), e.field
                          ORDER BY CASE WHEN m.contact_id IS NULL THEN 0 ELSE 1 END, e.target) AS place
FROM enrichments e
JOIN active_organizations a ON a.organization_id = e.organization_id
LEFT JOIN (SELECT organization_id, contact_key, contact_id FROM next_user_matching
           WHERE contact_key IS NOT NULL AND contact_id IS NOT NULL) m
       ON m.organization_id = e.organization_id AND m.contact_key = e.target
WHERE m.contact_id IS NULL
   OR e.field IN ('ad_status', 'last_logon', 'last_password_reset', 'password_expires')
)
WHERE place = 1;

INSERT INTO next_enrichment_deltas
SELECT x.run_id, n.organization_id, n.contact_id, CASE WHEN n.contact_id IS NULL THEN n.contact_key END,
       n.object_guid, n.field,
       CASE WHEN n.kind = 'fill' THEN n.own_value ELSE b.value END,
       n.value
FROM told_now n
CROSS JOIN run_context x
LEFT JOIN told_before b ON b.organization_id = n.organization_id AND b.target = n.target AND b.field = n.field
WHERE b.value IS DISTINCT FROM n.value;

-- A link that ended takes its overlay with it, unless the contact is gone as well. Filled
-- fields stay: what was good data is not erased.
INSERT INTO next_enrichment_deltas
SELECT x.run_id, b.organization_id, b.contact_id, NULL, b.object_guid, b.field, b.value, NULL
FROM told_before b
CROSS JOIN run_context x
JOIN next_contacts c ON c.organization_id = b.organization_id AND c.contact_id = b.contact_id
LEFT JOIN told_now n ON n.organization_id = b.organization_id AND n.target = b.target AND n.field = b.field
WHERE n.field IS NULL AND b.value IS NOT NULL
  AND b.field IN ('ad_status', 'last_logon', 'last_password_reset', 'password_expires');

-- Fields that were filled in a contact stay filled when its user is gone or has no such value any
-- more, as long as the contact's own value is what it was: neither a link that ended nor a blank
-- source sets anything back, here or in the PSA.
CREATE OR REPLACE TEMP TABLE kept_fills AS
SELECT b.organization_id, b.target, b.contact_id, b.object_guid, b.field, b.own_value, b.value
FROM told_before b
JOIN next_contacts c     ON c.organization_id = b.organization_id AND c.contact_id = b.contact_id
LEFT JOIN linked_users l ON l.organization_id = b.organization_id AND l.contact_id = b.contact_id
LEFT JOIN read_settings s ON s.organization_id = b.organization_id
WHERE b.field IN ('first_name', 'last_name', 'title', 'email', 'phone')
  AND (l.contact_id IS NULL
       -- (of the same user: another one's value was never this one's)
       OR l.object_guid = b.object_guid AND
          CASE b.field WHEN 'first_name' THEN l.first_name IS NULL AND s.fill_first_name <> 'keep'
                       WHEN 'last_name'  THEN l.last_name  IS NULL AND s.fill_last_name  <> 'keep'
                       WHEN 'title'      THEN l.title      IS NULL AND s.fill_title      <> 'keep'
                       WHEN 'email'      THEN l.email      IS NULL AND s.fill_email      <> 'keep'
                       ELSE                   l.phone      IS NULL AND s.fill_phone      <> 'keep' END)
  AND b.own_value IS NOT DISTINCT FROM
      CASE b.field WHEN 'first_name' THEN c.first_name WHEN 'last_name' THEN c.last_name WHEN 'title' THEN c.title
                   WHEN 'email' THEN c.primary_email ELSE c.primary_phone END;

CREATE OR REPLACE TEMP TABLE standing_fills AS
SELECT organization_id, contact_id, field, value FROM fills
UNION ALL
SELECT organization_id, contact_id, field, value FROM kept_fills;

INSERT INTO next_enrichments
SELECT organization_id, target, contact_id, contact_key, object_guid, field, value,
       CASE WHEN kind = 'fill' THEN own_value END
FROM told_now
UNION ALL
SELECT organization_id, target, contact_id, NULL, object_guid, field, value, own_value
FROM kept_fills;
