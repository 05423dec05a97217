-- What goes to the PSAs tonight (design section 5).
--
-- Fills next_contact_psa (the badge), next_push_items (the account), next_push_rows (the rows of
-- the files) and next_push_baselines (what the PSA is known to hold).

------------------------------------------------------------------------------------- badge
CREATE OR REPLACE TEMP TABLE psa_settings AS
SELECT s.organization_id, s.psa, s.two_way_sync, s.email_type, s.phone_type,
       CASE WHEN s.psa IS NULL        THEN 'no_psa'
            WHEN NOT s.two_way_sync   THEN 'two_way_sync_off'
            WHEN s.email_type IS NULL THEN 'email_type_missing'
            WHEN s.phone_type IS NULL THEN 'phone_type_missing' END AS reason
FROM read_settings s
JOIN active_organizations a ON a.organization_id = s.organization_id;

-- Contacts as they will be once fields filled by policy have arrived, so that a fill is pushed
-- in the same night and not again when it shows up in the source.
CREATE OR REPLACE TEMP TABLE contacts_as_filled AS
SELECT c.organization_id, c.contact_id, c.psa_id, c.location,
       COALESCE(f.first_name, c.first_name)    AS first_name,
       COALESCE(f.last_name,  c.last_name)     AS last_name,
       COALESCE(f.title,      c.title)         AS title,
       COALESCE(f.email,      c.primary_email) AS email,
       COALESCE(f.phone,      c.primary_phone) AS phone
FROM next_contacts c
LEFT JOIN (SELECT organization_id, contact_id,
                  max(CASE WHEN field = 'first_name' THEN value END) AS first_name,
                  max(CASE WHEN field = 'last_name'  THEN value END) AS last_name,
                  max(CASE WHEN field = 'title'      THEN value END) AS title,
                  max(CASE WHEN field = 'email'      THEN value END) AS email,
                  max(CASE WHEN field = 'phone'      THEN value END) AS phone
           FROM standing_fills GROUP BY organization_id, contact_id) f
       ON f.organization_id = c.organization_id AND f.contact_id = c.contact_id;

-- What the same PSA was last known to hold; a created contact that has appeared goes by its id now.
-- The contact may have been seen under its id before it was known to be the created one: what was
-- pushed under the key is what the PSA holds.
CREATE OR REPLACE TEMP TABLE baselines AS
SELECT organization_id, target, first_name, last_name, title, email, phone, rejected
FROM (
SELECT b.organization_id, COALESCE(CAST(m.contact_id AS VARCHAR), b.target) AS target,
       b.first_name, b.last_name, b.title, b.email, b.phone, b.rejected,
       row_number() OVER (PARTITION BY b.organization_id, COALESCE(CAST(m.contact_id AS VARCHAR), b.target)
                          ORDER BY CASE WHEN m.contact_id IS NOT NULL THEN 0 ELSE 1 END, b.target) AS place
FROM push_baselines b
JOIN psa_settings o ON o.organization_id = b.organization_id AND o.psa = b.psa AND o.two_way_sync
LEFT JOIN next_user_matching m ON m.organization_id = b.organization_id AND m.contact_key = b.target
                              AND m.contact_id IS NOT NULL
)
WHERE place = 1;

-- Everything that can be eligible: the contacts, those created tonight, and those created before
-- that could not be pushed yet and have not appeared.
CREATE OR REPLACE TEMP TABLE pushable AS
SELECT p.*, o.psa, o.two_way_sync, o.email_type, o.phone_type,
       COALESCE(o.reason,
                CASE WHEN o.psa <> 'bms' THEN NULL
                     WHEN p.first_name IS NULL THEN 'field_missing:first_name'
                     WHEN p.email IS NULL      THEN 'field_missing:email'
                     WHEN p.phone IS NULL      THEN 'field_missing:phone'
                     WHEN p.location IS NULL   THEN 'field_missing:location' END) AS reason
