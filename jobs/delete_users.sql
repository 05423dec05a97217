-- The users that one collector alone has seen.
--   $1 organization   $2 collector
SELECT object_guid
FROM ad_user_collectors
WHERE organization_id = $1
GROUP BY object_guid
HAVING max(collector) = $2 AND min(collector) = $2
ORDER BY object_guid
