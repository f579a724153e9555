-- name: knowledge_base^
-- A knowledge base of a team.
SELECT * FROM knowledge_bases WHERE knowledge_base_id = :knowledge_base_id AND team = :team AND purged_at IS NULL;

-- name: knowledge_base_by_row^
-- A knowledge base by its integer key.
SELECT * FROM knowledge_bases WHERE id = :row_id;

-- name: knowledge_base_by_public_id^
-- A knowledge base of any team.
SELECT * FROM knowledge_bases WHERE knowledge_base_id = :knowledge_base_id AND purged_at IS NULL;

-- name: knowledge_base_by_external_id^
-- The knowledge base with an external id of a team.
SELECT * FROM knowledge_bases WHERE team = :team AND external_id = :external_id AND purged_at IS NULL;

-- name: knowledge_bases_newest
-- One page of a team's knowledge bases, newest first.
SELECT * FROM knowledge_bases WHERE team = :team AND deleted_at IS NULL AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: knowledge_bases_newest_with_deleted
-- One page of a team's knowledge bases, deleted ones included, newest first.
SELECT * FROM knowledge_bases WHERE team = :team AND purged_at IS NULL AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: count_knowledge_bases^
-- How many knowledge bases a team has, up to a limit.
SELECT count(*) AS knowledge_bases FROM (
    SELECT 1 FROM knowledge_bases
    WHERE team = :team AND purged_at IS NULL AND (:show_deleted OR deleted_at IS NULL) LIMIT :limit
);

-- name: knowledge_bases_after
-- Knowledge bases that are not purged, of all teams.
SELECT * FROM knowledge_bases WHERE purged_at IS NULL AND id > :after ORDER BY id LIMIT :limit;

-- name: begin_knowledge_base_purges
-- Deleted knowledge bases whose time is over, also those whose purge had begun; from now on nobody finds them.
UPDATE knowledge_bases SET purged_at = coalesce(purged_at, :now)
WHERE id IN (SELECT id FROM knowledge_bases WHERE purge_at <= :now ORDER BY purge_at LIMIT :limit) RETURNING *;

-- name: insert_knowledge_base<!
-- A new knowledge base.
INSERT INTO knowledge_bases (
    knowledge_base_id, team, user_id, name, description, external_id, indexing, next, generations,
    created_at, updated_at, deleted_at, purge_at
) VALUES (
    :knowledge_base_id, :team, :user_id, :name, :description, :external_id, :indexing, :next, :generations,
    :created_at, :updated_at, :deleted_at, :purge_at
);

-- name: update_knowledge_base!
-- What a transaction changed in a knowledge base.
UPDATE knowledge_bases SET
    name = :name, description = :description, indexing = :indexing, next = :next, generations = :generations,
    updated_at = :updated_at, deleted_at = :deleted_at, purge_at = :purge_at
WHERE id = :row_id;

-- name: purge_documents!
-- Some documents of a purged knowledge base, whose chunks are gone with its index; the rows stay for old records.
UPDATE documents SET removed_at = coalesce(removed_at, :now), cleared_at = coalesce(cleared_at, :now)
WHERE id IN (SELECT id FROM documents WHERE knowledge_base = :knowledge_base AND cleared_at IS NULL LIMIT :limit);

-- name: purge_data_sources!
-- The data sources of a purged knowledge base.
UPDATE data_sources SET removed_at = :now WHERE knowledge_base = :knowledge_base AND removed_at IS NULL;

-- name: end_knowledge_base_purge!
-- Nothing is left of a knowledge base but its row.
UPDATE knowledge_bases SET purge_at = NULL WHERE id = :row_id;

-- name: document_counts
-- Documents of a knowledge base by the status of their latest record.
SELECT status, sum(documents) AS documents, sum(partial) AS partial, sum(searchable) AS searchable, sum(chunks) AS chunks
FROM document_counts WHERE knowledge_base = :knowledge_base GROUP BY status;

-- name: document_counts_of_source
-- Documents of one data source by the status of their latest record.
SELECT status, documents, partial, searchable, chunks FROM document_counts
WHERE knowledge_base = :knowledge_base AND data_source = :data_source;

-- name: forget_document_counts!
-- The counts of a knowledge base, for them to be counted anew.
DELETE FROM document_counts WHERE knowledge_base = :knowledge_base;

-- name: recount_documents!
-- The counts of a knowledge base that has none.
INSERT INTO document_counts
SELECT knowledge_base, coalesce(data_source, 0), status, count(*), sum(partial), sum(searchable), sum(chunks)
FROM live_documents WHERE knowledge_base = :knowledge_base GROUP BY data_source, status;

