-- The guard (design section 6): organizations whose numbers look like a fault and not like a
-- night. guard_measures holds one row for each number that is watched:
--   max_share  the number must not fall to zero, nor by more than this share AND more than 20
--   max_count  the number must not exceed this
-- An accepted organization passes. A held one is left as it was; the message says what the run
-- would have done. Before that, what made an organization unavailable is put in order, because its
-- sources were read side by side.
UPDATE verdicts
SET message = (SELECT string_agg(m.message, '; ' ORDER BY m.message)
               FROM verdict_messages m WHERE m.organization_id = verdicts.organization_id)
WHERE status = 'unavailable';

CREATE OR REPLACE TEMP TABLE tripped AS
SELECT organization_id,
       CASE WHEN max_share IS NOT NULL
            THEN measure || ' would fall from ' || before || ' to ' || after
                 || ' (limit ' || CAST(round(max_share * 100) AS BIGINT) || ' % and 20)'
            ELSE measure || ' would be ' || after || ' (limit ' || max_count || ')'
       END AS message
FROM guard_measures
WHERE organization_id IN (SELECT organization_id FROM active_organizations)
  AND organization_id NOT IN (SELECT organization_id FROM accepted)
  AND (   (max_share IS NOT NULL AND before > 0 AND after = 0)
       OR (max_share IS NOT NULL AND before - after > 20 AND before - after > max_share * before)
       OR (max_count IS NOT NULL AND after > max_count));

UPDATE verdicts
SET status  = 'held',
    message = (SELECT string_agg(t.message, '; ' ORDER BY t.message)
               FROM tripped t WHERE t.organization_id = verdicts.organization_id)
              || '; nothing was committed, accept once with --accept ' || organization_id
WHERE organization_id IN (SELECT organization_id FROM tripped);
