-- Who left since last night: the account is gone or disabled, and somebody is documented for it
SELECT c.organization_id AS org, c.contact_id, c.first_name, c.last_name, d.old_value AS was, d.new_value AS is_now
FROM enrichment_deltas d JOIN contacts c USING (organization_id, contact_id)
WHERE d.run_id = (SELECT max(run_id) FROM runs)
  AND d.field = 'ad_status' AND d.new_value IN ('disabled', 'unavailable')
ORDER BY org, is_now, c.last_name;

-- Whose password expires within 14 days
SELECT organization_id AS org, first_name, last_name, strftime(password_expires, '%Y-%m-%d %H:%M') AS expires
FROM contacts_enriched
WHERE ad_status = 'enabled'
  AND password_expires BETWEEN (SELECT max(now) FROM runs) AND (SELECT max(now) FROM runs) + INTERVAL 14 DAY
ORDER BY password_expires;

-- What went to the PSAs in both nights, what did not, and why
SELECT run_id, organization_id AS org, op, state, reason, count(*) AS contacts,
       string_agg(DISTINCT array_to_string(changed, '+'), ' ') AS changed
FROM push_items GROUP BY ALL ORDER BY ALL;

-- Who waits for a person to look, and why
SELECT organization_id AS org, display_name, email, reason, candidates
FROM contact_matching WHERE status = 'unmatched'
ORDER BY org, reason, display_name;