-- name: is_searchable^
-- Whether a knowledge base has anything that can be found.
SELECT EXISTS (SELECT 1 FROM document_counts WHERE knowledge_base = :knowledge_base AND searchable > 0);

-- name: knowledge_base_jobs_in_flight
-- Jobs of a knowledge base with queued or running records, or to which a sync still adds some.
SELECT * FROM jobs
WHERE knowledge_base_id = :knowledge_base_id
  AND (queued + running > 0 OR (job_type = 'KNOWLEDGE_BASE' AND ever_active = 0))
ORDER BY id LIMIT :limit;

-- name: data_source^
-- A data source of a team.
SELECT s.*, k.knowledge_base_id FROM data_sources AS s JOIN knowledge_bases AS k ON k.id = s.knowledge_base
WHERE s.data_source_id = :data_source_id AND s.team = :team AND s.removed_at IS NULL;

-- name: data_source_by_row^
-- A data source by its integer key, removed or not.
SELECT s.*, k.knowledge_base_id FROM data_sources AS s JOIN knowledge_bases AS k ON k.id = s.knowledge_base
WHERE s.id = :row_id;

-- name: data_source_by_external_id^
-- The data source with an external id of a team.
SELECT s.*, k.knowledge_base_id FROM data_sources AS s JOIN knowledge_bases AS k ON k.id = s.knowledge_base
WHERE s.team = :team AND s.external_id = :external_id AND s.removed_at IS NULL;

-- name: data_sources_newest
-- One page of a knowledge base's data sources, newest first.
SELECT s.*, k.knowledge_base_id FROM data_sources AS s JOIN knowledge_bases AS k ON k.id = s.knowledge_base
WHERE s.knowledge_base = :knowledge_base AND s.removed_at IS NULL AND s.id < :before ORDER BY s.id DESC LIMIT :limit;

-- name: count_data_sources^
-- How many data sources a knowledge base has.
SELECT count(*) FROM data_sources WHERE knowledge_base = :knowledge_base AND removed_at IS NULL;

-- name: data_sources_due
-- Data sources that are to be synced by themselves.
SELECT s.*, k.knowledge_base_id FROM data_sources AS s JOIN knowledge_bases AS k ON k.id = s.knowledge_base
WHERE s.next_sync_at IS NOT NULL AND s.removed_at IS NULL AND k.deleted_at IS NULL AND s.next_sync_at <= :now
ORDER BY s.next_sync_at LIMIT :limit;

-- name: next_sync_at^
-- When the next data source is to be synced by itself.
SELECT min(s.next_sync_at) FROM data_sources AS s JOIN knowledge_bases AS k ON k.id = s.knowledge_base
WHERE s.next_sync_at IS NOT NULL AND s.removed_at IS NULL AND k.deleted_at IS NULL;

-- name: jobs_being_filled
-- Jobs of syncs that are still adding files, or were interrupted while they did.
SELECT j.* FROM data_sources AS s JOIN jobs AS j ON j.job_id = s.sync_job_id WHERE j.ever_active = 0;

-- name: data_sources_being_removed
-- Data sources that were removed and still have documents.
SELECT s.*, k.knowledge_base_id FROM data_sources AS s JOIN knowledge_bases AS k ON k.id = s.knowledge_base
WHERE s.removed_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM documents AS d WHERE d.data_source = s.id AND d.removed_at IS NULL);

-- name: insert_data_source<!
-- A new data source.
INSERT INTO data_sources (
    data_source_id, knowledge_base, team, user_id, name, type, url, include_patterns, exclude_patterns, method,
    sync_interval_seconds, next_sync_at, last_sync, sync_job_id, external_id, created_at, updated_at, removed_at
) VALUES (
    :data_source_id, :knowledge_base, :team, :user_id, :name, :type, :url, :include_patterns, :exclude_patterns, :method,
    :sync_interval_seconds, :next_sync_at, :last_sync, :sync_job_id, :external_id, :created_at, :updated_at, :removed_at
);

-- name: update_data_source!
-- What a transaction changed in a data source.
UPDATE data_sources SET
    name = :name, include_patterns = :include_patterns, exclude_patterns = :exclude_patterns,
    sync_interval_seconds = :sync_interval_seconds, next_sync_at = :next_sync_at, last_sync = :last_sync,
    sync_job_id = :sync_job_id, updated_at = :updated_at, removed_at = :removed_at
