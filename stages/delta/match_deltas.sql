-- Changes of users' statuses and links: one row for each user whose status, rule, reason or
-- contact is not what it was. Replayed from nothing, all rows yield the present lists.
INSERT INTO next_match_deltas
SELECT x.run_id,
       COALESCE(n.organization_id, o.organization_id),
       COALESCE(n.object_guid, o.object_guid),
       CASE
           WHEN n.object_guid IS NULL                                        THEN 'exclude'
           WHEN n.status = 'ignored'                                         THEN 'ignore'
           WHEN o.status = 'ignored'                                         THEN 'restore'
           WHEN n.status = 'unavailable' AND o.status <> 'unavailable'       THEN 'unavailable'
           WHEN o.status = 'unavailable' AND n.status <> 'unavailable'       THEN 'return'
           WHEN o.rule IS NULL AND n.created_run_id = x.run_id               THEN 'create'
           WHEN o.rule IS NULL AND n.rule IS NOT NULL                        THEN 'link'
           WHEN o.rule IS NOT NULL AND n.rule IS NULL                        THEN 'unlink'
           WHEN o.contact_key = n.contact_key AND o.contact_id IS NULL AND n.contact_id IS NOT NULL THEN 'resolve'
           WHEN o.contact_id IS DISTINCT FROM n.contact_id
             OR o.contact_key IS DISTINCT FROM n.contact_key                 THEN 'relink'
           WHEN o.rule IS DISTINCT FROM n.rule                               THEN 'rule'
           WHEN o.object_guid IS NULL                                        THEN 'list'
           ELSE 'reason'
       END,
       o.status, n.status, n.rule, n.reason, o.contact_id, n.contact_id
FROM (SELECT m.* FROM user_matching m
      JOIN active_organizations a ON a.organization_id = m.organization_id) o
FULL OUTER JOIN next_user_matching n ON n.organization_id = o.organization_id AND n.object_guid = o.object_guid
CROSS JOIN run_context x
WHERE o.object_guid IS NULL
   OR n.object_guid IS NULL
   OR o.status      IS DISTINCT FROM n.status
   OR o.rule        IS DISTINCT FROM n.rule
   OR o.reason      IS DISTINCT FROM n.reason
   OR o.contact_id  IS DISTINCT FROM n.contact_id
   OR o.contact_key IS DISTINCT FROM n.contact_key;
