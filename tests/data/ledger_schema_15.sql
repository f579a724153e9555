BEGIN TRANSACTION;
CREATE TABLE alignment_jobs (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    alignment_job_id  TEXT NOT NULL UNIQUE,
    job               INTEGER NOT NULL REFERENCES jobs (id),
    team              TEXT NOT NULL,
    user_id           TEXT NOT NULL,
    engine            TEXT NOT NULL,
    engine_version    TEXT NOT NULL DEFAULT '',
    system_prompt     TEXT NOT NULL, -- the job's when it was started: an attempt that is repeated makes the same
    instructions      TEXT NOT NULL,
    status            TEXT NOT NULL,
    last_trigger      TEXT NOT NULL, -- what led to status; the guard checks the pair
    current_step      TEXT,
    error_reason      TEXT,
    error_detail      TEXT NOT NULL DEFAULT '',
    output_file_id    TEXT UNIQUE,
    sections          INTEGER NOT NULL DEFAULT 0,
    sections_lost     INTEGER NOT NULL DEFAULT 0,
    examples          INTEGER NOT NULL DEFAULT 0,
    prompt_tokens     INTEGER NOT NULL DEFAULT 0,
    completion_tokens INTEGER NOT NULL DEFAULT 0,
    losses            TEXT NOT NULL DEFAULT '[]',
    attempt           INTEGER NOT NULL DEFAULT 0,
    failures          INTEGER NOT NULL DEFAULT 0,
    orphaned_count    INTEGER NOT NULL DEFAULT 0,
    next_attempt_at   INTEGER,
    wait_reason       TEXT,
    worker_id         TEXT,
    created_at        INTEGER NOT NULL,
    started_at        INTEGER,
    completed_at      INTEGER,
    failed_at         INTEGER,
    cancelled_at      INTEGER,
    retired_at        INTEGER, -- when it became history
    last_sequence     INTEGER NOT NULL,
    priority          INTEGER NOT NULL,
    fair_tag          INTEGER NOT NULL,
    claimable         INTEGER NOT NULL,
    CHECK (claimable = 0 OR status = 'QUEUED'),
    CHECK (status <> 'RUNNING' OR (worker_id IS NOT NULL AND started_at IS NOT NULL AND attempt > 0)),
    CHECK (status <> 'COMPLETED' OR (completed_at IS NOT NULL AND output_file_id IS NOT NULL)),
    CHECK (status <> 'FAILED' OR (failed_at IS NOT NULL AND error_reason IS NOT NULL)),
    CHECK (status <> 'CANCELLED' OR cancelled_at IS NOT NULL),
    CHECK (retired_at IS NULL OR status IN ('FAILED', 'CANCELLED'))
) STRICT;
CREATE TABLE alignment_sections (
    alignment         INTEGER NOT NULL REFERENCES alignment_jobs (id),
    section           INTEGER NOT NULL,
    digest            TEXT NOT NULL, -- SHA-256 of what was asked about it
    lines             TEXT NOT NULL, -- its part of the dataset
    examples          INTEGER NOT NULL,
    loss              TEXT NOT NULL,
    prompt_tokens     INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (alignment, section)
) STRICT, WITHOUT ROWID;
CREATE TABLE api_keys (
    id          INTEGER PRIMARY KEY,
    key_id      TEXT NOT NULL UNIQUE,
    secret_hash BLOB NOT NULL UNIQUE, -- SHA-256 of a 256-bit random secret
    team        TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    scopes      TEXT NOT NULL, -- JSON list
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER
, max_priority INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "api_keys" VALUES(1,'key-86bbaebc-6948-48de-b37c-dc8f30d24258',X'D656DD236EE795E2F21FE66CEF4AEACC5CEE053B6B21247DD924771CFEBBEBA8','team-a','alice','["WRITE"]',1700000001500000,1700000001500000,0);
INSERT INTO "api_keys" VALUES(2,'key-4ddd61d4-c4f0-47a9-8bed-38fb0c6d5280',X'F951101B508CB111F4E22D7F011689848683D7F1073386146DEFFE46B4C52EDC','team-b','bob','["READ"]',1700000001500000,NULL,0);
CREATE TABLE blobs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    blob_key   TEXT NOT NULL UNIQUE,
    team       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    shareable  INTEGER NOT NULL, -- uploads of equal bytes share one blob, outputs do not
    deleted_at INTEGER           -- set when nothing refers to it any more; then the bytes go, then the row
) STRICT;
INSERT INTO "blobs" VALUES(1,'dfb4f3f905ac48759da3325ac1f60e38','team-a','e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',5,1,NULL);
INSERT INTO "blobs" VALUES(2,'60266f7a2880466bbe341ef5a7dcac7b','team-a','111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',5,1,NULL);
INSERT INTO "blobs" VALUES(3,'19b7fb89d60d4192996748a921e06397','team-a','e3c505fd16f50cb10f563ec68c80e27e127ad46f6b1b889b292563014f550493',5,1,NULL);
INSERT INTO "blobs" VALUES(4,'b5f473e43fcc4d2f845a2b0baee938ee','team-a','8a25bbaf71f5c62f521c4b023848ff49993b62fbac23d6492eac06b50c80b8c4',5,1,NULL);
INSERT INTO "blobs" VALUES(5,'8ac9c9754b684d6b80a0bfb2071b0bd6','team-a','135075b739b67c18ca3d823d5192b9e5e783a563b3dc533a7714bb1bf8b6d3e0',5,1,NULL);
INSERT INTO "blobs" VALUES(6,'50717e8953ea4aefbcadf5a3f2b54a1f','team-a','7173c4713359ce651f8f4067ba630d5f20a82baeb2179273334338fcd7ecf2fb',5,1,NULL);
INSERT INTO "blobs" VALUES(7,'e790338161034b2094e034295409af25','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,1,NULL);
INSERT INTO "blobs" VALUES(8,'2af9993357a74953ac91ada99bce4792-1','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,0,NULL);
INSERT INTO "blobs" VALUES(9,'d0a0e3dd5243410a8f733467b986dd44','team-a','3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',9,1,NULL);
INSERT INTO "blobs" VALUES(10,'a1a537185cbf46c69ae8f59142632d31','team-a','6466e450a16b77b865c5829d6b6c56d9f892956475642dbeb9ccc4340fe01b15',10,1,NULL);
INSERT INTO "blobs" VALUES(11,'1cf47065c47744cd949d896444365fb4-1','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,0,NULL);
INSERT INTO "blobs" VALUES(12,'e793425ae42d4381a527aef4ecead315','team-b','e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',5,1,NULL);
INSERT INTO "blobs" VALUES(13,'6c002805a6844a7882e8d87b9564b76c','team-b','111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',5,1,NULL);
CREATE TABLE data_source_files (
    data_source INTEGER NOT NULL REFERENCES data_sources (id),
    place       INTEGER NOT NULL,
    file_id     TEXT NOT NULL,
    PRIMARY KEY (data_source, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE data_sources (
    id                    INTEGER PRIMARY KEY,
    data_source_id        TEXT NOT NULL UNIQUE,
    knowledge_base        INTEGER NOT NULL REFERENCES knowledge_bases (id),
    team                  TEXT NOT NULL,
    user_id               TEXT NOT NULL,
    name                  TEXT NOT NULL,
    type                  TEXT NOT NULL,
    url                   TEXT NOT NULL,
    include_patterns      TEXT NOT NULL, -- JSON list
    exclude_patterns      TEXT NOT NULL, -- JSON list
    method                TEXT NOT NULL,
    sync_interval_seconds INTEGER,
    next_sync_at          INTEGER,
    last_sync             TEXT,          -- JSON of model.SyncSummary
    sync_job_id           TEXT,          -- the job of the last sync that had anything to do
    external_id           TEXT,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    removed_at            INTEGER
) STRICT;
CREATE TABLE documents (
    id              INTEGER PRIMARY KEY,
    document_id     TEXT NOT NULL UNIQUE,
    knowledge_base  INTEGER NOT NULL REFERENCES knowledge_bases (id),
    data_source     INTEGER REFERENCES data_sources (id), -- NULL: added by hand or by a job
    parent          INTEGER REFERENCES documents (id),    -- the archive that it was unpacked from
    team            TEXT NOT NULL,
    key             TEXT NOT NULL,
    etag            TEXT NOT NULL, -- what the source calls the latest version
    file            INTEGER NOT NULL REFERENCES files (id),
    record          INTEGER,       -- the latest record; NULL once its job is purged
    indexed_record  INTEGER,       -- the record whose chunks are in the index, and its attempt
    indexed_attempt INTEGER,
    indexed_file    INTEGER REFERENCES files (id),
    chunks          INTEGER NOT NULL DEFAULT 0,
    deployed_at     INTEGER,
    next_record     INTEGER,       -- the same of the set of chunks that a reindex fills
    next_attempt    INTEGER,
    next_chunks     INTEGER,
    created_at      INTEGER NOT NULL,
    removed_at      INTEGER,
    cleared_at      INTEGER, metadata_changes INTEGER NOT NULL DEFAULT 0, metadata_told INTEGER NOT NULL DEFAULT 0,       -- since when the index holds no chunk of a removed document
    CHECK ((indexed_record IS NULL) = (deployed_at IS NULL)),
    CHECK (chunks >= 0 AND (indexed_record IS NOT NULL OR chunks = 0))
) STRICT;
CREATE TABLE "events" (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- rises with every commit: the order of the feed over all jobs
    job       INTEGER NOT NULL REFERENCES jobs (id),
    sequence  INTEGER NOT NULL CHECK (sequence > 0),
    team      TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    type      TEXT NOT NULL,
    milestone INTEGER NOT NULL,
    in_feed   INTEGER NOT NULL DEFAULT 0, -- milestones and events of the job itself
    message   TEXT NOT NULL,
    actor     TEXT NOT NULL,
    trigger   TEXT,
    change    TEXT NOT NULL -- JSON of model.Change
) STRICT;
INSERT INTO "events" VALUES(1,1,1,'team-a',1700000000000000,'CREATED',1,1,'Data job created.','alice',NULL,'{"job":{"job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":6},"markdown_files":1,"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":9,"files_sequence":8,"created_at":1700000000000000,"updated_at":1700000000000000}}');
INSERT INTO "events" VALUES(2,1,2,'team-a',1700000000000000,'FILES_ADDED',0,0,'1 Markdown file(s) were added.','alice',NULL,'{"added":[{"file_id":"file-c0b3077f-7f5b-414d-b088-2d9df89c3de3","name":"notes.md","content_type":"x/y","created_at":1700000000000000,"status":"COMPLETED"}]}');
INSERT INTO "events" VALUES(3,1,3,'team-a',1700000000000000,'RECORD_ADDED',0,0,'1.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-2af99933-57a7-4953-ac91-ada99bce4792","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-72e34bb1-2341-4442-a867-7aface172884","output_file_id":"md-file-4fb42b7f-e6ed-4118-a2ec-549c650f2d4b","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":3}}');
INSERT INTO "events" VALUES(4,1,4,'team-a',1700000000000000,'RECORD_ADDED',0,0,'2.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-1787c640-4f79-4618-9bd3-343716296d51","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-fff14049-9272-4e7d-b473-6efcbdc9fdbf","output_file_id":"md-file-1758d1b3-3a2e-4f19-8381-dcf9f67cd14e","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":4}}');
INSERT INTO "events" VALUES(5,1,5,'team-a',1700000000000000,'RECORD_ADDED',0,0,'3.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-7de686bb-8e3e-43cd-b0f7-331e996fdcd0","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-4c06c8e9-c407-4292-b837-527cd4a73fc6","output_file_id":"md-file-5fc997e7-1d35-44a7-861f-47769b9c9569","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":5}}');
INSERT INTO "events" VALUES(6,1,6,'team-a',1700000000000000,'RECORD_ADDED',0,0,'4.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-5ac34180-7193-4318-8eaa-ac50ec55ec41","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-ed803f83-b792-4728-8c02-28186597889f","output_file_id":"md-file-96d034b6-0bb3-4268-979f-65b46332101d","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":6}}');
INSERT INTO "events" VALUES(7,1,7,'team-a',1700000000000000,'RECORD_ADDED',0,0,'5.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-c2275cd8-2be8-476e-b4b2-acc2d421b0a4","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-855f36f1-d4af-4573-bc67-47473bd895ab","output_file_id":"md-file-6d7f0cc6-de87-43fa-b0c4-bbe733e720e3","user_id":"alice","team_id":"team-a","filename":"5.pdf","output_filename":"5.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":7}}');
INSERT INTO "events" VALUES(8,1,8,'team-a',1700000000000000,'RECORD_ADDED',0,0,'6.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-f0df3ed2-a095-4284-97e8-5946cb403ff2","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-b4b2df9c-d0e7-4eea-a6d3-399b3a36510d","output_file_id":"md-file-c7e1fc4d-9ba1-4032-9715-5785c21d4b36","user_id":"alice","team_id":"team-a","filename":"6.pdf","output_filename":"6.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":8}}');
INSERT INTO "events" VALUES(9,1,9,'team-a',1700000000000000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","status":"QUEUED","tally":{"queued":6},"bytes_in":30,"created_at":1700000000000000,"last_sequence":9}}');
INSERT INTO "events" VALUES(10,1,10,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'1.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-2af99933-57a7-4953-ac91-ada99bce4792","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-72e34bb1-2341-4442-a867-7aface172884","output_file_id":"md-file-4fb42b7f-e6ed-4118-a2ec-549c650f2d4b","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":10},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(11,1,11,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'2.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-1787c640-4f79-4618-9bd3-343716296d51","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-fff14049-9272-4e7d-b473-6efcbdc9fdbf","output_file_id":"md-file-1758d1b3-3a2e-4f19-8381-dcf9f67cd14e","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":11},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(12,1,12,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'3.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-7de686bb-8e3e-43cd-b0f7-331e996fdcd0","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-4c06c8e9-c407-4292-b837-527cd4a73fc6","output_file_id":"md-file-5fc997e7-1d35-44a7-861f-47769b9c9569","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":12},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(13,1,13,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'4.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-5ac34180-7193-4318-8eaa-ac50ec55ec41","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-ed803f83-b792-4728-8c02-28186597889f","output_file_id":"md-file-96d034b6-0bb3-4268-979f-65b46332101d","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":13},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(14,1,14,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'5.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-c2275cd8-2be8-476e-b4b2-acc2d421b0a4","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-855f36f1-d4af-4573-bc67-47473bd895ab","output_file_id":"md-file-6d7f0cc6-de87-43fa-b0c4-bbe733e720e3","user_id":"alice","team_id":"team-a","filename":"5.pdf","output_filename":"5.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":14},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(15,1,15,'team-a',1700000000000000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","status":"RUNNING","tally":{"queued":1,"running":5},"bytes_in":30,"created_at":1700000000000000,"started_at":1700000000000000,"last_sequence":15},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(16,1,16,'team-a',1700000000000000,'FILE_PROCESSING_STARTED',1,1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","status":"RUNNING","record_count":6}');
INSERT INTO "events" VALUES(17,1,17,'team-a',1700000001500000,'RECORD_COMPLETED',0,0,'1.pdf was converted.','worker-1','SUCCEEDED','{"record":{"record_id":"ijf-2af99933-57a7-4953-ac91-ada99bce4792","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-72e34bb1-2341-4442-a867-7aface172884","output_file_id":"md-file-4fb42b7f-e6ed-4118-a2ec-549c650f2d4b","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","engine":{"name":"fake","version":"1"},"status":"COMPLETED","attempt":1,"created_at":1700000000000000,"processing_at":1700000000000000,"completed_at":1700000001500000,"pages":1,"bytes_out":8,"last_sequence":17},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(18,1,18,'team-a',1700000001500000,'RECORD_FAILED',0,0,'2.pdf failed: The PDF may be corrupted, password-protected, or in an unsupported format.','worker-1','FAILED','{"record":{"record_id":"ijf-1787c640-4f79-4618-9bd3-343716296d51","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-fff14049-9272-4e7d-b473-6efcbdc9fdbf","output_file_id":"md-file-1758d1b3-3a2e-4f19-8381-dcf9f67cd14e","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"PDF_UNREADABLE","step":"PARSE"},"attempt":1,"failures":1,"created_at":1700000000000000,"processing_at":1700000000000000,"failed_at":1700000001500000,"last_sequence":18},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(19,1,19,'team-a',1700000001500000,'RECORD_RETRY_SCHEDULED',0,0,'3.pdf will be tried again: The converter crashed on this file.','worker-1','FAILED_RETRYABLE','{"record":{"record_id":"ijf-7de686bb-8e3e-43cd-b0f7-331e996fdcd0","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-4c06c8e9-c407-4292-b837-527cd4a73fc6","output_file_id":"md-file-5fc997e7-1d35-44a7-861f-47769b9c9569","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"QUEUED","error":{"reason":"CONVERTER_CRASHED","step":"PARSE"},"attempt":1,"failures":1,"next_attempt_at":1700000031500000,"wait_reason":"BACK_OFF","created_at":1700000000000000,"last_sequence":19},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(20,1,20,'team-a',1700000001500000,'RECORD_ORPHANED',0,0,'4.pdf lost its worker and is queued again.','system','ORPHANED','{"record":{"record_id":"ijf-5ac34180-7193-4318-8eaa-ac50ec55ec41","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-ed803f83-b792-4728-8c02-28186597889f","output_file_id":"md-file-96d034b6-0bb3-4268-979f-65b46332101d","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"QUEUED","attempt":1,"orphaned_count":1,"created_at":1700000000000000,"last_sequence":20},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(21,1,21,'team-a',1700000001500000,'RECORD_ADDED',0,0,'2.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-36c0d580-f49e-4e82-9b5b-79f0fcc68af0","ingestion_job_id":"ij-6bfe0db2-df58-4d66-b3d1-c54a8a40c285","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-8b676e83-619b-4ead-b5cd-c689059f727a","output_file_id":"md-file-badefbe5-ad1f-4189-bdd4-b80ce2c577f5","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":21}}');
INSERT INTO "events" VALUES(22,1,22,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-6bfe0db2-df58-4d66-b3d1-c54a8a40c285","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","status":"QUEUED","tally":{"queued":1},"bytes_in":9,"created_at":1700000001500000,"last_sequence":22}}');
INSERT INTO "events" VALUES(23,2,1,'team-a',1700000001500000,'CREATED',1,1,'Data job created.','alice',NULL,'{"job":{"job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":3,"files_sequence":2,"created_at":1700000001500000,"updated_at":1700000001500000}}');
INSERT INTO "events" VALUES(24,2,2,'team-a',1700000001500000,'RECORD_ADDED',0,0,'report.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-7fc4b3df-f84a-45d5-a321-069e026d542f","ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","file_id":"file-e794fa68-6b9b-40f1-a380-b99c306adb9d","output_file_id":"md-file-b2b3c12f-d0fb-4a9c-9344-bf76ca69edf5","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":2}}');
INSERT INTO "events" VALUES(25,2,3,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","status":"QUEUED","tally":{"queued":1},"bytes_in":10,"created_at":1700000001500000,"last_sequence":3}}');
INSERT INTO "events" VALUES(26,1,23,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'4.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-5ac34180-7193-4318-8eaa-ac50ec55ec41","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-ed803f83-b792-4728-8c02-28186597889f","output_file_id":"md-file-96d034b6-0bb3-4268-979f-65b46332101d","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":2,"orphaned_count":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000001500000,"last_sequence":23},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(27,1,24,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'6.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-f0df3ed2-a095-4284-97e8-5946cb403ff2","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-b4b2df9c-d0e7-4eea-a6d3-399b3a36510d","output_file_id":"md-file-c7e1fc4d-9ba1-4032-9715-5785c21d4b36","user_id":"alice","team_id":"team-a","filename":"6.pdf","output_filename":"6.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000001500000,"last_sequence":24},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(28,1,25,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'2.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-36c0d580-f49e-4e82-9b5b-79f0fcc68af0","ingestion_job_id":"ij-6bfe0db2-df58-4d66-b3d1-c54a8a40c285","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","file_id":"file-8b676e83-619b-4ead-b5cd-c689059f727a","output_file_id":"md-file-badefbe5-ad1f-4189-bdd4-b80ce2c577f5","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":25},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(29,1,26,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-6bfe0db2-df58-4d66-b3d1-c54a8a40c285","job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","status":"RUNNING","tally":{"running":1},"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":26},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(30,1,27,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-6bfe0db2-df58-4d66-b3d1-c54a8a40c285","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(31,2,4,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'report.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-7fc4b3df-f84a-45d5-a321-069e026d542f","ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","file_id":"file-e794fa68-6b9b-40f1-a380-b99c306adb9d","output_file_id":"md-file-b2b3c12f-d0fb-4a9c-9344-bf76ca69edf5","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":4},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(32,2,5,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","status":"RUNNING","tally":{"running":1},"bytes_in":10,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":5},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(33,2,6,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(34,2,7,'team-a',1700000001500000,'RECORD_FAILED',0,0,'report.pdf failed: The file appears to be empty.','worker-1','FAILED','{"record":{"record_id":"ijf-7fc4b3df-f84a-45d5-a321-069e026d542f","ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","file_id":"file-e794fa68-6b9b-40f1-a380-b99c306adb9d","output_file_id":"md-file-b2b3c12f-d0fb-4a9c-9344-bf76ca69edf5","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"EMPTY_FILE","step":"PARSE"},"attempt":1,"failures":1,"created_at":1700000001500000,"processing_at":1700000001500000,"failed_at":1700000001500000,"last_sequence":7},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(35,2,8,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is failed.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","status":"FAILED","tally":{"failed":1,"unresolved":1},"bytes_in":10,"created_at":1700000001500000,"started_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":8},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(36,2,9,'team-a',1700000001500000,'FILE_PROCESSING_COMPLETED',1,1,'Finished processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","status":"FAILED","record_count":1}');
INSERT INTO "events" VALUES(37,2,10,'team-a',1700000001500000,'JOB_CHANGED',0,1,'The job is needs review.','worker-1',NULL,'{"job":{"job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"NEEDS_REVIEW","tally":{"failed":1,"unresolved":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":10,"files_sequence":7,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(38,2,11,'team-a',1700000001500000,'RECORD_ADDED',0,0,'report.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-1cf47065-c477-44cd-949d-896444365fb4","ingestion_job_id":"ij-548561ba-6bad-424e-9db9-3df272ae3665","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","file_id":"file-60a8f480-c77a-4236-bb27-ec76c3cfeddc","output_file_id":"md-file-3a583504-a517-4230-9b96-4594808f54c2","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":11}}');
INSERT INTO "events" VALUES(39,2,12,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-548561ba-6bad-424e-9db9-3df272ae3665","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","status":"QUEUED","tally":{"queued":1},"bytes_in":9,"created_at":1700000001500000,"last_sequence":12}}');
INSERT INTO "events" VALUES(40,2,13,'team-a',1700000001500000,'JOB_CHANGED',0,1,'The job is file processing.','alice',NULL,'{"job":{"job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":1,"failed":1,"unresolved":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":13,"files_sequence":11,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"NEEDS_REVIEW"}');
INSERT INTO "events" VALUES(41,2,14,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'report.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-1cf47065-c477-44cd-949d-896444365fb4","ingestion_job_id":"ij-548561ba-6bad-424e-9db9-3df272ae3665","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","file_id":"file-60a8f480-c77a-4236-bb27-ec76c3cfeddc","output_file_id":"md-file-3a583504-a517-4230-9b96-4594808f54c2","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":14},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(42,2,15,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-548561ba-6bad-424e-9db9-3df272ae3665","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","status":"RUNNING","tally":{"running":1},"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":15},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(43,2,16,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-548561ba-6bad-424e-9db9-3df272ae3665","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(44,2,17,'team-a',1700000001500000,'RECORD_COMPLETED',0,0,'report.pdf was converted.','worker-1','SUCCEEDED','{"record":{"record_id":"ijf-1cf47065-c477-44cd-949d-896444365fb4","ingestion_job_id":"ij-548561ba-6bad-424e-9db9-3df272ae3665","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","file_id":"file-60a8f480-c77a-4236-bb27-ec76c3cfeddc","output_file_id":"md-file-3a583504-a517-4230-9b96-4594808f54c2","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","engine":{"name":"fake","version":"1"},"status":"COMPLETED","attempt":1,"created_at":1700000001500000,"processing_at":1700000001500000,"completed_at":1700000001500000,"pages":1,"bytes_out":8,"last_sequence":17},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(45,2,18,'team-a',1700000001500000,'RECORD_SUPERSEDED',0,0,'report.pdf was resolved by a corrected upload.','worker-1','SUPERSEDED','{"record":{"record_id":"ijf-7fc4b3df-f84a-45d5-a321-069e026d542f","ingestion_job_id":"ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","file_id":"file-e794fa68-6b9b-40f1-a380-b99c306adb9d","output_file_id":"md-file-b2b3c12f-d0fb-4a9c-9344-bf76ca69edf5","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"EMPTY_FILE","step":"PARSE"},"attempt":1,"failures":1,"superseded_by":"ijf-1cf47065-c477-44cd-949d-896444365fb4","created_at":1700000001500000,"processing_at":1700000001500000,"failed_at":1700000001500000,"last_sequence":18},"previous_status":"FAILED"}');
INSERT INTO "events" VALUES(46,2,19,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is completed.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-548561ba-6bad-424e-9db9-3df272ae3665","job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","status":"COMPLETED","tally":{"completed":1},"pages":1,"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":19},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(47,2,20,'team-a',1700000001500000,'FILE_PROCESSING_COMPLETED',1,1,'Finished processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-548561ba-6bad-424e-9db9-3df272ae3665","status":"COMPLETED","record_count":1}');
INSERT INTO "events" VALUES(48,2,21,'team-a',1700000001500000,'JOB_CHANGED',0,1,'The job is ready to start.','worker-1',NULL,'{"job":{"job_id":"dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"READY_TO_START","tally":{"completed":1,"failed":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":21,"files_sequence":18,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(49,3,1,'team-b',1700000001500000,'CREATED',1,1,'Data job created.','bob',NULL,'{"job":{"job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":2},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":4,"files_sequence":3,"created_at":1700000001500000,"updated_at":1700000001500000}}');
INSERT INTO "events" VALUES(50,3,2,'team-b',1700000001500000,'RECORD_ADDED',0,0,'1.pdf was added.','bob','ADDED','{"record":{"record_id":"ijf-ec9d27fa-4acc-44f9-af41-7ebcbebf3d96","ingestion_job_id":"ij-72dbb87f-94be-4b81-b63e-84a67cdc6308","job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","file_id":"file-1888dee2-57b4-4979-b32e-5a907987afa6","output_file_id":"md-file-af72325a-8af8-45d7-b67d-e09fee20ba5f","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":2}}');
INSERT INTO "events" VALUES(51,3,3,'team-b',1700000001500000,'RECORD_ADDED',0,0,'2.pdf was added.','bob','ADDED','{"record":{"record_id":"ijf-cbba993d-dafb-4af8-a3cf-c11691053153","ingestion_job_id":"ij-72dbb87f-94be-4b81-b63e-84a67cdc6308","job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","file_id":"file-36722c55-1168-4ee1-88d5-64531f58aa79","output_file_id":"md-file-8fb8cd53-c905-499e-9f8b-8e889409394f","user_id":"bob","team_id":"team-b","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":3}}');
INSERT INTO "events" VALUES(52,3,4,'team-b',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','bob',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-72dbb87f-94be-4b81-b63e-84a67cdc6308","job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","status":"QUEUED","tally":{"queued":2},"bytes_in":10,"created_at":1700000001500000,"last_sequence":4}}');
INSERT INTO "events" VALUES(53,3,5,'team-b',1700000001500000,'RECORD_CANCELLED',0,0,'1.pdf was cancelled.','bob','CANCELLED','{"record":{"record_id":"ijf-ec9d27fa-4acc-44f9-af41-7ebcbebf3d96","ingestion_job_id":"ij-72dbb87f-94be-4b81-b63e-84a67cdc6308","job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","file_id":"file-1888dee2-57b4-4979-b32e-5a907987afa6","output_file_id":"md-file-af72325a-8af8-45d7-b67d-e09fee20ba5f","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":5},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(54,3,6,'team-b',1700000001500000,'RECORD_CANCELLED',0,0,'2.pdf was cancelled.','bob','CANCELLED','{"record":{"record_id":"ijf-cbba993d-dafb-4af8-a3cf-c11691053153","ingestion_job_id":"ij-72dbb87f-94be-4b81-b63e-84a67cdc6308","job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","file_id":"file-36722c55-1168-4ee1-88d5-64531f58aa79","output_file_id":"md-file-8fb8cd53-c905-499e-9f8b-8e889409394f","user_id":"bob","team_id":"team-b","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":6},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(55,3,7,'team-b',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is cancelled.','bob',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-72dbb87f-94be-4b81-b63e-84a67cdc6308","job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","status":"CANCELLED","tally":{"cancelled":2,"unresolved":2},"bytes_in":10,"created_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":7},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(56,3,8,'team-b',1700000001500000,'JOB_CHANGED',0,1,'The job is cancelled.','bob',NULL,'{"job":{"job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"CANCELLED","tally":{"cancelled":2,"unresolved":2},"cancelled":true,"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":8,"files_sequence":6,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(57,3,9,'team-b',1700000001500000,'RECORD_REMOVED',0,0,'1.pdf was removed.','bob','REMOVED','{"record":{"record_id":"ijf-ec9d27fa-4acc-44f9-af41-7ebcbebf3d96","ingestion_job_id":"ij-72dbb87f-94be-4b81-b63e-84a67cdc6308","job_id":"dj-171ba955-5d4c-4c88-961a-0eace4b00131","file_id":"file-1888dee2-57b4-4979-b32e-5a907987afa6","output_file_id":"md-file-af72325a-8af8-45d7-b67d-e09fee20ba5f","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","deleted_at":1700000001500000,"created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":9},"previous_status":"CANCELLED"}');
INSERT INTO "events" VALUES(58,4,1,'team-b',1700000001500000,'CREATED',1,1,'Data job created.','bob',NULL,'{"job":{"job_id":"dj-9223fe60-fe94-4051-a343-2a9b332c30ea","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"NEEDS_REVIEW","method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":1,"created_at":1700000001500000,"updated_at":1700000001500000}}');
CREATE TABLE feed_floors (
    team  TEXT PRIMARY KEY,
    floor INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE file_records (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    record_id       TEXT NOT NULL UNIQUE,
    job             INTEGER NOT NULL REFERENCES jobs (id),
    ingestion_job   INTEGER NOT NULL REFERENCES ingestion_jobs (id),
    file            INTEGER NOT NULL REFERENCES files (id),
    output_file_id  TEXT NOT NULL UNIQUE,
    team            TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    filename        TEXT NOT NULL,
    output_filename TEXT NOT NULL,
    method          TEXT NOT NULL,
    engine_name     TEXT,
    engine_version  TEXT,
    status          TEXT NOT NULL,
    last_trigger    TEXT NOT NULL, -- what led to status; the guard checks the pair
    step            TEXT,
    error_reason    TEXT,
    error_step      TEXT,
    error_detail    TEXT NOT NULL DEFAULT '',
    warnings        TEXT NOT NULL DEFAULT '[]',
    losses          TEXT NOT NULL DEFAULT '[]',
    attempt         INTEGER NOT NULL DEFAULT 0,
    failures        INTEGER NOT NULL DEFAULT 0,
    orphaned_count  INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER,
    wait_reason     TEXT,
    worker_id       TEXT,
    replaces        INTEGER REFERENCES file_records (id), -- resolved by this record once it completes
    superseded_by   TEXT, -- id of the record, or of the Markdown file, that resolved this one
    deleted_at      INTEGER,
    created_at      INTEGER NOT NULL,
    processing_at   INTEGER,
    completed_at    INTEGER,
    failed_at       INTEGER,
    cancelled_at    INTEGER,
    pages           INTEGER,
    bytes_in        INTEGER NOT NULL,
    bytes_out       INTEGER,
    last_sequence   INTEGER NOT NULL,
    priority        INTEGER NOT NULL DEFAULT 0,
    fair_tag        INTEGER NOT NULL,
    claimable       INTEGER NOT NULL, reused_from TEXT, output_expired_at INTEGER, parent_record_id TEXT, archive_depth INTEGER NOT NULL DEFAULT 0, root_record_id TEXT, member_count INTEGER, document INTEGER REFERENCES documents (id), chunks_created INTEGER, engine_job_id TEXT, document_metadata TEXT, metadata TEXT, image_file_ids TEXT NOT NULL DEFAULT '[]',
    CHECK (claimable = 0 OR status = 'QUEUED'),
    CHECK (status <> 'RUNNING' OR (worker_id IS NOT NULL AND processing_at IS NOT NULL AND attempt > 0)),
    CHECK (status <> 'COMPLETED' OR (completed_at IS NOT NULL AND bytes_out IS NOT NULL AND bytes_out > 0)),
    CHECK (status <> 'FAILED' OR (failed_at IS NOT NULL AND error_reason IS NOT NULL)),
    CHECK (status <> 'CANCELLED' OR cancelled_at IS NOT NULL)
) STRICT;
INSERT INTO "file_records" VALUES(1,'ijf-2af99933-57a7-4953-ac91-ada99bce4792',1,1,1,'md-file-4fb42b7f-e6ed-4118-a2ec-549c650f2d4b','team-a','alice','1.pdf','1.md','SPEED_OPTIMIZED','fake','1','COMPLETED','SUCCEEDED',NULL,NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000000000000,1700000000000000,1700000001500000,NULL,NULL,1,5,8,17,0,1048576,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(2,'ijf-1787c640-4f79-4618-9bd3-343716296d51',1,1,2,'md-file-1758d1b3-3a2e-4f19-8381-dcf9f67cd14e','team-a','alice','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'FAILED','FAILED',NULL,'PDF_UNREADABLE','PARSE','','[]','[]',1,1,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000000000000,1700000000000000,NULL,1700000001500000,NULL,NULL,5,NULL,18,0,2097152,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(3,'ijf-7de686bb-8e3e-43cd-b0f7-331e996fdcd0',1,1,3,'md-file-5fc997e7-1d35-44a7-861f-47769b9c9569','team-a','alice','3.pdf','3.md','SPEED_OPTIMIZED',NULL,NULL,'QUEUED','FAILED_RETRYABLE',NULL,'CONVERTER_CRASHED','PARSE','','[]','[]',1,1,0,1700000031500000,'BACK_OFF',NULL,NULL,NULL,NULL,1700000000000000,NULL,NULL,NULL,NULL,NULL,5,NULL,19,0,3145728,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(4,'ijf-5ac34180-7193-4318-8eaa-ac50ec55ec41',1,1,4,'md-file-96d034b6-0bb3-4268-979f-65b46332101d','team-a','alice','4.pdf','4.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',2,0,1,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000001500000,NULL,NULL,NULL,NULL,5,NULL,23,0,4194304,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(5,'ijf-c2275cd8-2be8-476e-b4b2-acc2d421b0a4',1,1,5,'md-file-6d7f0cc6-de87-43fa-b0c4-bbe733e720e3','team-a','alice','5.pdf','5.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000000000000,NULL,NULL,NULL,NULL,5,NULL,14,0,5242880,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(6,'ijf-f0df3ed2-a095-4284-97e8-5946cb403ff2',1,1,6,'md-file-c7e1fc4d-9ba1-4032-9715-5785c21d4b36','team-a','alice','6.pdf','6.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000001500000,NULL,NULL,NULL,NULL,5,NULL,24,0,6291456,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(7,'ijf-36c0d580-f49e-4e82-9b5b-79f0fcc68af0',1,2,9,'md-file-badefbe5-ad1f-4189-bdd4-b80ce2c577f5','team-a','alice','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',2,NULL,NULL,1700000001500000,1700000001500000,NULL,NULL,NULL,NULL,9,NULL,25,0,7340032,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(8,'ijf-7fc4b3df-f84a-45d5-a321-069e026d542f',2,3,10,'md-file-b2b3c12f-d0fb-4a9c-9344-bf76ca69edf5','team-a','alice','report.pdf','report.md','SPEED_OPTIMIZED',NULL,NULL,'FAILED','FAILED',NULL,'EMPTY_FILE','PARSE','','[]','[]',1,1,0,NULL,NULL,NULL,NULL,'ijf-1cf47065-c477-44cd-949d-896444365fb4',NULL,1700000001500000,1700000001500000,NULL,1700000001500000,NULL,NULL,10,NULL,18,0,8388608,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(9,'ijf-1cf47065-c477-44cd-949d-896444365fb4',2,4,11,'md-file-3a583504-a517-4230-9b96-4594808f54c2','team-a','alice','report.pdf','report.md','SPEED_OPTIMIZED','fake','1','COMPLETED','SUCCEEDED',NULL,NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,NULL,8,NULL,NULL,1700000001500000,1700000001500000,1700000001500000,NULL,NULL,1,9,8,17,0,9437184,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(10,'ijf-ec9d27fa-4acc-44f9-af41-7ebcbebf3d96',3,5,13,'md-file-af72325a-8af8-45d7-b67d-e09fee20ba5f','team-b','bob','1.pdf','1.md','SPEED_OPTIMIZED',NULL,NULL,'CANCELLED','CANCELLED',NULL,NULL,NULL,'','[]','[]',0,0,0,NULL,NULL,NULL,NULL,NULL,1700000001500000,1700000001500000,NULL,NULL,NULL,1700000001500000,NULL,5,NULL,9,0,10485760,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
INSERT INTO "file_records" VALUES(11,'ijf-cbba993d-dafb-4af8-a3cf-c11691053153',3,5,14,'md-file-8fb8cd53-c905-499e-9f8b-8e889409394f','team-b','bob','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'CANCELLED','CANCELLED',NULL,NULL,NULL,'','[]','[]',0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000001500000,NULL,NULL,NULL,1700000001500000,NULL,5,NULL,6,0,11534336,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]');
CREATE TABLE files (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    file_id      TEXT NOT NULL UNIQUE,
    team         TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    kind         TEXT NOT NULL,
    filename     TEXT NOT NULL,
    path         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes   INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    markdown     INTEGER NOT NULL, -- valid, non-empty Markdown: needs no conversion
    blob         INTEGER REFERENCES blobs (id),
    created_at   INTEGER NOT NULL,
    deleted_at   INTEGER, external_id TEXT, metadata TEXT NOT NULL DEFAULT '{}', expires_at INTEGER, import_url TEXT, import_etag TEXT, fetched_at INTEGER, image_of TEXT,
    CHECK (deleted_at IS NOT NULL OR blob IS NOT NULL)
) STRICT;
INSERT INTO "files" VALUES(1,'file-72e34bb1-2341-4442-a867-7aface172884','team-a','alice','UPLOAD','1.pdf','','x/y',5,'e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',0,1,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(2,'file-fff14049-9272-4e7d-b473-6efcbdc9fdbf','team-a','alice','UPLOAD','2.pdf','','x/y',5,'111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',0,2,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(3,'file-4c06c8e9-c407-4292-b837-527cd4a73fc6','team-a','alice','UPLOAD','3.pdf','','x/y',5,'e3c505fd16f50cb10f563ec68c80e27e127ad46f6b1b889b292563014f550493',0,3,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(4,'file-ed803f83-b792-4728-8c02-28186597889f','team-a','alice','UPLOAD','4.pdf','','x/y',5,'8a25bbaf71f5c62f521c4b023848ff49993b62fbac23d6492eac06b50c80b8c4',0,4,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(5,'file-855f36f1-d4af-4573-bc67-47473bd895ab','team-a','alice','UPLOAD','5.pdf','','x/y',5,'135075b739b67c18ca3d823d5192b9e5e783a563b3dc533a7714bb1bf8b6d3e0',0,5,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(6,'file-b4b2df9c-d0e7-4eea-a6d3-399b3a36510d','team-a','alice','UPLOAD','6.pdf','','x/y',5,'7173c4713359ce651f8f4067ba630d5f20a82baeb2179273334338fcd7ecf2fb',0,6,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(7,'file-c0b3077f-7f5b-414d-b088-2d9df89c3de3','team-a','alice','UPLOAD','notes.md','','x/y',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,7,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(8,'md-file-4fb42b7f-e6ed-4118-a2ec-549c650f2d4b','team-a','alice','OUTPUT','1.md','','text/markdown',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,8,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(9,'file-8b676e83-619b-4ead-b5cd-c689059f727a','team-a','alice','UPLOAD','2.pdf','','x/y',9,'3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',0,9,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(10,'file-e794fa68-6b9b-40f1-a380-b99c306adb9d','team-a','alice','UPLOAD','report.pdf','','x/y',10,'6466e450a16b77b865c5829d6b6c56d9f892956475642dbeb9ccc4340fe01b15',0,10,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(11,'file-60a8f480-c77a-4236-bb27-ec76c3cfeddc','team-a','alice','UPLOAD','report.pdf','','x/y',9,'3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',0,9,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(12,'md-file-3a583504-a517-4230-9b96-4594808f54c2','team-a','alice','OUTPUT','report.md','','text/markdown',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,11,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(13,'file-1888dee2-57b4-4979-b32e-5a907987afa6','team-b','bob','UPLOAD','1.pdf','','x/y',5,'e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',0,12,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(14,'file-36722c55-1168-4ee1-88d5-64531f58aa79','team-b','bob','UPLOAD','2.pdf','','x/y',5,'111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',0,13,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE ingestion_jobs (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    ingestion_job_id TEXT NOT NULL UNIQUE,
    job              INTEGER NOT NULL REFERENCES jobs (id),
    team             TEXT NOT NULL,
    status           TEXT NOT NULL,
    queued           INTEGER NOT NULL CHECK (queued >= 0),
    running          INTEGER NOT NULL CHECK (running >= 0),
    completed        INTEGER NOT NULL CHECK (completed >= 0),
    failed           INTEGER NOT NULL CHECK (failed >= 0),
    cancelled        INTEGER NOT NULL CHECK (cancelled >= 0),
    unresolved       INTEGER NOT NULL CHECK (unresolved >= 0),
    pages            INTEGER NOT NULL,
    bytes_in         INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    started_at       INTEGER,
    completed_at     INTEGER,
    last_sequence    INTEGER NOT NULL
, knowledge_base_id TEXT, data_source_id TEXT, chunks_created INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "ingestion_jobs" VALUES(1,'ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c',1,'team-a','RUNNING',1,3,1,1,0,1,1,30,1700000000000000,1700000000000000,NULL,15,NULL,NULL,0);
INSERT INTO "ingestion_jobs" VALUES(2,'ij-6bfe0db2-df58-4d66-b3d1-c54a8a40c285',1,'team-a','RUNNING',0,1,0,0,0,0,0,9,1700000001500000,1700000001500000,NULL,26,NULL,NULL,0);
INSERT INTO "ingestion_jobs" VALUES(3,'ij-ca7704c7-79d8-4b0d-be7e-cb82b017157f',2,'team-a','FAILED',0,0,0,1,0,0,0,10,1700000001500000,1700000001500000,1700000001500000,8,NULL,NULL,0);
INSERT INTO "ingestion_jobs" VALUES(4,'ij-548561ba-6bad-424e-9db9-3df272ae3665',2,'team-a','COMPLETED',0,0,1,0,0,0,1,9,1700000001500000,1700000001500000,1700000001500000,19,NULL,NULL,0);
INSERT INTO "ingestion_jobs" VALUES(5,'ij-72dbb87f-94be-4b81-b63e-84a67cdc6308',3,'team-b','CANCELLED',0,0,0,0,1,1,0,5,1700000001500000,NULL,1700000001500000,7,NULL,NULL,0);
CREATE TABLE job_files (
    id         INTEGER PRIMARY KEY,
    job        INTEGER NOT NULL REFERENCES jobs (id),
    file       INTEGER NOT NULL REFERENCES files (id),
    added_at   INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;
INSERT INTO "job_files" VALUES(1,1,7,1700000000000000,NULL);
CREATE TABLE jobs (
    id                       INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id                   TEXT NOT NULL UNIQUE,
    team                     TEXT NOT NULL,
    user_id                  TEXT NOT NULL,
    name                     TEXT NOT NULL,
    description              TEXT NOT NULL,
    job_type                 TEXT NOT NULL,
    status                   TEXT NOT NULL,
    method                   TEXT NOT NULL,
    system_prompt            TEXT NOT NULL,
    system_prompt_updated_at INTEGER,
    instructions             TEXT NOT NULL,
    instructions_updated_at  INTEGER,
    queued                   INTEGER NOT NULL CHECK (queued >= 0),
    running                  INTEGER NOT NULL CHECK (running >= 0),
    completed                INTEGER NOT NULL CHECK (completed >= 0),
    failed                   INTEGER NOT NULL CHECK (failed >= 0),
    cancelled                INTEGER NOT NULL CHECK (cancelled >= 0),
    unresolved               INTEGER NOT NULL CHECK (unresolved >= 0),
    markdown_files           INTEGER NOT NULL CHECK (markdown_files >= 0),
    cancel_requested         INTEGER NOT NULL,
    ever_active              INTEGER NOT NULL,
    last_sequence            INTEGER NOT NULL,
    earliest_sequence        INTEGER NOT NULL,
    created_at               INTEGER NOT NULL,
    updated_at               INTEGER NOT NULL
, external_id TEXT, labels TEXT NOT NULL DEFAULT '{}', origin_job_id TEXT, files_sequence INTEGER NOT NULL DEFAULT 0, deleted_at INTEGER, purge_at INTEGER, priority INTEGER NOT NULL DEFAULT 0, alignment_job_id TEXT, alignment_status TEXT, compactable_since INTEGER, expired_outputs INTEGER NOT NULL DEFAULT 0 CHECK (expired_outputs >= 0), archives INTEGER NOT NULL DEFAULT 0 CHECK (archives >= 0), knowledge_base_id TEXT, data_source_id TEXT, chunks_created INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "jobs" VALUES(1,'dj-2ae8f105-0085-463b-ae80-92ad63b90230','team-a','alice','job','','CONTEXT_GROUNDED_FILES','FILE_PROCESSING','SPEED_OPTIMIZED','',NULL,'',NULL,1,4,1,1,0,1,1,0,1,27,1,1700000000000000,1700000001500000,NULL,'{}',NULL,21,NULL,NULL,0,NULL,NULL,NULL,0,0,NULL,NULL,0);
INSERT INTO "jobs" VALUES(2,'dj-5fd174d9-e6c2-4387-9d88-b9a4da4c5d1c','team-a','alice','job','','CONTEXT_GROUNDED_FILES','READY_TO_START','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,1,1,0,0,0,0,1,21,1,1700000001500000,1700000001500000,NULL,'{}',NULL,18,NULL,NULL,0,NULL,NULL,1700000001500000,0,0,NULL,NULL,0);
INSERT INTO "jobs" VALUES(3,'dj-171ba955-5d4c-4c88-961a-0eace4b00131','team-b','bob','job','','CONTEXT_GROUNDED_FILES','CANCELLED','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,0,0,1,1,0,1,1,9,1,1700000001500000,1700000001500000,NULL,'{}',NULL,9,NULL,NULL,0,NULL,NULL,1700000001500000,0,0,NULL,NULL,0);
INSERT INTO "jobs" VALUES(4,'dj-9223fe60-fe94-4051-a343-2a9b332c30ea','team-b','bob','job','','CONTEXT_GROUNDED_FILES','NEEDS_REVIEW','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,0,0,0,0,0,0,0,1,1,1700000001500000,1700000001500000,NULL,'{}',NULL,0,NULL,NULL,0,NULL,NULL,NULL,0,0,NULL,NULL,0);
CREATE TABLE knowledge_bases (
    id                INTEGER PRIMARY KEY,
    knowledge_base_id TEXT NOT NULL UNIQUE,
    team              TEXT NOT NULL,
    user_id           TEXT NOT NULL,
    name              TEXT NOT NULL,
    description       TEXT NOT NULL,
    external_id       TEXT,
    indexing          TEXT NOT NULL, -- JSON of model.Indexing: the set of chunks that is searched
    next              TEXT,          -- JSON of model.Reindexing: the set that a job fills
    generations       INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    deleted_at        INTEGER,
    purge_at          INTEGER,
    purged_at         INTEGER        -- its chunks are gone, and so is all that it held; the row stays for old jobs
) STRICT;
CREATE TABLE ledger (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    ledger_id  TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO "ledger" VALUES(1,'5a715322-6615-4b82-b781-5ccd7f86ebe3',1700000000000000);
CREATE TABLE queue_clock (
    priority     INTEGER PRIMARY KEY,
    virtual_time INTEGER NOT NULL -- greatest fair_tag claimed so far
) STRICT;
INSERT INTO "queue_clock" VALUES(0,9437184);
CREATE TABLE requests (
    id           INTEGER PRIMARY KEY,
    team         TEXT NOT NULL,
    method       TEXT NOT NULL,
    request_id   TEXT NOT NULL,
    payload_hash BLOB NOT NULL,
    result       TEXT NOT NULL, -- JSON: ids and per-item results
    created_at   INTEGER NOT NULL
) STRICT;
INSERT INTO "requests" VALUES(1,'team-a','/ingest_grpc.v1.Test/Mutate','create',X'7061796C6F6164','{"job_id":"dj-2ae8f105-0085-463b-ae80-92ad63b90230","ingestion_job_id":"ij-18c3e5c4-0876-45d4-a286-d66479fbbe2c","results":[{"file_id":"file-72e34bb1-2341-4442-a867-7aface172884","outcome":"ADDED","record_id":"ijf-2af99933-57a7-4953-ac91-ada99bce4792","output_file_id":"md-file-4fb42b7f-e6ed-4118-a2ec-549c650f2d4b","supersedes_record_id":null},{"file_id":"file-fff14049-9272-4e7d-b473-6efcbdc9fdbf","outcome":"ADDED","record_id":"ijf-1787c640-4f79-4618-9bd3-343716296d51","output_file_id":"md-file-1758d1b3-3a2e-4f19-8381-dcf9f67cd14e","supersedes_record_id":null},{"file_id":"file-4c06c8e9-c407-4292-b837-527cd4a73fc6","outcome":"ADDED","record_id":"ijf-7de686bb-8e3e-43cd-b0f7-331e996fdcd0","output_file_id":"md-file-5fc997e7-1d35-44a7-861f-47769b9c9569","supersedes_record_id":null},{"file_id":"file-ed803f83-b792-4728-8c02-28186597889f","outcome":"ADDED","record_id":"ijf-5ac34180-7193-4318-8eaa-ac50ec55ec41","output_file_id":"md-file-96d034b6-0bb3-4268-979f-65b46332101d","supersedes_record_id":null},{"file_id":"file-855f36f1-d4af-4573-bc67-47473bd895ab","outcome":"ADDED","record_id":"ijf-c2275cd8-2be8-476e-b4b2-acc2d421b0a4","output_file_id":"md-file-6d7f0cc6-de87-43fa-b0c4-bbe733e720e3","supersedes_record_id":null},{"file_id":"file-b4b2df9c-d0e7-4eea-a6d3-399b3a36510d","outcome":"ADDED","record_id":"ijf-f0df3ed2-a095-4284-97e8-5946cb403ff2","output_file_id":"md-file-c7e1fc4d-9ba1-4032-9715-5785c21d4b36","supersedes_record_id":null},{"file_id":"file-c0b3077f-7f5b-414d-b088-2d9df89c3de3","outcome":"MARKDOWN_READY","record_id":null,"output_file_id":"file-c0b3077f-7f5b-414d-b088-2d9df89c3de3","supersedes_record_id":null}]}',1700000000000000);
CREATE TABLE team_usage (
    team  TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
) STRICT;
INSERT INTO "team_usage" VALUES('team-a',73);
INSERT INTO "team_usage" VALUES('team-b',10);
CREATE TABLE transitions (
    from_status TEXT NOT NULL, -- '' for a new record
    trigger     TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    PRIMARY KEY (from_status, trigger)
) STRICT, WITHOUT ROWID;
INSERT INTO "transitions" VALUES('','ADDED','QUEUED');
INSERT INTO "transitions" VALUES('','REUSED','COMPLETED');
INSERT INTO "transitions" VALUES('CANCELLED','RETRIED','QUEUED');
INSERT INTO "transitions" VALUES('FAILED','RETRIED','QUEUED');
INSERT INTO "transitions" VALUES('QUEUED','CANCELLED','CANCELLED');
INSERT INTO "transitions" VALUES('QUEUED','CLAIMED','RUNNING');
INSERT INTO "transitions" VALUES('RUNNING','CANCELLED','CANCELLED');
INSERT INTO "transitions" VALUES('RUNNING','FAILED','FAILED');
INSERT INTO "transitions" VALUES('RUNNING','FAILED_RETRYABLE','QUEUED');
INSERT INTO "transitions" VALUES('RUNNING','ORPHANED','QUEUED');
INSERT INTO "transitions" VALUES('RUNNING','SUCCEEDED','COMPLETED');
CREATE TABLE uploads (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
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
CREATE INDEX ingestion_jobs_by_job ON ingestion_jobs (job, id);
CREATE INDEX ingestion_jobs_by_job_status ON ingestion_jobs (job, status, id);
CREATE INDEX ingestion_jobs_by_team ON ingestion_jobs (team, id);
CREATE INDEX ingestion_jobs_by_team_status ON ingestion_jobs (team, status, id);
CREATE UNIQUE INDEX blobs_by_content ON blobs (team, sha256) WHERE shareable = 1 AND deleted_at IS NULL;
CREATE INDEX blobs_deleted ON blobs (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX files_by_team ON files (team, id) WHERE deleted_at IS NULL;
CREATE INDEX files_by_kind ON files (team, kind, id) WHERE deleted_at IS NULL;
CREATE INDEX records_to_claim ON file_records (priority DESC, fair_tag, id) WHERE claimable = 1;
CREATE INDEX records_queued_by_team ON file_records (team, priority, fair_tag) WHERE status = 'QUEUED';
CREATE INDEX records_running ON file_records (id) WHERE status = 'RUNNING';
CREATE INDEX records_by_job ON file_records (job, id);
CREATE INDEX records_by_job_status ON file_records (job, status, id);
CREATE INDEX records_claimable_by_job ON file_records (job, priority DESC, fair_tag, id) WHERE claimable = 1;
CREATE INDEX records_by_ingestion_job ON file_records (ingestion_job, id);
CREATE INDEX records_by_ingestion_job_status ON file_records (ingestion_job, status, id);
CREATE INDEX records_by_file ON file_records (file, job);
CREATE INDEX records_unresolved ON file_records (job, id)
    WHERE status IN ('FAILED', 'CANCELLED') AND deleted_at IS NULL AND superseded_by IS NULL;
CREATE INDEX records_unresolved_by_name ON file_records (job, filename)
    WHERE status IN ('FAILED', 'CANCELLED') AND deleted_at IS NULL AND superseded_by IS NULL;
CREATE TRIGGER file_records_new BEFORE INSERT ON file_records
WHEN NOT EXISTS (
    SELECT 1 FROM transitions WHERE from_status = '' AND trigger = NEW.last_trigger AND to_status = NEW.status
)
BEGIN
    SELECT RAISE(ABORT, 'transition refused');
END;
CREATE TRIGGER file_records_guard BEFORE UPDATE OF status, last_trigger ON file_records
WHEN NOT EXISTS (
    SELECT 1 FROM transitions
    WHERE from_status = OLD.status AND trigger = NEW.last_trigger AND to_status = NEW.status
)
BEGIN
    SELECT RAISE(ABORT, 'transition refused');
END;
CREATE UNIQUE INDEX job_files_live ON job_files (job, file) WHERE removed_at IS NULL;
CREATE INDEX job_files_by_job ON job_files (job, id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX requests_by_id ON requests (team, method, request_id);
CREATE INDEX requests_by_age ON requests (created_at);
CREATE UNIQUE INDEX jobs_by_external_id ON jobs (team, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX jobs_to_purge ON jobs (purge_at) WHERE purge_at IS NOT NULL;
CREATE INDEX jobs_by_team ON jobs (team, id) WHERE deleted_at IS NULL;
CREATE INDEX jobs_by_status ON jobs (team, status, id) WHERE deleted_at IS NULL;
CREATE INDEX jobs_by_creation ON jobs (team, created_at, id);
CREATE INDEX jobs_by_name ON jobs (team, name, id);
CREATE INDEX jobs_by_update ON jobs (team, updated_at, id);
CREATE INDEX jobs_by_type ON jobs (team, job_type, id);
CREATE INDEX files_by_content ON files (team, sha256, id);
CREATE INDEX records_capped ON file_records (team, priority DESC, fair_tag, id)
    WHERE status = 'QUEUED' AND claimable = 0 AND wait_reason = 'TEAM_CAP';
CREATE INDEX records_claimable_by_team ON file_records (team) WHERE claimable = 1;
CREATE INDEX records_running_by_team ON file_records (team) WHERE status = 'RUNNING';
CREATE INDEX records_delayed ON file_records (next_attempt_at)
    WHERE status = 'QUEUED' AND claimable = 0 AND next_attempt_at IS NOT NULL;
CREATE TRIGGER blobs_counted AFTER INSERT ON blobs
BEGIN
    INSERT INTO team_usage (team, bytes) VALUES (NEW.team, NEW.size_bytes)
    ON CONFLICT (team) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER blobs_released AFTER UPDATE OF deleted_at ON blobs
WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL
BEGIN
    UPDATE team_usage SET bytes = bytes - OLD.size_bytes WHERE team = OLD.team;
END;
CREATE UNIQUE INDEX alignments_current ON alignment_jobs (job) WHERE retired_at IS NULL;
CREATE INDEX alignments_by_job ON alignment_jobs (job, id);
CREATE INDEX alignments_to_claim ON alignment_jobs (priority DESC, fair_tag, id) WHERE claimable = 1;
CREATE INDEX alignments_delayed ON alignment_jobs (next_attempt_at) WHERE status = 'QUEUED' AND claimable = 0;
CREATE INDEX alignments_queued_by_team ON alignment_jobs (team, priority, fair_tag) WHERE status = 'QUEUED';
CREATE INDEX alignments_running ON alignment_jobs (id) WHERE status = 'RUNNING';
CREATE TRIGGER alignment_jobs_new BEFORE INSERT ON alignment_jobs
WHEN NOT EXISTS (
    SELECT 1 FROM transitions WHERE from_status = '' AND trigger = NEW.last_trigger AND to_status = NEW.status
)
BEGIN
    SELECT RAISE(ABORT, 'transition refused');
END;
CREATE TRIGGER alignment_jobs_guard BEFORE UPDATE OF status, last_trigger ON alignment_jobs
WHEN NOT EXISTS (
    SELECT 1 FROM transitions
    WHERE from_status = OLD.status AND trigger = NEW.last_trigger AND to_status = NEW.status
)
BEGIN
    SELECT RAISE(ABORT, 'transition refused');
END;
CREATE UNIQUE INDEX files_by_external_id ON files (team, external_id)
    WHERE external_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX files_expiring ON files (expires_at) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX uploads_expiring ON uploads (expires_at);
CREATE UNIQUE INDEX events_by_job ON events (job, sequence);
CREATE INDEX events_milestones ON events (job, sequence) WHERE milestone = 1;
CREATE INDEX events_in_feed ON events (team, id) WHERE in_feed = 1;
CREATE INDEX jobs_to_compact ON jobs (compactable_since) WHERE compactable_since IS NOT NULL;
CREATE INDEX outputs_by_age ON files (created_at, id) WHERE kind = 'OUTPUT' AND deleted_at IS NULL;
CREATE INDEX records_by_parent ON file_records (parent_record_id, id) WHERE parent_record_id IS NOT NULL;
CREATE INDEX records_by_root ON file_records (root_record_id) WHERE root_record_id IS NOT NULL;
CREATE INDEX knowledge_bases_by_team ON knowledge_bases (team, id) WHERE deleted_at IS NULL;
CREATE INDEX knowledge_bases_all ON knowledge_bases (team, id) WHERE purged_at IS NULL;
CREATE UNIQUE INDEX knowledge_bases_by_external_id ON knowledge_bases (team, external_id)
    WHERE external_id IS NOT NULL AND purged_at IS NULL;
CREATE INDEX knowledge_bases_to_purge ON knowledge_bases (purge_at) WHERE purge_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX data_sources_by_knowledge_base ON data_sources (knowledge_base, id) WHERE removed_at IS NULL;
CREATE INDEX data_sources_due ON data_sources (next_sync_at) WHERE next_sync_at IS NOT NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX data_sources_by_external_id ON data_sources (team, external_id)
    WHERE external_id IS NOT NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX documents_live ON documents (knowledge_base, coalesce(data_source, 0), key) WHERE removed_at IS NULL;
CREATE INDEX documents_by_knowledge_base ON documents (knowledge_base, id) WHERE removed_at IS NULL;
CREATE INDEX documents_by_data_source ON documents (data_source, id) WHERE removed_at IS NULL;
CREATE INDEX documents_by_parent ON documents (parent, id) WHERE parent IS NOT NULL AND removed_at IS NULL;
CREATE INDEX documents_by_file ON documents (file);
CREATE INDEX documents_by_indexed_file ON documents (indexed_file) WHERE indexed_file IS NOT NULL;
CREATE INDEX documents_by_record ON documents (record) WHERE record IS NOT NULL;
CREATE INDEX documents_to_clear ON documents (knowledge_base, id) WHERE removed_at IS NOT NULL AND cleared_at IS NULL;
CREATE INDEX jobs_by_knowledge_base ON jobs (knowledge_base_id, id) WHERE knowledge_base_id IS NOT NULL;
CREATE INDEX ingestion_jobs_by_knowledge_base ON ingestion_jobs (knowledge_base_id, id)
    WHERE knowledge_base_id IS NOT NULL;
CREATE INDEX ingestion_jobs_by_data_source ON ingestion_jobs (data_source_id, id) WHERE data_source_id IS NOT NULL;
CREATE INDEX records_by_document ON file_records (document, id) WHERE document IS NOT NULL;
CREATE INDEX records_replacing ON file_records (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX files_by_blob ON files (blob) WHERE blob IS NOT NULL;
CREATE INDEX job_files_by_file ON job_files (file);
CREATE INDEX job_files_ever ON job_files (job, file);
CREATE INDEX documents_clearing ON documents (id) WHERE removed_at IS NOT NULL AND cleared_at IS NULL;
CREATE INDEX documents_uncleared ON documents (knowledge_base, id) WHERE cleared_at IS NULL;
CREATE INDEX documents_next ON documents (knowledge_base) WHERE next_record IS NOT NULL;
CREATE INDEX documents_to_tell ON documents (id) WHERE metadata_changes > metadata_told;
CREATE INDEX files_by_image_of ON files (image_of) WHERE image_of IS NOT NULL;
CREATE VIEW file_record_rows AS
SELECT
    r.*, j.job_id, i.ingestion_job_id, f.file_id, f.content_type AS source_type, b.blob_key AS source
FROM file_records AS r
CROSS JOIN jobs AS j ON j.id = r.job
CROSS JOIN ingestion_jobs AS i ON i.id = r.ingestion_job
CROSS JOIN files AS f ON f.id = r.file
LEFT JOIN blobs AS b ON b.id = f.blob;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',58);
INSERT INTO "sqlite_sequence" VALUES('jobs',4);
INSERT INTO "sqlite_sequence" VALUES('ingestion_jobs',5);
INSERT INTO "sqlite_sequence" VALUES('blobs',13);
INSERT INTO "sqlite_sequence" VALUES('files',14);
INSERT INTO "sqlite_sequence" VALUES('file_records',11);
INSERT INTO "sqlite_sequence" VALUES('alignment_jobs',0);
INSERT INTO "sqlite_sequence" VALUES('uploads',0);
COMMIT;
PRAGMA user_version = 15;
