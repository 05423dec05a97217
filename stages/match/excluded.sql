-- An exclusion never applies to a linked user (design section 2). Now that tonight's links are
-- known, accounts that are excluded and have none leave the list, in the same night.
CREATE OR REPLACE TEMP TABLE excluded_after_all AS
SELECT r.organization_id, r.object_guid
FROM read_users r
JOIN active_organizations a ON a.organization_id = r.organization_id
LEFT JOIN links l           ON l.organization_id = r.organization_id AND l.object_guid = r.object_guid
WHERE l.object_guid IS NULL
GROUP BY r.organization_id, r.object_guid
-- Excluded by every collector that saw it.
HAVING count(*) = count(r.excluded);

DELETE FROM next_ad_users u USING excluded_after_all e
WHERE e.organization_id = u.organization_id AND e.object_guid = u.object_guid;
DELETE FROM next_ad_user_collectors u USING excluded_after_all e
WHERE e.organization_id = u.organization_id AND e.object_guid = u.object_guid;
DELETE FROM next_ad_user_aliases u USING excluded_after_all e
WHERE e.organization_id = u.organization_id AND e.object_guid = u.object_guid;
DELETE FROM user_presence u USING excluded_after_all e
WHERE e.organization_id = u.organization_id AND e.object_guid = u.object_guid;

-- Nothing is silently dropped: what is no user is counted, by reason.
INSERT INTO next_run_exclusions
SELECT x.run_id, r.organization_id, r.collector, r.excluded, count(*)
FROM read_users r
CROSS JOIN run_context x
JOIN active_organizations a ON a.organization_id = r.organization_id
LEFT JOIN links l           ON l.organization_id = r.organization_id AND l.object_guid = r.object_guid
WHERE r.excluded IS NOT NULL AND l.object_guid IS NULL
GROUP BY x.run_id, r.organization_id, r.collector, r.excluded;
