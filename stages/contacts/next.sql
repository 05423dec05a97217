-- Tonight's contacts become the state's. A contact keeps the run that saw it first: only one
-- that appeared after a creation can be the created contact.
INSERT INTO next_contacts
SELECT r.*, COALESCE(c.first_seen_run_id, x.run_id)
FROM read_contacts r
CROSS JOIN run_context x
JOIN active_organizations a ON a.organization_id = r.organization_id
LEFT JOIN contacts c ON c.organization_id = r.organization_id AND c.contact_id = r.contact_id;

INSERT INTO next_contact_emails
SELECT r.* FROM read_contact_emails r
JOIN active_organizations a ON a.organization_id = r.organization_id;

INSERT INTO next_contact_phones
SELECT r.* FROM read_contact_phones r
JOIN active_organizations a ON a.organization_id = r.organization_id;

INSERT INTO next_organizations
SELECT s.organization_id, s.name, s.psa, s.two_way_sync, s.email_type, s.phone_type
FROM read_settings s
JOIN active_organizations a ON a.organization_id = s.organization_id;
