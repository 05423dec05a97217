-- A run that reads nothing cannot see a created contact appear, so it is no run to wait for it.
UPDATE next_user_matching n
SET waiting_runs = m.waiting_runs
FROM user_matching m
WHERE m.organization_id = n.organization_id AND m.object_guid = n.object_guid
  AND n.contact_id IS NULL AND n.contact_key = m.contact_key AND n.created_run_id = m.created_run_id;
