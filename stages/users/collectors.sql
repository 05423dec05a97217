-- How each collector's last read went. A collector that failed, or has no credentials, keeps
-- the count and the run of its last complete read; one that is no longer configured stays on
-- the list, because its users stay until it is deleted.
INSERT INTO next_collectors
SELECT r.organization_id,
       r.collector,
       r.status,
       r.message,
       CASE WHEN r.status = 'complete' THEN r.users_seen ELSE COALESCE(c.users_seen, 0) END,
       CASE WHEN r.status = 'complete' THEN x.run_id     ELSE c.last_run_id END,
       r.controllers,
       r.silent_controllers,
       r.certificate_expires
FROM read_collectors r
CROSS JOIN run_context x
LEFT JOIN collectors c ON c.organization_id = r.organization_id AND c.collector = r.collector;

INSERT INTO next_collectors
SELECT c.organization_id, c.collector, 'not_configured',
       'taken out of the configuration; users that only it had seen stay as they were',
       c.users_seen, c.last_run_id, c.controllers, c.silent_controllers, c.certificate_expires
FROM collectors c
LEFT JOIN read_collectors r ON r.organization_id = c.organization_id AND r.collector = c.collector
WHERE r.collector IS NULL;