FROM (SELECT organization_id, CAST(contact_id AS VARCHAR) AS target, contact_id, CAST(NULL AS VARCHAR) AS contact_key,
             psa_id, location, first_name, last_name, title, email, phone, 'u' AS op
      FROM contacts_as_filled
      UNION ALL
      SELECT l.organization_id, l.target, NULL, l.contact_key, NULL, NULL, l.first_name, l.last_name, l.title, l.email, l.phone, 'c'
      FROM linked_users l
      LEFT JOIN baselines b ON b.organization_id = l.organization_id AND b.target = l.target
      WHERE l.contact_id IS NULL AND l.status = 'matched' AND (l.created_now OR b.rejected IS NOT NULL)) p
JOIN psa_settings o ON o.organization_id = p.organization_id;

INSERT INTO next_contact_psa
SELECT organization_id, contact_id, reason IS NULL, reason
FROM pushable WHERE op = 'u';

----------------------------------------------------------------------------------- changes
-- Turning two-way sync on pushes nothing that was there before: a contact without a baseline is
-- taken to be in the PSA as it is documented.
INSERT INTO baselines
SELECT c.organization_id, CAST(c.contact_id AS VARCHAR), c.first_name, c.last_name, c.title, c.primary_email, c.primary_phone, NULL
FROM next_contacts c
JOIN psa_settings o ON o.organization_id = c.organization_id AND o.psa IS NOT NULL AND o.two_way_sync
LEFT JOIN baselines b ON b.organization_id = c.organization_id AND b.target = CAST(c.contact_id AS VARCHAR)
WHERE b.target IS NULL;

-- Long form: a row for each changed field. Documentation systems rewrite phone numbers and the
-- case of addresses; that alone is no change.
CREATE OR REPLACE TEMP TABLE changed_fields AS
SELECT organization_id, target, op, field, place, before, after
FROM (SELECT p.organization_id, p.target, p.op,
             unnest(['first_name', 'last_name', 'title', 'email', 'email_type', 'phone', 'phone_type']) AS field,
             unnest([1, 2, 3, 4, 5, 6, 7])                                                             AS place,
             unnest([b.first_name, b.last_name, b.title, b.email, NULL, b.phone, NULL])                AS before,
             unnest([p.first_name, p.last_name, p.title, p.email,
                     CASE WHEN p.op = 'c' AND p.email IS NOT NULL THEN p.email_type END,
                     p.phone,
                     CASE WHEN p.op = 'c' AND p.phone IS NOT NULL THEN p.phone_type END])              AS after
      FROM pushable p
      LEFT JOIN baselines b ON b.organization_id = p.organization_id AND b.target = p.target
      WHERE p.op = 'c' OR b.target IS NOT NULL)
WHERE CASE field WHEN 'phone' THEN regexp_replace(before, '[^0-9]', '', 'g') WHEN 'email' THEN lower(before) ELSE before END
      IS DISTINCT FROM
      CASE field WHEN 'phone' THEN regexp_replace(after,  '[^0-9]', '', 'g') WHEN 'email' THEN lower(after)  ELSE after  END;

-------------------------------------------------------------------------------- validation
-- What the PSA would refuse, or a spreadsheet would execute. Of several reasons the first in
-- this order is told.
CREATE OR REPLACE TEMP TABLE refusals AS
SELECT organization_id, target, min_by(reason, place) AS reason
FROM (SELECT p.organization_id, p.target, 'no_psa_id' AS reason, 0 AS place
      FROM pushable p WHERE p.op = 'u' AND p.psa_id IS NULL
      UNION ALL
      SELECT p.organization_id, p.target, 'missing:' || l.field, 10 + f.place
      FROM pushable p
      JOIN psa_limits l ON l.psa = p.psa AND l.required
      JOIN (SELECT unnest(['first_name', 'last_name', 'title', 'email', 'phone']) AS field,
                   unnest([1, 2, 3, 4, 6]) AS place) f ON f.field = l.field
      WHERE p.op = 'c'
        AND CASE l.field WHEN 'first_name' THEN p.first_name WHEN 'last_name' THEN p.last_name
                         WHEN 'title' THEN p.title WHEN 'email' THEN p.email ELSE p.phone END IS NULL
      UNION ALL
      SELECT c.organization_id, c.target, 'too_long:' || c.field, 20 + c.place
      FROM changed_fields c
      JOIN psa_settings o ON o.organization_id = c.organization_id
      JOIN psa_limits l   ON l.psa = o.psa AND l.field = c.field AND l.max_length > 0
      WHERE length(c.after) > l.max_length
      UNION ALL
      SELECT organization_id, target, 'unsafe:' || field, 30 + place
      FROM changed_fields
      WHERE field IN ('first_name', 'last_name', 'title')
        AND (substr(after, 1, 1) IN ('=', '+', '-', '@') OR after <> translate(after, chr(9) || chr(10) || chr(13), '')))
