-- name: upload^
-- An upload of a team, complete or not.
SELECT * FROM uploads WHERE upload_id = :upload_id AND team = :team;

-- name: insert_upload<!
-- A new upload.
INSERT INTO uploads (
    upload_id, team, user_id, filename, path, content_type, size_bytes, sha256, external_id, committed_bytes,
    created_at, expires_at
) VALUES (
    :upload_id, :team, :user_id, :filename, :path, :content_type, :size_bytes, :sha256, :external_id, 0,
    :created_at, :expires_at
);

-- name: advance_upload!
-- More bytes of an upload are durable.
UPDATE uploads SET committed_bytes = :committed_bytes, expires_at = :expires_at
WHERE id = :row_id AND file_id IS NULL;

-- name: complete_upload!
-- An upload became a file; its row stays for those who ask again.
UPDATE uploads SET file_id = :file_id, expires_at = :expires_at WHERE id = :row_id AND file_id IS NULL;

-- name: expired_uploads
-- Some uploads whose time is over, complete ones included.
SELECT * FROM uploads WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit;

-- name: delete_upload!
-- Forgets an upload whose time is over.
DELETE FROM uploads WHERE id = :row_id AND expires_at <= :now;

-- name: upload_is_open^
-- Whether an upload waits for more bytes.
SELECT EXISTS (SELECT 1 FROM uploads WHERE upload_id = :upload_id AND file_id IS NULL);

-- name: count_open_uploads^
-- How many uploads of a team wait for more bytes, counted up to a limit.
SELECT count(*) FROM (SELECT 1 FROM uploads WHERE team = :team AND file_id IS NULL LIMIT :limit);