WHERE id = :row_id;

-- name: clear_source_files!
-- Forgets the files of a data source.
DELETE FROM data_source_files WHERE data_source = :data_source;

-- name: insert_source_file*!
-- Files of a data source.
INSERT INTO data_source_files (data_source, place, file_id) VALUES (:data_source, :place, :file_id);

-- name: source_files
-- The files of a data source in their order.
SELECT file_id FROM data_source_files WHERE data_source = :data_source ORDER BY place;

-- name: document_by_row^
-- A document by its integer key, removed or not.
SELECT * FROM documents WHERE id = :row_id;

-- name: document_of_key^
-- The live document of a key.
SELECT * FROM documents
WHERE knowledge_base = :knowledge_base AND coalesce(data_source, 0) = coalesce(:data_source, 0) AND key = :key
  AND removed_at IS NULL;

-- name: known_keys
-- One page of what is known of a data source's keys, in the order they were added. Members of archives have none.
SELECT d.id AS row_id, d.key, d.etag, f.size_bytes, f.sha256, r.status, r.error_reason, d.indexed_record IS NOT NULL AS searchable
FROM documents AS d CROSS JOIN files AS f ON f.id = d.file LEFT JOIN file_records AS r ON r.id = d.record
WHERE d.data_source = :data_source AND d.removed_at IS NULL AND d.parent IS NULL AND d.id > :after
ORDER BY d.id LIMIT :limit;

-- name: count_known_keys^
-- How many keys of a data source are known.
SELECT count(*) FROM documents WHERE data_source = :data_source AND removed_at IS NULL AND parent IS NULL;

-- name: documents_of_knowledge_base
-- One page of a knowledge base's documents, in the order they were added.
SELECT * FROM documents
WHERE knowledge_base = :knowledge_base AND removed_at IS NULL AND id > :after ORDER BY id LIMIT :limit;

-- name: documents_of_file
-- Live documents of a knowledge base whose latest or searchable version is a file, newest first.
SELECT * FROM documents WHERE knowledge_base = :knowledge_base AND removed_at IS NULL AND id IN (
    SELECT id FROM documents WHERE file = :file UNION SELECT id FROM documents WHERE indexed_file = :file
) ORDER BY id DESC;

-- name: live_documents_of_file
-- Live documents of any knowledge base whose latest version is a file.
SELECT * FROM documents WHERE file = :file AND removed_at IS NULL ORDER BY id;

-- name: members_of_document
-- Live documents that were unpacked from an archive.
SELECT * FROM documents WHERE parent = :parent AND removed_at IS NULL ORDER BY id;

-- name: documents_to_clear
-- Removed documents of a knowledge base that the index may still hold chunks of.
SELECT * FROM documents
WHERE knowledge_base = :knowledge_base AND removed_at IS NOT NULL AND cleared_at IS NULL ORDER BY id LIMIT :limit;

-- name: grounding_outputs
-- Outputs of the searchable documents of a knowledge base; archives are no documents themselves.
SELECT d.id, r.output_file_id FROM documents AS d CROSS JOIN file_records AS r ON r.id = d.indexed_record AND r.document = d.id
WHERE d.knowledge_base = :knowledge_base AND d.removed_at IS NULL AND d.id > :after ORDER BY d.id LIMIT :limit;

-- name: documents_to_tell
-- Documents whose metadata the index knows as they were.
SELECT * FROM documents WHERE metadata_changes > metadata_told AND removed_at IS NULL AND id > :after ORDER BY id LIMIT :limit;

-- name: any_documents_to_clear
-- Removed documents of any knowledge base that the index may still hold chunks of.
SELECT * FROM documents WHERE removed_at IS NOT NULL AND cleared_at IS NULL ORDER BY id LIMIT :limit;

-- name: insert_document<!
-- A new document.
INSERT INTO documents (
    document_id, knowledge_base, data_source, parent, team, key, etag, file, record,
    indexed_record, indexed_attempt, indexed_file, chunks, deployed_at, created_at, removed_at
) VALUES (
    :document_id, :knowledge_base, :data_source, :parent, :team, :key, :etag, :file, :record,
    :indexed_record, :indexed_attempt, :indexed_file, :chunks, :deployed_at, :created_at, :removed_at
);

-- name: update_document!
-- What a transaction changed in a document.
UPDATE documents SET
    etag = :etag, file = :file, record = :record, indexed_record = :indexed_record,
    indexed_attempt = :indexed_attempt, indexed_file = :indexed_file, chunks = :chunks, deployed_at = :deployed_at,
    removed_at = :removed_at
