-- When the last run began that applied decisions to each organization.
SELECT o.organization_id, max(r.started_at)
FROM run_organizations o
JOIN runs r ON r.run_id = o.run_id
WHERE o.status = 'succeeded'
GROUP BY o.organization_id
