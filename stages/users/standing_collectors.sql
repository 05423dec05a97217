-- Nobody was asked: what is known of the collectors stays as it is, but for those that are deleted.
INSERT INTO next_collectors
SELECT c.*
FROM collectors c
LEFT JOIN deleted_collectors d ON d.organization_id = c.organization_id AND d.collector = c.collector
WHERE d.collector IS NULL;