WHERE id = :row_id;

-- name: document_cleared!
-- The index holds no chunk of a removed document any more.
UPDATE documents SET cleared_at = :now WHERE id = :row_id AND cleared_at IS NULL;

-- name: file_metadata_changed!
-- The index is to be told of a file's new metadata.
UPDATE documents SET metadata_changes = metadata_changes + 1
WHERE removed_at IS NULL AND id IN (
    SELECT id FROM documents WHERE file = :file UNION SELECT id FROM documents WHERE indexed_file = :file
);

-- name: document_told!
-- The index knows of a document's metadata up to a change.
UPDATE documents SET metadata_told = max(metadata_told, :changes) WHERE id = :row_id;

-- name: set_next_version!
-- The version of a document in the set of chunks that a reindex fills.
UPDATE documents SET next_record = :record, next_attempt = :attempt, next_chunks = :chunks WHERE id = :row_id;

-- name: forget_next_versions!
-- A reindex begins anew, or was given up.
UPDATE documents SET next_record = NULL, next_attempt = NULL, next_chunks = NULL
WHERE knowledge_base = :knowledge_base AND next_record IS NOT NULL;

-- name: deploy_next_versions!
-- The set of chunks that a reindex filled is the one that is searched from now on.
UPDATE documents SET
    indexed_record = next_record, indexed_attempt = next_attempt, indexed_file = iif(next_record IS NULL, NULL, file),
    chunks = coalesce(next_chunks, 0), deployed_at = iif(next_record IS NULL, NULL, :now),
    next_record = NULL, next_attempt = NULL, next_chunks = NULL
WHERE knowledge_base = :knowledge_base AND removed_at IS NULL;

-- name: unresolved_records_of_document
-- Unresolved records of a document, of whatever job, oldest first.
SELECT * FROM file_record_rows
WHERE document = :document AND status IN ('FAILED', 'CANCELLED') AND deleted_at IS NULL AND superseded_by IS NULL
ORDER BY id;

-- name: record_of_document^
-- A record by its integer key, if it is one of a document.
SELECT * FROM file_record_rows WHERE id = :record AND document = :document;

-- name: in_flight_records_of_document
-- Queued and running records of a document.
SELECT * FROM file_record_rows WHERE document = :document AND status IN ('QUEUED', 'RUNNING') ORDER BY id;

-- name: document_places
-- One page of a knowledge base's documents, newest first, each with whether its status passes.
SELECT id, :statuses = '[]' OR status IN (SELECT value FROM json_each(:statuses)) AS passes
FROM live_documents WHERE knowledge_base = :knowledge_base AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: document_places_of_source
-- The same of one data source.
SELECT id, :statuses = '[]' OR status IN (SELECT value FROM json_each(:statuses)) AS passes
FROM live_documents WHERE data_source = :data_source AND id < :before ORDER BY id DESC LIMIT :limit;

-- name: document_views
-- Documents with their latest records, newest first.
SELECT d.*, f.file_id, f.filename, f.size_bytes, s.data_source_id, i.file_id AS searchable_file_id,
    r.record_id, j.job_id, run.ingestion_job_id, r.status, r.step, r.losses, r.chunk_losses,
    r.error_reason, r.error_step, r.error_detail,
    r.created_at AS queued_at, r.processing_at, r.completed_at, r.failed_at, r.cancelled_at
FROM documents AS d CROSS JOIN files AS f ON f.id = d.file
LEFT JOIN data_sources AS s ON s.id = d.data_source
LEFT JOIN files AS i ON i.id = d.indexed_file
LEFT JOIN file_records AS r ON r.id = d.record
LEFT JOIN jobs AS j ON j.id = r.job
LEFT JOIN ingestion_jobs AS run ON run.id = r.ingestion_job
WHERE d.id IN (SELECT value FROM json_each(:rows)) ORDER BY d.id DESC;

-- name: found_document^
-- What is told of a document in search results.
SELECT d.id, d.key, s.data_source_id, i.filename
FROM documents AS d
LEFT JOIN data_sources AS s ON s.id = d.data_source
LEFT JOIN files AS i ON i.id = coalesce(d.indexed_file, d.file)
WHERE d.document_id = :document_id AND d.knowledge_base = :knowledge_base AND d.removed_at IS NULL;

-- name: output_of_record^
-- The output of a record, by its public id.
SELECT output_file_id FROM file_records WHERE record_id = :record_id;
