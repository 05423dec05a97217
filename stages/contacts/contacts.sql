-- Takes the records of the organizations that can be believed apart. Blank text is no value.

CREATE OR REPLACE TEMP TABLE good_records AS
SELECT t.organization_id, t.contact_id, t.record
FROM record_types t
JOIN source_organizations o ON o.source = t.source AND o.organization_id = t.organization_id
JOIN active_organizations a ON a.organization_id = t.organization_id;

INSERT INTO read_contact_emails
SELECT organization_id, contact_id, position, value, label, is_primary, email_key(value)
FROM (SELECT organization_id, contact_id, position,
             NULLIF(trim(json_extract_string(item, '$.value')), '')                        AS value,
             NULLIF(trim(json_extract_string(item, '$.label')), '')                        AS label,
             COALESCE(TRY_CAST(json_extract_string(item, '$.primary') AS BOOLEAN), false)  AS is_primary
      FROM (SELECT organization_id, contact_id,
                   unnest(from_json(json_extract(record, '$.emails'), '["JSON"]'))                      AS item,
                   generate_subscripts(from_json(json_extract(record, '$.emails'), '["JSON"]'), 1)      AS position
            FROM good_records WHERE json_type(record, '$.emails') = 'ARRAY'))
WHERE value IS NOT NULL;

INSERT INTO read_contact_phones
SELECT organization_id, contact_id, position, value, extension, label, kind, is_primary
FROM (SELECT organization_id, contact_id, position,
             NULLIF(trim(json_extract_string(item, '$.value')), '')                        AS value,
             NULLIF(trim(json_extract_string(item, '$.extension')), '')                    AS extension,
             NULLIF(trim(json_extract_string(item, '$.label')), '')                        AS label,
             NULLIF(trim(json_extract_string(item, '$.kind')), '')                         AS kind,
             COALESCE(TRY_CAST(json_extract_string(item, '$.primary') AS BOOLEAN), false)  AS is_primary
      FROM (SELECT organization_id, contact_id,
                   unnest(from_json(json_extract(record, '$.phones'), '["JSON"]'))                      AS item,
                   generate_subscripts(from_json(json_extract(record, '$.phones'), '["JSON"]'), 1)      AS position
            FROM good_records WHERE json_type(record, '$.phones') = 'ARRAY'))
WHERE value IS NOT NULL;

-- The primary one is the first that is marked so, else the first.
CREATE OR REPLACE TEMP TABLE primaries AS
SELECT organization_id, contact_id, 'email' AS kind, value
FROM (SELECT *, row_number() OVER (PARTITION BY organization_id, contact_id
                                   ORDER BY CASE WHEN is_primary THEN 0 ELSE 1 END, position) AS place
      FROM read_contact_emails)
WHERE place = 1
UNION ALL
SELECT organization_id, contact_id, 'phone', value
FROM (SELECT *, row_number() OVER (PARTITION BY organization_id, contact_id
                                   ORDER BY CASE WHEN is_primary THEN 0 ELSE 1 END, position) AS place
      FROM read_contact_phones)
WHERE place = 1;

INSERT INTO read_contacts
SELECT g.organization_id,
       g.contact_id,
       NULLIF(trim(json_extract_string(record, '$.first_name')), ''),
       NULLIF(trim(json_extract_string(record, '$.last_name')), ''),
       NULLIF(trim(json_extract_string(record, '$.title')), ''),
       NULLIF(trim(json_extract_string(record, '$.contact_type')), ''),
       NULLIF(trim(json_extract_string(record, '$.location')), ''),
       e.value,
       p.value,
       NULLIF(trim(json_extract_string(record, '$.psa_id')), ''),
       NULLIF(trim(json_extract_string(record, '$.external_key')), ''),
       TRY_CAST(json_extract_string(record, '$.updated_at') AS TIMESTAMPTZ),
       name_key(json_extract_string(record, '$.first_name')),
       name_key(json_extract_string(record, '$.last_name'))
FROM good_records g
LEFT JOIN primaries e ON e.organization_id = g.organization_id AND e.contact_id = g.contact_id AND e.kind = 'email'
LEFT JOIN primaries p ON p.organization_id = g.organization_id AND p.contact_id = g.contact_id AND p.kind = 'phone';
