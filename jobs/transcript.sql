-- collectors
SELECT concat_ws(' | ', organization_id, collector, status, 'users ' || users_seen, COALESCE(last_run_id, 'never'), message)
FROM collectors ORDER BY organization_id, collector;

-- ad_users
SELECT concat_ws(' | ', organization_id, object_guid, display_name, 'email ' || email, 'from ' || email_source, ad_status,
                 'logon ' || strftime(last_logon AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') || ' ' || last_logon_source,
                 'reset ' || strftime(last_password_reset AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ'),
                 'password ' || password_state,
                 'until ' || strftime(password_expires AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ'),
                 'keys ' || concat_ws('/', email_key, first_key, last_key))
FROM ad_users ORDER BY organization_id, object_guid;

-- exclusions
SELECT concat_ws(' | ', organization_id, collector, reason, accounts)
FROM run_exclusions WHERE run_id = (SELECT max(run_id) FROM runs) ORDER BY organization_id, collector, reason;

-- contact_matching
SELECT concat_ws(' | ', organization_id, object_guid, display_name, status, 'rule ' || rule, 'reason ' || reason,
                 'contact ' || contact_id, 'key ' || contact_key, 'since ' || since_run_id, 'by ' || decided_by,
                 'candidates ' || CAST(candidates AS VARCHAR))
FROM contact_matching ORDER BY organization_id, object_guid;

-- contacts_enriched
SELECT concat_ws(' | ', organization_id, contact_id, first_name, last_name, primary_email, 'user ' || object_guid, ad_status,
                 CASE WHEN psa_badge THEN 'psa' ELSE 'no psa: ' || psa_reason END)
FROM contacts_enriched ORDER BY organization_id, contact_id;

-- push_items
SELECT concat_ws(' | ', organization_id, psa, op, COALESCE(contact_key, CAST(contact_id AS VARCHAR)), state, reason, CAST(changed AS VARCHAR))
FROM push_items WHERE run_id = (SELECT max(run_id) FROM runs) ORDER BY organization_id, contact_id, contact_key;
