-- name: ledger_id^
-- Identity of this ledger.
SELECT ledger_id FROM ledger;

-- name: events_after
-- Events of a job after a sequence, oldest first.
SELECT e.*, j.job_id FROM events AS e JOIN jobs AS j ON j.id = e.job
WHERE e.job = :job AND e.sequence > :after ORDER BY e.sequence LIMIT :limit;

-- name: events_of_types_after
-- Events of a job that have one of some types, after a sequence, oldest first.
SELECT e.*, j.job_id FROM events AS e JOIN jobs AS j ON j.id = e.job
WHERE e.job = :job AND e.sequence > :after AND e.type IN (SELECT value FROM json_each(:types))
ORDER BY e.sequence LIMIT :limit;

-- name: count_events^
-- How many events of a job follow a sequence, up to a limit: of some types, or of all.
SELECT count(*) AS events FROM (
    SELECT 1 FROM events WHERE job = :job AND sequence > :after
    AND (:types = '[]' OR type IN (SELECT value FROM json_each(:types))) LIMIT :limit
);

-- name: milestones_after
-- Milestones of a job after a sequence, oldest first.
SELECT e.*, j.job_id FROM events AS e JOIN jobs AS j ON j.id = e.job
WHERE e.job = :job AND e.milestone = 1 AND e.sequence > :after ORDER BY e.sequence LIMIT :limit;

-- name: insert_event*!
-- New events.
INSERT INTO events (job, sequence, team, timestamp, type, milestone, in_feed, message, actor, trigger, change)
VALUES (:job, :sequence, :team, :timestamp, :type, :milestone, :in_feed, :message, :actor, :trigger, :change);

-- name: request^
-- An earlier call with the same request id.
SELECT payload_hash, result FROM requests WHERE team = :team AND method = :method AND request_id = :request_id;

-- name: insert_request!
-- Remembers a call that succeeded.
INSERT INTO requests (team, method, request_id, payload_hash, result, created_at)
VALUES (:team, :method, :request_id, :payload_hash, :result, :created_at);

-- name: forget_requests!
-- Forgets some of the calls that are older than a time.
DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE created_at < :before ORDER BY created_at LIMIT :limit);

-- name: api_key_by_hash^
-- The API key with a secret, unless revoked.
SELECT * FROM api_keys WHERE secret_hash = :secret_hash AND revoked_at IS NULL;

-- name: any_api_key^
-- Whether a key was ever made, revoked ones included: revoking the last key must not open the door.
SELECT EXISTS (SELECT 1 FROM api_keys);

-- name: api_keys
-- All API keys, oldest first.
SELECT * FROM api_keys ORDER BY id;

-- name: insert_api_key!
-- A new API key.
INSERT INTO api_keys (key_id, secret_hash, team, user_id, scopes, created_at, max_priority)
VALUES (:key_id, :secret_hash, :team, :user_id, :scopes, :created_at, :max_priority);

-- name: revoke_api_key!
-- Revokes an API key.
UPDATE api_keys SET revoked_at = :revoked_at WHERE key_id = :key_id AND revoked_at IS NULL;
