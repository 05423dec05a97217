-- One line for each organization, from the run's temporary tables: what stands after the run,
-- and what the run changes. An organization that the guard holds shows what it would have done.
SELECT o.organization_id,
       s.name,
       o.status,
       o.users, o.matched, o.ignored, o.unavailable,
       COALESCE((SELECT string_agg(reason || ' ' || n, ', ' ORDER BY reason)
                 FROM (SELECT reason, count(*) AS n FROM next_user_matching m
                       WHERE m.organization_id = o.organization_id AND m.status = 'unmatched'
                       GROUP BY reason)), '')                                                       AS reasons,
       o.unmatched,
       (SELECT count(*) FROM next_match_deltas d WHERE d.organization_id = o.organization_id)       AS match_deltas,
       (SELECT count(*) FROM next_enrichment_deltas d WHERE d.organization_id = o.organization_id)  AS enrichment_deltas,
       (SELECT count(*) FROM next_creations c JOIN run_context x ON x.run_id = c.run_id
        WHERE c.organization_id = o.organization_id)                                                 AS creations,
       (SELECT count(*) FROM next_push_items p WHERE p.organization_id = o.organization_id AND p.state = 'pushed')   AS pushed,
       (SELECT count(*) FROM next_push_items p WHERE p.organization_id = o.organization_id AND p.state = 'rejected') AS rejected,
       (SELECT count(*) FROM next_push_items p WHERE p.organization_id = o.organization_id AND p.state = 'not_eligible') AS not_eligible,
       COALESCE(o.exclusions, '')                                                                   AS exclusions,
       COALESCE(o.message, '')                                                                      AS message
FROM next_run_organizations o
JOIN read_settings s ON s.organization_id = o.organization_id
ORDER BY o.organization_id
