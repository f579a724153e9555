-- The ledger's blobs against the listing of the blob store. The ledger may have moved on since: a row is a
-- suspicion that examine.py holds against the present before it is a problem.

-- name: missing
-- Live blobs that the listing does not have; those without a sha256 stand for imports that were not fetched yet.
SELECT b.blob_key, printf('blob %s is missing; %d files need it, for example %s', b.blob_key, count(f.id),
    coalesce(min(f.file_id), 'none')) AS problem
FROM blobs AS b LEFT JOIN files AS f ON f.blob = b.id AND f.deleted_at IS NULL
WHERE b.deleted_at IS NULL AND b.sha256 <> '' AND NOT EXISTS (SELECT 1 FROM stored AS s WHERE s.blob_key = b.blob_key)
GROUP BY b.id;

-- name: wrong_size
-- Live blobs that are shorter or longer than their row says.
SELECT b.blob_key, printf('blob %s has %d bytes; its row says %d', b.blob_key, s.size_bytes, b.size_bytes) AS problem
FROM blobs AS b JOIN stored AS s ON s.blob_key = b.blob_key
WHERE b.deleted_at IS NULL AND s.size_bytes <> b.size_bytes;

-- name: orphans
-- Stored blobs that no row names, written before a time.
SELECT s.blob_key, printf('blob %s (%d bytes) is named by no row', s.blob_key, s.size_bytes) AS problem
FROM stored AS s
WHERE s.written_at < :before AND NOT EXISTS (SELECT 1 FROM blobs AS b WHERE b.blob_key = s.blob_key);

-- name: lingering
-- Blobs marked deleted before a time whose bytes are still there.
SELECT b.blob_key, printf('blob %s was deleted, but its %d bytes are still there', b.blob_key, s.size_bytes) AS problem
FROM blobs AS b JOIN stored AS s ON s.blob_key = b.blob_key
WHERE b.deleted_at < :before;

-- name: is_live^
-- Whether a row keeps a blob now.
SELECT EXISTS (SELECT 1 FROM blobs WHERE blob_key = :blob_key AND deleted_at IS NULL AND sha256 <> '') AS live;

-- name: is_named^
-- Whether a row names a blob now, be it deleted.
SELECT EXISTS (SELECT 1 FROM blobs WHERE blob_key = :blob_key) AS named;
