-- A purge that has begun is not taken back, and the bytes of unfinished uploads count.

ALTER TABLE jobs ADD COLUMN purged_at INTEGER; -- since when nobody finds it; its rows go in slices

-- purged_at says the same of a knowledge base from here on; its purge_at stays until nothing is left of it.
UPDATE knowledge_bases SET purge_at = NULL WHERE purged_at IS NOT NULL;
DROP INDEX knowledge_bases_to_purge;
CREATE INDEX knowledge_bases_to_purge ON knowledge_bases (purge_at) WHERE purge_at IS NOT NULL;

CREATE INDEX uploads_open ON uploads (team, committed_bytes) WHERE file_id IS NULL;
