-- The collectors: how the last read of each went, which domain controllers answered, and which
-- accounts it left out as no users. Parameter: organization, NULL for all.
SELECT c.organization_id,
       c.collector,
       c.status,
       c.users_seen,
       COALESCE((SELECT string_agg(e.reason || ' ' || e.accounts, ', ' ORDER BY e.reason)
                 FROM run_exclusions e
                 WHERE e.run_id = c.last_run_id AND e.organization_id = c.organization_id
                   AND e.collector = c.collector), '') AS excluded,
       c.controllers,
       c.certificate_expires,
       c.last_run_id,
       COALESCE(c.message, '')                         AS message
FROM collectors c
WHERE c.organization_id = COALESCE($1, c.organization_id)
ORDER BY c.organization_id, c.collector
