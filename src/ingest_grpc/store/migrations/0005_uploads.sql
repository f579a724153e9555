-- Files that callers find again by their own key, describe, let expire, upload in parts and import.

ALTER TABLE files ADD COLUMN external_id TEXT;
ALTER TABLE files ADD COLUMN metadata TEXT NOT NULL DEFAULT '{}'; -- JSON object of scalars
ALTER TABLE files ADD COLUMN expires_at INTEGER;
-- An imported file has a blob row with the sha256 '' until its bytes are fetched, and this same sha256 itself.
ALTER TABLE files ADD COLUMN import_url TEXT;
ALTER TABLE files ADD COLUMN import_etag TEXT;
ALTER TABLE files ADD COLUMN fetched_at INTEGER;

CREATE UNIQUE INDEX files_by_external_id ON files (team, external_id)
    WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX files_expiring ON files (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;

-- Uploads that can be resumed. Bytes beyond committed_bytes in their spool files were never promised to anybody.
CREATE TABLE uploads (
    id              INTEGER PRIMARY KEY,
    upload_id       TEXT NOT NULL UNIQUE,
    team            TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    filename        TEXT NOT NULL,
    path            TEXT NOT NULL,
    content_type    TEXT NOT NULL,
    size_bytes      INTEGER, -- as announced, as is sha256
    sha256          TEXT,
    external_id     TEXT,
    committed_bytes INTEGER NOT NULL CHECK (committed_bytes >= 0),
    file_id         TEXT,    -- the file that it became
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT;

CREATE INDEX uploads_expiring ON uploads (expires_at);