GROUP BY organization_id, target;

-------------------------------------------------------------------------------------- items
-- A row that is refused for the same reason with the same content is told once, not every night.
CREATE OR REPLACE TEMP TABLE items AS
SELECT p.organization_id, p.target, p.psa, p.op, p.contact_id, p.contact_key, p.psa_id,
       CASE WHEN p.reason IS NOT NULL THEN 'not_eligible'
            WHEN r.reason IS NOT NULL THEN 'rejected' ELSE 'pushed' END AS state,
       COALESCE(p.reason, r.reason)                                     AS reason,
       c.changed, c.before, c.after,
       md5(COALESCE(p.reason, r.reason, '') || '|' || COALESCE(p.psa_id, '') || '|' || c.after) AS digest
FROM pushable p
JOIN (SELECT organization_id, target,
             list(field ORDER BY place) AS changed,
             '{' || string_agg(to_json(field) || ':' || COALESCE(to_json(before), 'null'), ',' ORDER BY place) || '}' AS before,
             '{' || string_agg(to_json(field) || ':' || COALESCE(to_json(after),  'null'), ',' ORDER BY place) || '}' AS after
      FROM changed_fields GROUP BY organization_id, target) c
  ON c.organization_id = p.organization_id AND c.target = p.target
LEFT JOIN refusals r ON r.organization_id = p.organization_id AND r.target = p.target;

CREATE OR REPLACE TEMP TABLE new_items AS
SELECT i.*
FROM items i
LEFT JOIN baselines b ON b.organization_id = i.organization_id AND b.target = i.target
WHERE i.state = 'pushed' OR b.rejected IS DISTINCT FROM i.digest;

INSERT INTO next_push_items
SELECT x.run_id, organization_id, psa, op, contact_id, contact_key, psa_id, state, reason, changed
FROM new_items CROSS JOIN run_context x;

INSERT INTO next_push_rows
SELECT x.run_id, organization_id, psa, COALESCE(contact_key, 'contact-' || contact_id), op, psa_id,
       CASE WHEN op = 'u' THEN before END, after, changed, reason
FROM new_items CROSS JOIN run_context x
WHERE state IN ('pushed', 'rejected');

---------------------------------------------------------------------------------- baselines
-- What was pushed is what the PSA holds; what was not stays as it was held (nothing, for a new
-- contact), so that it is pushed once the reason is gone.
INSERT INTO next_push_baselines
SELECT p.organization_id, p.psa, p.target,
       CASE WHEN i.state <> 'pushed' THEN b.first_name ELSE p.first_name END,
       CASE WHEN i.state <> 'pushed' THEN b.last_name  ELSE p.last_name  END,
       CASE WHEN i.state <> 'pushed' THEN b.title      ELSE p.title      END,
       CASE WHEN i.state <> 'pushed' THEN b.email      ELSE p.email      END,
       CASE WHEN i.state <> 'pushed' THEN b.phone      ELSE p.phone      END,
       CASE WHEN i.state <> 'pushed' THEN i.digest END
FROM pushable p
LEFT JOIN items i     ON i.organization_id = p.organization_id AND i.target = p.target
LEFT JOIN baselines b ON b.organization_id = p.organization_id AND b.target = p.target
WHERE p.two_way_sync AND p.psa IS NOT NULL;

-- Created contacts that were pushed on an earlier night and have not appeared yet.
INSERT INTO next_push_baselines
SELECT o.organization_id, o.psa, b.target, b.first_name, b.last_name, b.title, b.email, b.phone, b.rejected
FROM baselines b
JOIN psa_settings o ON o.organization_id = b.organization_id
JOIN next_user_matching m ON m.organization_id = b.organization_id AND m.contact_key = b.target AND m.contact_id IS NULL
LEFT JOIN pushable p ON p.organization_id = b.organization_id AND p.target = b.target
WHERE p.target IS NULL;
