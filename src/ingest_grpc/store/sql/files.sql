-- name: file^
-- A file of a team, deleted or not.
SELECT f.*, b.blob_key FROM files AS f LEFT JOIN blobs AS b ON b.id = f.blob
WHERE f.file_id = :file_id AND f.team = :team;

-- name: files_newest
-- One page of a team's files, newest first.
SELECT f.*, b.blob_key, (:contains = '' OR instr(casefold(f.filename), :contains) > 0) AS passes
FROM files AS f CROSS JOIN blobs AS b ON b.id = f.blob
WHERE f.team = :team AND f.deleted_at IS NULL AND f.id < :before ORDER BY f.id DESC LIMIT :limit;

-- name: files_newest_of_kind
-- One page of a team's uploads or outputs, newest first.
SELECT f.*, b.blob_key, (:contains = '' OR instr(casefold(f.filename), :contains) > 0) AS passes
FROM files AS f CROSS JOIN blobs AS b ON b.id = f.blob
WHERE f.team = :team AND f.kind = :kind AND f.deleted_at IS NULL AND f.id < :before ORDER BY f.id DESC LIMIT :limit;

-- name: count_files^
-- How many of the newest files of a team pass, up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM (
        SELECT filename FROM files WHERE team = :team AND deleted_at IS NULL ORDER BY id DESC LIMIT :scanned
    ) WHERE :contains = '' OR instr(casefold(filename), :contains) > 0 LIMIT :limit
);

-- name: count_files_of_kind^
-- How many of the newest uploads or outputs of a team pass, up to a limit.
SELECT count(*) FROM (
    SELECT 1 FROM (
        SELECT filename FROM files WHERE team = :team AND kind = :kind AND deleted_at IS NULL
        ORDER BY id DESC LIMIT :scanned
    ) WHERE :contains = '' OR instr(casefold(filename), :contains) > 0 LIMIT :limit
);

-- name: jobs_listing_file
-- The jobs whose file list holds a file as Markdown.
SELECT DISTINCT job FROM job_files WHERE file = :file AND removed_at IS NULL ORDER BY job;

-- name: insert_file<!
-- A new file.
INSERT INTO files (
    file_id, team, user_id, kind, filename, path, content_type, size_bytes, sha256, markdown, blob, created_at,
    external_id, import_url, import_etag, image_of
) VALUES (
    :file_id, :team, :user_id, :kind, :filename, :path, :content_type, :size_bytes, :sha256, :markdown, :blob, :created_at,
    :external_id, :import_url, :import_etag, :image_of
);

-- name: update_file!
-- What callers may change in a file.
UPDATE files SET filename = :filename, metadata = :metadata, expires_at = :expires_at WHERE id = :row_id;

-- name: file_fetched!
-- The bytes of an imported file have come.
UPDATE files SET blob = :blob, sha256 = :sha256, markdown = :markdown, fetched_at = :fetched_at WHERE id = :row_id;

-- name: file_by_external_id^
-- The file of a team that has an external id and is not deleted.
SELECT f.*, b.blob_key FROM files AS f JOIN blobs AS b ON b.id = f.blob
WHERE f.team = :team AND f.external_id = :external_id AND f.deleted_at IS NULL;

-- name: expired_files
-- One page of files whose time is over, each with whether no job lists it as source, output or Markdown.
SELECT f.*, b.blob_key,
    NOT EXISTS (SELECT 1 FROM file_records AS r WHERE r.file = f.id AND r.deleted_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM file_records AS r WHERE r.output_file_id = f.file_id AND r.deleted_at IS NULL)
    AND NOT EXISTS (SELECT 1 FROM job_files AS j WHERE j.file = f.id AND j.removed_at IS NULL) AS unlisted
FROM files AS f CROSS JOIN blobs AS b ON b.id = f.blob
WHERE f.expires_at <= :now AND f.deleted_at IS NULL AND (f.expires_at, f.id) > (:after_expires_at, :after_row)
ORDER BY f.expires_at, f.id LIMIT :limit;

-- name: delete_file!
-- Marks a file deleted; its description stays for the history.
UPDATE files SET deleted_at = :deleted_at, blob = NULL WHERE id = :row_id AND deleted_at IS NULL;

-- name: images_of
-- The pictures that an output shows, deleted or not.
SELECT f.*, b.blob_key FROM files AS f LEFT JOIN blobs AS b ON b.id = f.blob
WHERE f.image_of = :file_id ORDER BY f.id;

-- name: shared_blob^
-- The blob that holds the same bytes for the same team.
SELECT id, blob_key FROM blobs
WHERE team = :team AND sha256 = :sha256 AND size_bytes = :size_bytes AND shareable = 1 AND deleted_at IS NULL;

-- name: insert_blob<!
-- A new blob.
INSERT INTO blobs (blob_key, team, sha256, size_bytes, shareable)
VALUES (:blob_key, :team, :sha256, :size_bytes, :shareable);

-- name: release_blob!
-- Marks a blob deleted if no live file refers to it.
UPDATE blobs SET deleted_at = :deleted_at
WHERE id = :blob AND deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM files WHERE files.blob = blobs.id AND files.deleted_at IS NULL);

-- name: blob_of_file^
-- The blob of a file.
SELECT blob FROM files WHERE id = :row_id;

-- name: deleted_blobs
-- Blobs whose bytes may go.
SELECT id, blob_key FROM blobs WHERE deleted_at IS NOT NULL AND id > :after ORDER BY id LIMIT :limit;

-- name: forget_blob!
-- Drops the row of a blob whose bytes are gone.
DELETE FROM blobs WHERE id = :row_id AND deleted_at IS NOT NULL;

-- name: blob_is_kept^
-- Whether a row keeps the blob of a key.
SELECT EXISTS (SELECT 1 FROM blobs WHERE blob_key = :blob_key AND deleted_at IS NULL AND sha256 <> '');

-- name: stored_bytes^
-- How many bytes a team stores, those of its unfinished uploads included.
SELECT coalesce((SELECT bytes FROM team_usage WHERE team = :team), 0)
    + coalesce((SELECT sum(committed_bytes) FROM uploads WHERE team = :team AND file_id IS NULL), 0);
