-- The contacts as the last run left them, in the place of what the sources would hold: for a run
-- that applies decisions alone.
INSERT INTO read_contacts BY NAME
SELECT c.* EXCLUDE (first_seen_run_id)
FROM contacts c
JOIN active_organizations a ON a.organization_id = c.organization_id;

INSERT INTO read_contact_emails BY NAME
SELECT e.* FROM contact_emails e JOIN active_organizations a ON a.organization_id = e.organization_id;

INSERT INTO read_contact_phones BY NAME
SELECT p.* FROM contact_phones p JOIN active_organizations a ON a.organization_id = p.organization_id;
