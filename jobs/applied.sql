-- Organizations that the last run left as they were, and when the last one began that did not:
-- NULL if there was none. What was decided since then they have not seen.
SELECT o.organization_id,
       (SELECT max(r.started_at)
        FROM run_organizations s
        JOIN runs r ON r.run_id = s.run_id
        WHERE s.organization_id = o.organization_id AND s.status = 'succeeded') AS since
FROM run_organizations o
JOIN (SELECT organization_id, max(run_id) AS run_id FROM run_organizations GROUP BY organization_id) last
  ON last.organization_id = o.organization_id AND last.run_id = o.run_id
WHERE o.status <> 'succeeded'
