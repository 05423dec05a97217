-- Which records cannot be believed, and why. A problem without a readable organization counts
-- against every organization of the source; one of another organization is left to it.
--
--   raw_contacts          source, position in it, record as JSON
--   source_organizations  which organizations a source is read for
--
-- Messages name field and value, but no value that is about a person.

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
FROM raw_contacts;

CREATE OR REPLACE TEMP TABLE contact_problems AS
SELECT source, position, NULL::BIGINT AS organization_id,
       'a contact must be a JSON object (got ' || lower(COALESCE(record_type, 'nothing')) || ')' AS problem
FROM record_types WHERE record_type IS DISTINCT FROM 'OBJECT'
UNION ALL
SELECT source, position, NULL,
       'organization_id must be a whole number (got '
       || CASE WHEN organization_type IS NULL OR organization_type = 'NULL' THEN 'none'
               ELSE substr(CAST(json_extract(record, '$.organization_id') AS VARCHAR), 1, 40) END || ')'
FROM record_types WHERE record_type = 'OBJECT' AND organization_id IS NULL
UNION ALL
SELECT source, position, organization_id,
       'id must be a whole number, the documentation system''s id of the contact (got '
       || CASE WHEN id_type IS NULL OR id_type = 'NULL' THEN 'none'
               ELSE substr(CAST(json_extract(record, '$.id') AS VARCHAR), 1, 40) END || ')'
FROM record_types WHERE record_type = 'OBJECT' AND organization_id IS NOT NULL AND contact_id IS NULL
UNION ALL
SELECT source, position, organization_id, 'id ' || contact_id || ' is there twice, first as record ' || first_position
FROM (SELECT source, position, organization_id, contact_id,
             min(position) OVER (PARTITION BY source, organization_id, contact_id) AS first_position
      FROM record_types WHERE contact_id IS NOT NULL AND organization_id IS NOT NULL)
WHERE position > first_position
UNION ALL
SELECT source, position, organization_id, field || ' must be text (got ' || lower(got) || ')'
FROM (SELECT source, position, organization_id, f.field, json_type(record, '$.' || f.field) AS got
      FROM record_types
      CROSS JOIN (SELECT unnest(['first_name', 'last_name', 'title', 'contact_type', 'location', 'external_key']) AS field) f
      WHERE record_type = 'OBJECT')
WHERE got NOT IN ('VARCHAR', 'NULL')
UNION ALL
SELECT source, position, organization_id, field || ' must be a list of objects with a value (got ' || lower(got) || ')'
FROM (SELECT source, position, organization_id, f.field, json_type(record, '$.' || f.field) AS got
      FROM record_types
      CROSS JOIN (SELECT unnest(['emails', 'phones']) AS field) f
      WHERE record_type = 'OBJECT')
WHERE got NOT IN ('ARRAY', 'NULL')
UNION ALL
SELECT source, position, organization_id,
       'updated_at must be a time such as 2026-11-01T10:00:00Z (got ' || substr(json_extract_string(record, '$.updated_at'), 1, 40) || ')'
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
