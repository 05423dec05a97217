-- The runs, the latest first, with how many organizations each had and what it changed.
SELECT r.run_id,
       r.job,
       r.status,
       r.now,
       r.finished_at,
       (SELECT count(*) FROM run_organizations o WHERE o.run_id = r.run_id)                              AS organizations,
       (SELECT count(*) FROM run_organizations o WHERE o.run_id = r.run_id AND o.status <> 'succeeded')  AS left_as_they_were,
       (SELECT count(*) FROM match_deltas d WHERE d.run_id = r.run_id)                                   AS match_deltas,
       (SELECT count(*) FROM enrichment_deltas d WHERE d.run_id = r.run_id)                              AS enrichment_deltas,
       (SELECT count(*) FROM push_items p WHERE p.run_id = r.run_id AND p.state = 'pushed')              AS pushed,
       COALESCE(r.message, '')                                                                           AS message
FROM runs r
ORDER BY r.run_id DESC
