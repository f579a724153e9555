-- name: feed_after
-- Events of a team's feed after a cursor, in the order of their commits.
SELECT e.*, j.job_id FROM events AS e JOIN jobs AS j ON j.id = e.job
WHERE e.team = :team AND e.in_feed = 1 AND e.id > :after ORDER BY e.id LIMIT :limit;

-- name: feed_newest^
-- The newest event of a team's feed.
SELECT max(id) FROM events WHERE team = :team AND in_feed = 1;

-- name: feed_floor^
-- Up to where a team's feed is no longer whole.
SELECT floor FROM feed_floors WHERE team = :team;

-- name: raise_feed_floor!
-- Remembers that events of a team's feed up to an id are no longer whole.
INSERT INTO feed_floors (team, floor) VALUES (:team, :floor)
ON CONFLICT (team) DO UPDATE SET floor = max(floor, excluded.floor);

