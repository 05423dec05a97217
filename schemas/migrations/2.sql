-- From version 1 to 2: collectors tell which domain controllers answered and when their
-- certificate expires; runs count what was left out. Of earlier runs this is not known.
ALTER TABLE collectors ADD COLUMN controllers VARCHAR[];
ALTER TABLE collectors ADD COLUMN silent_controllers VARCHAR[];
ALTER TABLE collectors ADD COLUMN certificate_expires TIMESTAMPTZ;
ALTER TABLE run_organizations ADD COLUMN excluded BIGINT;
ALTER TABLE run_organizations ADD COLUMN exclusions VARCHAR;
