-- No id is given out twice, see docs/decisions/0037. What a purge removes may still be named elsewhere: a document and
-- the index know the record whose chunks they hold, workers and watchers know what they work on and watch.

-- AUTOINCREMENT changes nothing in the rows, so the text of the schema is all that is to be changed: a copy of every row
-- would take minutes and twice the room. Not for tables whose rows are never deleted or never named.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER PRIMARY KEY,', 'INTEGER PRIMARY KEY AUTOINCREMENT,')
WHERE type = 'table'
  AND name IN ('jobs', 'ingestion_jobs', 'alignment_jobs', 'file_records', 'files', 'blobs', 'uploads');
PRAGMA writable_schema = RESET; -- reads the schema again

-- Above every id that was ever given. Those of purged rows are not known, nor is what the index holds, but whatever has
-- an id there came with an event of its own, and the ids of events were never given twice.
INSERT INTO sqlite_sequence (name, seq)
SELECT t.name, highest.id
FROM sqlite_schema AS t
CROSS JOIN (
    SELECT max(id) AS id FROM (
        SELECT seq AS id FROM sqlite_sequence
        UNION ALL SELECT max(id) FROM jobs
        UNION ALL SELECT max(id) FROM ingestion_jobs
        UNION ALL SELECT max(id) FROM alignment_jobs
        UNION ALL SELECT max(id) FROM file_records
        UNION ALL SELECT max(id) FROM files
        UNION ALL SELECT max(id) FROM blobs
        UNION ALL SELECT max(id) FROM uploads
        UNION ALL SELECT max(record) FROM documents
        UNION ALL SELECT max(indexed_record) FROM documents
        UNION ALL SELECT max(next_record) FROM documents
    )
) AS highest
WHERE t.type = 'table' AND t.sql LIKE '%PRIMARY KEY AUTOINCREMENT,%' AND t.name <> 'events' AND highest.id IS NOT NULL;
