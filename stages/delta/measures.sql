-- The numbers that the guard watches (design section 6), per organization: users and contacts
-- of the last commit that are still there, creations and ended links of tonight. The first run of an
-- organization has nothing to drop from.
CREATE OR REPLACE TEMP TABLE counts_before AS
SELECT a.organization_id,
       (SELECT count(*) FROM user_matching m WHERE m.organization_id = a.organization_id AND m.status <> 'unavailable') AS users,
       (SELECT count(*) FROM contacts c WHERE c.organization_id = a.organization_id) AS contacts
FROM active_organizations a;

-- Of these, how many are still there: a directory or a file swapped for another of the same size
-- is no smaller, and yet everybody is gone.
CREATE OR REPLACE TEMP TABLE counts_now AS
SELECT a.organization_id,
       (SELECT count(*) FROM user_matching m
        JOIN next_user_matching n ON n.organization_id = m.organization_id AND n.object_guid = m.object_guid
        WHERE m.organization_id = a.organization_id AND m.status <> 'unavailable' AND n.status <> 'unavailable') AS users,
       (SELECT count(*) FROM contacts c
        JOIN next_contacts n ON n.organization_id = c.organization_id AND n.contact_id = c.contact_id
        WHERE c.organization_id = a.organization_id) AS contacts
FROM active_organizations a;

INSERT INTO guard_measures
SELECT b.organization_id, 'users', b.users, n.users, s.max_drop, NULL
FROM counts_before b
JOIN counts_now n    ON n.organization_id = b.organization_id
JOIN read_settings s ON s.organization_id = b.organization_id
UNION ALL
SELECT b.organization_id, 'contacts', b.contacts, n.contacts, s.max_drop, NULL
FROM counts_before b
JOIN counts_now n    ON n.organization_id = b.organization_id
JOIN read_settings s ON s.organization_id = b.organization_id
UNION ALL
SELECT d.organization_id, 'creations', 0, count(*), NULL, s.max_creates
FROM next_creations d
JOIN run_context x   ON x.run_id = d.run_id
JOIN read_settings s ON s.organization_id = d.organization_id
GROUP BY d.organization_id, s.max_creates
UNION ALL
SELECT o.organization_id, 'links ending', 0, count(*), NULL, s.max_unlinks
FROM user_matching o
JOIN active_organizations a ON a.organization_id = o.organization_id
JOIN read_settings s        ON s.organization_id = o.organization_id
LEFT JOIN next_user_matching n ON n.organization_id = o.organization_id AND n.object_guid = o.object_guid
WHERE (o.contact_id IS NOT NULL OR o.contact_key IS NOT NULL)
  AND (n.object_guid IS NULL
       OR (n.contact_id IS NULL AND n.contact_key IS NULL)
       OR (o.contact_id IS NOT NULL AND n.contact_id IS DISTINCT FROM o.contact_id))
GROUP BY o.organization_id, s.max_unlinks;
