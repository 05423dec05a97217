-- Which records cannot be believed, and why. A problem without a readable organization counts
-- against every organization of the source; one of another organization is left to it.
--
--   raw_contacts          source, position in it, record as JSON
--   source_organizations  which organizations a source is read for
--
-- Messages name field and value, but no value that is about a person: a wrong column could hold
-- names, addresses and phone numbers under any name.

-- What a JSON value is, in words.
CREATE OR REPLACE TEMP MACRO json_kind(type) AS
  CASE type WHEN 'VARCHAR' THEN 'text' WHEN 'ARRAY' THEN 'a list' WHEN 'OBJECT' THEN 'an object'
            WHEN 'BOOLEAN' THEN 'true or false' ELSE CASE WHEN type IS NULL OR type = 'NULL' THEN 'none' ELSE 'a number' END END;

-- The same of an id; a number, or a text that is short enough to be no phone number, as it is.
CREATE OR REPLACE TEMP MACRO shown_id(value) AS
  CASE WHEN json_type(value) IN ('BIGINT', 'UBIGINT', 'DOUBLE')
         OR regexp_full_match(json_extract_string(value, '$'), '[a-z]{0,2}[0-9]{1,5}', 'i')
       THEN substr(CAST(value AS VARCHAR), 1, 40) ELSE json_kind(json_type(value)) END;

CREATE OR REPLACE TEMP TABLE record_types AS
SELECT source,
       position,
       record,
       json_type(record)                       AS record_type,
       json_type(record, '$.id')               AS id_type,
       json_type(record, '$.organization_id')  AS organization_type,
       CASE WHEN json_type(record, '$.organization_id') IN ('BIGINT', 'UBIGINT')
            THEN TRY_CAST(json_extract_string(record, '$.organization_id') AS BIGINT) END AS organization_id,
       CASE WHEN json_type(record, '$.id') IN ('BIGINT', 'UBIGINT')
            THEN TRY_CAST(json_extract_string(record, '$.id') AS BIGINT) END              AS contact_id
FROM (SELECT source, position, TRY_CAST(record AS JSON) AS record FROM raw_contacts);

CREATE OR REPLACE TEMP TABLE list_items AS
SELECT source, position, organization_id, field,
       unnest(from_json(items, '["JSON"]'))                     AS item,
       generate_subscripts(from_json(items, '["JSON"]'), 1)     AS entry
FROM (SELECT source, position, organization_id, f.field, json_extract(record, '$.' || f.field) AS items
      FROM record_types
      CROSS JOIN (SELECT unnest(['emails', 'phones']) AS field) f)
WHERE json_type(items) = 'ARRAY';

CREATE OR REPLACE TEMP TABLE contact_problems AS
SELECT source, position, NULL::BIGINT AS organization_id,
       'a contact must be a JSON object (got ' || json_kind(record_type) || ')' AS problem
FROM record_types WHERE record_type IS DISTINCT FROM 'OBJECT'
UNION ALL
SELECT source, position, NULL,
       'organization_id must be a whole number (got ' || shown_id(json_extract(record, '$.organization_id')) || ')'
FROM record_types WHERE record_type = 'OBJECT' AND organization_id IS NULL
UNION ALL
SELECT source, position, organization_id,
       'id must be a whole number, the documentation system''s id of the contact (got '
       || shown_id(json_extract(record, '$.id')) || ')'
FROM record_types WHERE record_type = 'OBJECT' AND organization_id IS NOT NULL AND contact_id IS NULL
UNION ALL
SELECT source, position, organization_id, 'id ' || contact_id || ' is there twice, first as record ' || first_position
FROM (SELECT source, position, organization_id, contact_id,
             min(position) OVER (PARTITION BY source, organization_id, contact_id) AS first_position
      FROM record_types WHERE contact_id IS NOT NULL AND organization_id IS NOT NULL)
WHERE position > first_position
UNION ALL
SELECT source, position, organization_id, field || ' must be text (got ' || json_kind(got) || ')'
FROM (SELECT source, position, organization_id, f.field, json_type(record, '$.' || f.field) AS got
      FROM record_types
      CROSS JOIN (SELECT unnest(['first_name', 'last_name', 'title', 'contact_type', 'location', 'external_key', 'psa_id']) AS field) f
      WHERE record_type = 'OBJECT')
WHERE got NOT IN ('VARCHAR', 'NULL') AND NOT (field = 'psa_id' AND got IN ('BIGINT', 'UBIGINT'))
UNION ALL
SELECT source, position, organization_id, field || ' must be a list of objects with a value (got ' || json_kind(got) || ')'
FROM (SELECT source, position, organization_id, f.field, json_type(record, '$.' || f.field) AS got
      FROM record_types
      CROSS JOIN (SELECT unnest(['emails', 'phones']) AS field) f
      WHERE record_type = 'OBJECT')
WHERE got NOT IN ('ARRAY', 'NULL')
UNION ALL
SELECT source, position, organization_id,
       field || ' must be a list of objects with a value (entry ' || entry || ' is ' || json_kind(json_type(item)) || ')'
FROM list_items WHERE json_type(item) <> 'OBJECT'
UNION ALL
SELECT source, position, organization_id, field || '.' || part || ' must be text (got ' || json_kind(got) || ' in entry ' || entry || ')'
FROM (SELECT i.*, p.part, json_type(item, '$.' || p.part) AS got
      FROM list_items i
      CROSS JOIN (SELECT unnest(['value', 'label', 'extension', 'kind']) AS part) p)
WHERE got NOT IN ('VARCHAR', 'NULL')
UNION ALL
SELECT source, position, organization_id, field || '.primary must be true or false (got ' || json_kind(json_type(item, '$.primary')) || ' in entry ' || entry || ')'
FROM list_items WHERE json_type(item, '$.primary') NOT IN ('BOOLEAN', 'NULL')
UNION ALL
SELECT source, position, organization_id,
       'updated_at must be a time such as 2026-11-01T10:00:00Z (got ' || json_kind(json_type(record, '$.updated_at')) || ' that is none)'
FROM record_types
WHERE record_type = 'OBJECT' AND json_extract_string(record, '$.updated_at') IS NOT NULL
  AND TRY_CAST(json_extract_string(record, '$.updated_at') AS TIMESTAMPTZ) IS NULL;

CREATE OR REPLACE TEMP TABLE first_problems AS
SELECT organization_id, source, position, problem, problems - 1 AS more
FROM (SELECT o.organization_id, p.source, p.position, p.problem,
             row_number() OVER (PARTITION BY o.organization_id ORDER BY p.position, p.problem) AS place,
             count(*)     OVER (PARTITION BY o.organization_id)                                AS problems
      FROM contact_problems p
      JOIN source_organizations o ON o.source = p.source
                                 AND (p.organization_id IS NULL OR p.organization_id = o.organization_id))
WHERE place = 1;
