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
INSERT INTO "api_keys" VALUES(1,'key-a0674a4d-e7af-4d1a-8b8e-bc86abd2fbc8',X'0FEA2B14B44490C470E042DBB95D1B54668E1464DD4938F7AF8BBB7D537D4E41','team-a','alice','["WRITE"]',1700000001500000,1700000001500000,0);
INSERT INTO "api_keys" VALUES(2,'key-389b9277-55b4-476c-8d07-448f6113e601',X'4BC89E6BB5A14DD6A70269A91E283858A97FD1E884D8EA029D7A0BF60F70E487','team-b','bob','["READ"]',1700000001500000,NULL,0);
CREATE TABLE blobs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    blob_key   TEXT NOT NULL UNIQUE,
    team       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    shareable  INTEGER NOT NULL, -- uploads of equal bytes share one blob, outputs do not
    deleted_at INTEGER           -- set when nothing refers to it any more; then the bytes go, then the row
) STRICT;
INSERT INTO "blobs" VALUES(1,'b641cfe34f2f4872b06d4454217b2bc1','team-a','e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',5,1,NULL);
INSERT INTO "blobs" VALUES(2,'f55f3b50c7434d35abf137083c818363','team-a','111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',5,1,NULL);
INSERT INTO "blobs" VALUES(3,'e29838516c6f4582a73809274ba44fa3','team-a','e3c505fd16f50cb10f563ec68c80e27e127ad46f6b1b889b292563014f550493',5,1,NULL);
INSERT INTO "blobs" VALUES(4,'8b4c15eeb4724125ab7ba178b5e0a663','team-a','8a25bbaf71f5c62f521c4b023848ff49993b62fbac23d6492eac06b50c80b8c4',5,1,NULL);
INSERT INTO "blobs" VALUES(5,'596e71c1d33a42ad9dc488fbbb1988bd','team-a','135075b739b67c18ca3d823d5192b9e5e783a563b3dc533a7714bb1bf8b6d3e0',5,1,NULL);
INSERT INTO "blobs" VALUES(6,'444a98de27a143a29bfc13767bd27693','team-a','7173c4713359ce651f8f4067ba630d5f20a82baeb2179273334338fcd7ecf2fb',5,1,NULL);
INSERT INTO "blobs" VALUES(7,'395419916dd54fafbe56a5c694cb20bf','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,1,NULL);
INSERT INTO "blobs" VALUES(8,'99abcff050e1430ca23c0582b24a2cf1-1','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,0,NULL);
INSERT INTO "blobs" VALUES(9,'aced82fa774e44a684a209c3ff1268a6','team-a','3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',9,1,NULL);
INSERT INTO "blobs" VALUES(10,'12d47eb26e1949d1bb4d41e93a341499','team-a','6466e450a16b77b865c5829d6b6c56d9f892956475642dbeb9ccc4340fe01b15',10,1,NULL);
INSERT INTO "blobs" VALUES(11,'178b15e584a9484b9619dfea43cfcf62-1','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,0,NULL);
INSERT INTO "blobs" VALUES(12,'52bdc103df6b4f12a09188f44578cc4f','team-b','e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',5,1,NULL);
INSERT INTO "blobs" VALUES(13,'715b23d2a60e45779b580a918e5eafdf','team-b','111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',5,1,NULL);
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
CREATE TABLE document_counts (
    knowledge_base INTEGER NOT NULL REFERENCES knowledge_bases (id),
    data_source    INTEGER NOT NULL, -- 0: added by hand or by a job
    status         TEXT NOT NULL,
    documents      INTEGER NOT NULL,
    partial        INTEGER NOT NULL,
    searchable     INTEGER NOT NULL,
    chunks         INTEGER NOT NULL,
    PRIMARY KEY (knowledge_base, data_source, status)
) STRICT, WITHOUT ROWID;
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
INSERT INTO "events" VALUES(1,1,1,'team-a',1700000000000000,'CREATED',1,1,'Data job created.','alice',NULL,'{"job":{"job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":6},"markdown_files":1,"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":9,"files_sequence":8,"created_at":1700000000000000,"updated_at":1700000000000000}}');
INSERT INTO "events" VALUES(2,1,2,'team-a',1700000000000000,'FILES_ADDED',0,0,'1 Markdown file(s) were added.','alice',NULL,'{"added":[{"file_id":"file-ada8d1bd-eabd-4dca-8312-004941b4a68d","name":"notes.md","content_type":"x/y","created_at":1700000000000000,"status":"COMPLETED"}]}');
INSERT INTO "events" VALUES(3,1,3,'team-a',1700000000000000,'RECORD_ADDED',0,0,'1.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-99abcff0-50e1-430c-a23c-0582b24a2cf1","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-f69f78b2-d729-4ccc-8775-6d8f86dddd45","output_file_id":"md-file-173f7881-0b65-4a44-84ec-4e93892f356b","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":3}}');
INSERT INTO "events" VALUES(4,1,4,'team-a',1700000000000000,'RECORD_ADDED',0,0,'2.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-dbb5d44c-a6e4-477b-9c3b-f4318644c209","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-0b492162-8d44-4b71-ae1b-10d4b3c5e915","output_file_id":"md-file-3defb776-2288-4b17-9372-3636e6373dbd","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":4}}');
INSERT INTO "events" VALUES(5,1,5,'team-a',1700000000000000,'RECORD_ADDED',0,0,'3.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-6aa24385-ce33-48c8-97e2-5908124f7ca7","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-c21fb527-f801-4172-8541-5b57b32689c8","output_file_id":"md-file-3e0b9fa5-c551-4eac-bb44-4eb2f488f236","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":5}}');
INSERT INTO "events" VALUES(6,1,6,'team-a',1700000000000000,'RECORD_ADDED',0,0,'4.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-9da58215-c355-4ed0-aeb4-33ce17a8489b","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-e70c3d45-cc79-4a96-8d31-ef729ed1e2cf","output_file_id":"md-file-d63ea07e-a599-4961-82bb-ae6d8428a085","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":6}}');
INSERT INTO "events" VALUES(7,1,7,'team-a',1700000000000000,'RECORD_ADDED',0,0,'5.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-8a7fed1f-1633-46e7-8c8c-8cafc5388678","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-0af11a23-2718-4c1d-9b2b-7a7eae589192","output_file_id":"md-file-74604044-3a4b-45a8-8941-c2eb9b4f481c","user_id":"alice","team_id":"team-a","filename":"5.pdf","output_filename":"5.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":7}}');
INSERT INTO "events" VALUES(8,1,8,'team-a',1700000000000000,'RECORD_ADDED',0,0,'6.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-6d2d6861-fe60-46e8-92ac-d396b3ca42a5","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-24834bf8-e303-4959-b3fb-7a5698072ead","output_file_id":"md-file-9e189cb6-c68c-412a-8bb4-9e4fda43da6e","user_id":"alice","team_id":"team-a","filename":"6.pdf","output_filename":"6.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":8}}');
INSERT INTO "events" VALUES(9,1,9,'team-a',1700000000000000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","status":"QUEUED","tally":{"queued":6},"bytes_in":30,"created_at":1700000000000000,"last_sequence":9}}');
INSERT INTO "events" VALUES(10,1,10,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'1.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-99abcff0-50e1-430c-a23c-0582b24a2cf1","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-f69f78b2-d729-4ccc-8775-6d8f86dddd45","output_file_id":"md-file-173f7881-0b65-4a44-84ec-4e93892f356b","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":10},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(11,1,11,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'2.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-dbb5d44c-a6e4-477b-9c3b-f4318644c209","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-0b492162-8d44-4b71-ae1b-10d4b3c5e915","output_file_id":"md-file-3defb776-2288-4b17-9372-3636e6373dbd","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":11},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(12,1,12,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'3.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-6aa24385-ce33-48c8-97e2-5908124f7ca7","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-c21fb527-f801-4172-8541-5b57b32689c8","output_file_id":"md-file-3e0b9fa5-c551-4eac-bb44-4eb2f488f236","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":12},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(13,1,13,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'4.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-9da58215-c355-4ed0-aeb4-33ce17a8489b","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-e70c3d45-cc79-4a96-8d31-ef729ed1e2cf","output_file_id":"md-file-d63ea07e-a599-4961-82bb-ae6d8428a085","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":13},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(14,1,14,'team-a',1700000000000000,'RECORD_CLAIMED',0,0,'5.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-8a7fed1f-1633-46e7-8c8c-8cafc5388678","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-0af11a23-2718-4c1d-9b2b-7a7eae589192","output_file_id":"md-file-74604044-3a4b-45a8-8941-c2eb9b4f481c","user_id":"alice","team_id":"team-a","filename":"5.pdf","output_filename":"5.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":14},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(15,1,15,'team-a',1700000000000000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","status":"RUNNING","tally":{"queued":1,"running":5},"bytes_in":30,"created_at":1700000000000000,"started_at":1700000000000000,"last_sequence":15},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(16,1,16,'team-a',1700000000000000,'FILE_PROCESSING_STARTED',1,1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","status":"RUNNING","record_count":6}');
INSERT INTO "events" VALUES(17,1,17,'team-a',1700000001500000,'RECORD_COMPLETED',0,0,'1.pdf was converted.','worker-1','SUCCEEDED','{"record":{"record_id":"ijf-99abcff0-50e1-430c-a23c-0582b24a2cf1","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-f69f78b2-d729-4ccc-8775-6d8f86dddd45","output_file_id":"md-file-173f7881-0b65-4a44-84ec-4e93892f356b","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","engine":{"name":"fake","version":"1"},"status":"COMPLETED","attempt":1,"created_at":1700000000000000,"processing_at":1700000000000000,"completed_at":1700000001500000,"pages":1,"bytes_out":8,"last_sequence":17},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(18,1,18,'team-a',1700000001500000,'RECORD_FAILED',0,0,'2.pdf failed: The PDF may be corrupted, password-protected, or in an unsupported format.','worker-1','FAILED','{"record":{"record_id":"ijf-dbb5d44c-a6e4-477b-9c3b-f4318644c209","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-0b492162-8d44-4b71-ae1b-10d4b3c5e915","output_file_id":"md-file-3defb776-2288-4b17-9372-3636e6373dbd","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"PDF_UNREADABLE","step":"PARSE"},"attempt":1,"failures":1,"created_at":1700000000000000,"processing_at":1700000000000000,"failed_at":1700000001500000,"last_sequence":18},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(19,1,19,'team-a',1700000001500000,'RECORD_RETRY_SCHEDULED',0,0,'3.pdf will be tried again: The converter crashed on this file.','worker-1','FAILED_RETRYABLE','{"record":{"record_id":"ijf-6aa24385-ce33-48c8-97e2-5908124f7ca7","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-c21fb527-f801-4172-8541-5b57b32689c8","output_file_id":"md-file-3e0b9fa5-c551-4eac-bb44-4eb2f488f236","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"QUEUED","error":{"reason":"CONVERTER_CRASHED","step":"PARSE"},"attempt":1,"failures":1,"next_attempt_at":1700000031500000,"wait_reason":"BACK_OFF","created_at":1700000000000000,"last_sequence":19},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(20,1,20,'team-a',1700000001500000,'RECORD_ORPHANED',0,0,'4.pdf lost its worker and is queued again.','system','ORPHANED','{"record":{"record_id":"ijf-9da58215-c355-4ed0-aeb4-33ce17a8489b","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-e70c3d45-cc79-4a96-8d31-ef729ed1e2cf","output_file_id":"md-file-d63ea07e-a599-4961-82bb-ae6d8428a085","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"QUEUED","attempt":1,"orphaned_count":1,"created_at":1700000000000000,"last_sequence":20},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(21,1,21,'team-a',1700000001500000,'RECORD_ADDED',0,0,'2.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-ae74834a-af7e-4be5-b8da-add16e5dc528","ingestion_job_id":"ij-3a30a1ba-177e-4d4d-93ae-d804364d783b","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-7dd5c471-d9fb-48ca-bc88-a5b584722e29","output_file_id":"md-file-32ec4f37-83a8-47bf-aa64-0a99db5b1b0c","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":21}}');
INSERT INTO "events" VALUES(22,1,22,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-3a30a1ba-177e-4d4d-93ae-d804364d783b","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","status":"QUEUED","tally":{"queued":1},"bytes_in":9,"created_at":1700000001500000,"last_sequence":22}}');
INSERT INTO "events" VALUES(23,2,1,'team-a',1700000001500000,'CREATED',1,1,'Data job created.','alice',NULL,'{"job":{"job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":3,"files_sequence":2,"created_at":1700000001500000,"updated_at":1700000001500000}}');
INSERT INTO "events" VALUES(24,2,2,'team-a',1700000001500000,'RECORD_ADDED',0,0,'report.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-0e9029fd-94b3-4362-80ba-f74714d3a271","ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","file_id":"file-e359e5cc-fd02-401d-9756-f621a997bcce","output_file_id":"md-file-48ff35b3-330c-4a23-b5c7-991cbdd4c130","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":2}}');
INSERT INTO "events" VALUES(25,2,3,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","status":"QUEUED","tally":{"queued":1},"bytes_in":10,"created_at":1700000001500000,"last_sequence":3}}');
INSERT INTO "events" VALUES(26,1,23,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'4.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-9da58215-c355-4ed0-aeb4-33ce17a8489b","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-e70c3d45-cc79-4a96-8d31-ef729ed1e2cf","output_file_id":"md-file-d63ea07e-a599-4961-82bb-ae6d8428a085","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":2,"orphaned_count":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000001500000,"last_sequence":23},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(27,1,24,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'6.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-6d2d6861-fe60-46e8-92ac-d396b3ca42a5","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-24834bf8-e303-4959-b3fb-7a5698072ead","output_file_id":"md-file-9e189cb6-c68c-412a-8bb4-9e4fda43da6e","user_id":"alice","team_id":"team-a","filename":"6.pdf","output_filename":"6.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000001500000,"last_sequence":24},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(28,1,25,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'2.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-ae74834a-af7e-4be5-b8da-add16e5dc528","ingestion_job_id":"ij-3a30a1ba-177e-4d4d-93ae-d804364d783b","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","file_id":"file-7dd5c471-d9fb-48ca-bc88-a5b584722e29","output_file_id":"md-file-32ec4f37-83a8-47bf-aa64-0a99db5b1b0c","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":25},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(29,1,26,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-3a30a1ba-177e-4d4d-93ae-d804364d783b","job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","status":"RUNNING","tally":{"running":1},"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":26},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(30,1,27,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-3a30a1ba-177e-4d4d-93ae-d804364d783b","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(31,2,4,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'report.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-0e9029fd-94b3-4362-80ba-f74714d3a271","ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","file_id":"file-e359e5cc-fd02-401d-9756-f621a997bcce","output_file_id":"md-file-48ff35b3-330c-4a23-b5c7-991cbdd4c130","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":4},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(32,2,5,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","status":"RUNNING","tally":{"running":1},"bytes_in":10,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":5},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(33,2,6,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(34,2,7,'team-a',1700000001500000,'RECORD_FAILED',0,0,'report.pdf failed: The file appears to be empty.','worker-1','FAILED','{"record":{"record_id":"ijf-0e9029fd-94b3-4362-80ba-f74714d3a271","ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","file_id":"file-e359e5cc-fd02-401d-9756-f621a997bcce","output_file_id":"md-file-48ff35b3-330c-4a23-b5c7-991cbdd4c130","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"EMPTY_FILE","step":"PARSE"},"attempt":1,"failures":1,"created_at":1700000001500000,"processing_at":1700000001500000,"failed_at":1700000001500000,"last_sequence":7},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(35,2,8,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is failed.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","status":"FAILED","tally":{"failed":1,"unresolved":1},"bytes_in":10,"error":{"reason":"EMPTY_FILE","step":"PARSE"},"created_at":1700000001500000,"started_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":8},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(36,2,9,'team-a',1700000001500000,'FILE_PROCESSING_COMPLETED',1,1,'Finished processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","status":"FAILED","record_count":1}');
INSERT INTO "events" VALUES(37,2,10,'team-a',1700000001500000,'JOB_CHANGED',0,1,'The job is needs review.','worker-1',NULL,'{"job":{"job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"NEEDS_REVIEW","tally":{"failed":1,"unresolved":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":10,"files_sequence":7,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(38,2,11,'team-a',1700000001500000,'RECORD_ADDED',0,0,'report.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-178b15e5-84a9-484b-9619-dfea43cfcf62","ingestion_job_id":"ij-6f5a5103-06c2-4559-9daa-56f0ab66f120","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","file_id":"file-79941de0-f459-4a3f-898c-a3a818280a07","output_file_id":"md-file-8b1619ef-5be7-45b6-bff2-d46f4bb158bc","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":11}}');
INSERT INTO "events" VALUES(39,2,12,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-6f5a5103-06c2-4559-9daa-56f0ab66f120","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","status":"QUEUED","tally":{"queued":1},"bytes_in":9,"created_at":1700000001500000,"last_sequence":12}}');
INSERT INTO "events" VALUES(40,2,13,'team-a',1700000001500000,'JOB_CHANGED',0,1,'The job is file processing.','alice',NULL,'{"job":{"job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":1,"failed":1,"unresolved":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":13,"files_sequence":11,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"NEEDS_REVIEW"}');
INSERT INTO "events" VALUES(41,2,14,'team-a',1700000001500000,'RECORD_CLAIMED',0,0,'report.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-178b15e5-84a9-484b-9619-dfea43cfcf62","ingestion_job_id":"ij-6f5a5103-06c2-4559-9daa-56f0ab66f120","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","file_id":"file-79941de0-f459-4a3f-898c-a3a818280a07","output_file_id":"md-file-8b1619ef-5be7-45b6-bff2-d46f4bb158bc","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":14},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(42,2,15,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-6f5a5103-06c2-4559-9daa-56f0ab66f120","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","status":"RUNNING","tally":{"running":1},"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":15},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(43,2,16,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-6f5a5103-06c2-4559-9daa-56f0ab66f120","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(44,2,17,'team-a',1700000001500000,'RECORD_COMPLETED',0,0,'report.pdf was converted.','worker-1','SUCCEEDED','{"record":{"record_id":"ijf-178b15e5-84a9-484b-9619-dfea43cfcf62","ingestion_job_id":"ij-6f5a5103-06c2-4559-9daa-56f0ab66f120","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","file_id":"file-79941de0-f459-4a3f-898c-a3a818280a07","output_file_id":"md-file-8b1619ef-5be7-45b6-bff2-d46f4bb158bc","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","engine":{"name":"fake","version":"1"},"status":"COMPLETED","attempt":1,"created_at":1700000001500000,"processing_at":1700000001500000,"completed_at":1700000001500000,"pages":1,"bytes_out":8,"last_sequence":17},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(45,2,18,'team-a',1700000001500000,'RECORD_SUPERSEDED',0,0,'report.pdf was resolved by a corrected upload.','worker-1','SUPERSEDED','{"record":{"record_id":"ijf-0e9029fd-94b3-4362-80ba-f74714d3a271","ingestion_job_id":"ij-26121381-cd4d-490f-9c8e-fa4db93a3f84","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","file_id":"file-e359e5cc-fd02-401d-9756-f621a997bcce","output_file_id":"md-file-48ff35b3-330c-4a23-b5c7-991cbdd4c130","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"EMPTY_FILE","step":"PARSE"},"attempt":1,"failures":1,"superseded_by":"ijf-178b15e5-84a9-484b-9619-dfea43cfcf62","created_at":1700000001500000,"processing_at":1700000001500000,"failed_at":1700000001500000,"last_sequence":18},"previous_status":"FAILED"}');
INSERT INTO "events" VALUES(46,2,19,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is completed.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-6f5a5103-06c2-4559-9daa-56f0ab66f120","job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","status":"COMPLETED","tally":{"completed":1},"pages":1,"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":19},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(47,2,20,'team-a',1700000001500000,'FILE_PROCESSING_COMPLETED',1,1,'Finished processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-6f5a5103-06c2-4559-9daa-56f0ab66f120","status":"COMPLETED","record_count":1}');
INSERT INTO "events" VALUES(48,2,21,'team-a',1700000001500000,'JOB_CHANGED',0,1,'The job is ready to start.','worker-1',NULL,'{"job":{"job_id":"dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"READY_TO_START","tally":{"completed":1,"failed":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":21,"files_sequence":18,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(49,3,1,'team-b',1700000001500000,'CREATED',1,1,'Data job created.','bob',NULL,'{"job":{"job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":2},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":4,"files_sequence":3,"created_at":1700000001500000,"updated_at":1700000001500000}}');
INSERT INTO "events" VALUES(50,3,2,'team-b',1700000001500000,'RECORD_ADDED',0,0,'1.pdf was added.','bob','ADDED','{"record":{"record_id":"ijf-2da9f1c5-4dc8-45b3-9c97-05e637da7fb1","ingestion_job_id":"ij-c9cc039e-30fc-412f-a4d1-fdeaf52f3152","job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","file_id":"file-5938d637-6de5-435c-b57e-b3343e6fcec8","output_file_id":"md-file-f6e34a45-c441-4ad2-9809-7903f1ff1f74","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":2}}');
INSERT INTO "events" VALUES(51,3,3,'team-b',1700000001500000,'RECORD_ADDED',0,0,'2.pdf was added.','bob','ADDED','{"record":{"record_id":"ijf-6330c393-9077-48a6-98d7-e37b9f6189a3","ingestion_job_id":"ij-c9cc039e-30fc-412f-a4d1-fdeaf52f3152","job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","file_id":"file-514dc86a-393b-44d2-b05a-2b77798d0192","output_file_id":"md-file-f16780e9-8d50-4f2e-8893-45580a2af734","user_id":"bob","team_id":"team-b","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":3}}');
INSERT INTO "events" VALUES(52,3,4,'team-b',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is queued.','bob',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-c9cc039e-30fc-412f-a4d1-fdeaf52f3152","job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","status":"QUEUED","tally":{"queued":2},"bytes_in":10,"created_at":1700000001500000,"last_sequence":4}}');
INSERT INTO "events" VALUES(53,3,5,'team-b',1700000001500000,'RECORD_CANCELLED',0,0,'1.pdf was cancelled.','bob','CANCELLED','{"record":{"record_id":"ijf-2da9f1c5-4dc8-45b3-9c97-05e637da7fb1","ingestion_job_id":"ij-c9cc039e-30fc-412f-a4d1-fdeaf52f3152","job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","file_id":"file-5938d637-6de5-435c-b57e-b3343e6fcec8","output_file_id":"md-file-f6e34a45-c441-4ad2-9809-7903f1ff1f74","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":5},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(54,3,6,'team-b',1700000001500000,'RECORD_CANCELLED',0,0,'2.pdf was cancelled.','bob','CANCELLED','{"record":{"record_id":"ijf-6330c393-9077-48a6-98d7-e37b9f6189a3","ingestion_job_id":"ij-c9cc039e-30fc-412f-a4d1-fdeaf52f3152","job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","file_id":"file-514dc86a-393b-44d2-b05a-2b77798d0192","output_file_id":"md-file-f16780e9-8d50-4f2e-8893-45580a2af734","user_id":"bob","team_id":"team-b","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":6},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(55,3,7,'team-b',1700000001500000,'INGESTION_JOB_CHANGED',0,1,'The ingestion job is cancelled.','bob',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-c9cc039e-30fc-412f-a4d1-fdeaf52f3152","job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","status":"CANCELLED","tally":{"cancelled":2,"unresolved":2},"bytes_in":10,"created_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":7},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(56,3,8,'team-b',1700000001500000,'JOB_CHANGED',0,1,'The job is cancelled.','bob',NULL,'{"job":{"job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"CANCELLED","tally":{"cancelled":2,"unresolved":2},"cancelled":true,"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":8,"files_sequence":6,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(57,3,9,'team-b',1700000001500000,'RECORD_REMOVED',0,0,'1.pdf was removed.','bob','REMOVED','{"record":{"record_id":"ijf-2da9f1c5-4dc8-45b3-9c97-05e637da7fb1","ingestion_job_id":"ij-c9cc039e-30fc-412f-a4d1-fdeaf52f3152","job_id":"dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054","file_id":"file-5938d637-6de5-435c-b57e-b3343e6fcec8","output_file_id":"md-file-f6e34a45-c441-4ad2-9809-7903f1ff1f74","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","deleted_at":1700000001500000,"created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":9},"previous_status":"CANCELLED"}');
INSERT INTO "events" VALUES(58,4,1,'team-b',1700000001500000,'CREATED',1,1,'Data job created.','bob',NULL,'{"job":{"job_id":"dj-f367cb68-dc92-4d89-806c-2b0b096d7198","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"NEEDS_REVIEW","method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":1,"created_at":1700000001500000,"updated_at":1700000001500000}}');
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
    claimable       INTEGER NOT NULL, reused_from TEXT, output_expired_at INTEGER, parent_record_id TEXT, archive_depth INTEGER NOT NULL DEFAULT 0, root_record_id TEXT, member_count INTEGER, document INTEGER REFERENCES documents (id), chunks_created INTEGER, engine_job_id TEXT, document_metadata TEXT, metadata TEXT, image_file_ids TEXT NOT NULL DEFAULT '[]', chunk_losses INTEGER NOT NULL DEFAULT 0,
    CHECK (claimable = 0 OR status = 'QUEUED'),
    CHECK (status <> 'RUNNING' OR (worker_id IS NOT NULL AND processing_at IS NOT NULL AND attempt > 0)),
    CHECK (status <> 'COMPLETED' OR (completed_at IS NOT NULL AND bytes_out IS NOT NULL AND bytes_out > 0)),
    CHECK (status <> 'FAILED' OR (failed_at IS NOT NULL AND error_reason IS NOT NULL)),
    CHECK (status <> 'CANCELLED' OR cancelled_at IS NOT NULL)
) STRICT;
INSERT INTO "file_records" VALUES(1,'ijf-99abcff0-50e1-430c-a23c-0582b24a2cf1',1,1,1,'md-file-173f7881-0b65-4a44-84ec-4e93892f356b','team-a','alice','1.pdf','1.md','SPEED_OPTIMIZED','fake','1','COMPLETED','SUCCEEDED',NULL,NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000000000000,1700000000000000,1700000001500000,NULL,NULL,1,5,8,17,0,1048576,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(2,'ijf-dbb5d44c-a6e4-477b-9c3b-f4318644c209',1,1,2,'md-file-3defb776-2288-4b17-9372-3636e6373dbd','team-a','alice','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'FAILED','FAILED',NULL,'PDF_UNREADABLE','PARSE','','[]','[]',1,1,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000000000000,1700000000000000,NULL,1700000001500000,NULL,NULL,5,NULL,18,0,2097152,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(3,'ijf-6aa24385-ce33-48c8-97e2-5908124f7ca7',1,1,3,'md-file-3e0b9fa5-c551-4eac-bb44-4eb2f488f236','team-a','alice','3.pdf','3.md','SPEED_OPTIMIZED',NULL,NULL,'QUEUED','FAILED_RETRYABLE',NULL,'CONVERTER_CRASHED','PARSE','','[]','[]',1,1,0,1700000031500000,'BACK_OFF',NULL,NULL,NULL,NULL,1700000000000000,NULL,NULL,NULL,NULL,NULL,5,NULL,19,0,3145728,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(4,'ijf-9da58215-c355-4ed0-aeb4-33ce17a8489b',1,1,4,'md-file-d63ea07e-a599-4961-82bb-ae6d8428a085','team-a','alice','4.pdf','4.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',2,0,1,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000001500000,NULL,NULL,NULL,NULL,5,NULL,23,0,4194304,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(5,'ijf-8a7fed1f-1633-46e7-8c8c-8cafc5388678',1,1,5,'md-file-74604044-3a4b-45a8-8941-c2eb9b4f481c','team-a','alice','5.pdf','5.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000000000000,NULL,NULL,NULL,NULL,5,NULL,14,0,5242880,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(6,'ijf-6d2d6861-fe60-46e8-92ac-d396b3ca42a5',1,1,6,'md-file-9e189cb6-c68c-412a-8bb4-9e4fda43da6e','team-a','alice','6.pdf','6.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000001500000,NULL,NULL,NULL,NULL,5,NULL,24,0,6291456,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(7,'ijf-ae74834a-af7e-4be5-b8da-add16e5dc528',1,2,9,'md-file-32ec4f37-83a8-47bf-aa64-0a99db5b1b0c','team-a','alice','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',2,NULL,NULL,1700000001500000,1700000001500000,NULL,NULL,NULL,NULL,9,NULL,25,0,7340032,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(8,'ijf-0e9029fd-94b3-4362-80ba-f74714d3a271',2,3,10,'md-file-48ff35b3-330c-4a23-b5c7-991cbdd4c130','team-a','alice','report.pdf','report.md','SPEED_OPTIMIZED',NULL,NULL,'FAILED','FAILED',NULL,'EMPTY_FILE','PARSE','','[]','[]',1,1,0,NULL,NULL,NULL,NULL,'ijf-178b15e5-84a9-484b-9619-dfea43cfcf62',NULL,1700000001500000,1700000001500000,NULL,1700000001500000,NULL,NULL,10,NULL,18,0,8388608,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(9,'ijf-178b15e5-84a9-484b-9619-dfea43cfcf62',2,4,11,'md-file-8b1619ef-5be7-45b6-bff2-d46f4bb158bc','team-a','alice','report.pdf','report.md','SPEED_OPTIMIZED','fake','1','COMPLETED','SUCCEEDED',NULL,NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,NULL,8,NULL,NULL,1700000001500000,1700000001500000,1700000001500000,NULL,NULL,1,9,8,17,0,9437184,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(10,'ijf-2da9f1c5-4dc8-45b3-9c97-05e637da7fb1',3,5,13,'md-file-f6e34a45-c441-4ad2-9809-7903f1ff1f74','team-b','bob','1.pdf','1.md','SPEED_OPTIMIZED',NULL,NULL,'CANCELLED','CANCELLED',NULL,NULL,NULL,'','[]','[]',0,0,0,NULL,NULL,NULL,NULL,NULL,1700000001500000,1700000001500000,NULL,NULL,NULL,1700000001500000,NULL,5,NULL,9,0,10485760,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
INSERT INTO "file_records" VALUES(11,'ijf-6330c393-9077-48a6-98d7-e37b9f6189a3',3,5,14,'md-file-f16780e9-8d50-4f2e-8893-45580a2af734','team-b','bob','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'CANCELLED','CANCELLED',NULL,NULL,NULL,'','[]','[]',0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000001500000,NULL,NULL,NULL,1700000001500000,NULL,5,NULL,6,0,11534336,0,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]',0);
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
INSERT INTO "files" VALUES(1,'file-f69f78b2-d729-4ccc-8775-6d8f86dddd45','team-a','alice','UPLOAD','1.pdf','','x/y',5,'e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',0,1,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(2,'file-0b492162-8d44-4b71-ae1b-10d4b3c5e915','team-a','alice','UPLOAD','2.pdf','','x/y',5,'111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',0,2,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(3,'file-c21fb527-f801-4172-8541-5b57b32689c8','team-a','alice','UPLOAD','3.pdf','','x/y',5,'e3c505fd16f50cb10f563ec68c80e27e127ad46f6b1b889b292563014f550493',0,3,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(4,'file-e70c3d45-cc79-4a96-8d31-ef729ed1e2cf','team-a','alice','UPLOAD','4.pdf','','x/y',5,'8a25bbaf71f5c62f521c4b023848ff49993b62fbac23d6492eac06b50c80b8c4',0,4,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(5,'file-0af11a23-2718-4c1d-9b2b-7a7eae589192','team-a','alice','UPLOAD','5.pdf','','x/y',5,'135075b739b67c18ca3d823d5192b9e5e783a563b3dc533a7714bb1bf8b6d3e0',0,5,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(6,'file-24834bf8-e303-4959-b3fb-7a5698072ead','team-a','alice','UPLOAD','6.pdf','','x/y',5,'7173c4713359ce651f8f4067ba630d5f20a82baeb2179273334338fcd7ecf2fb',0,6,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(7,'file-ada8d1bd-eabd-4dca-8312-004941b4a68d','team-a','alice','UPLOAD','notes.md','','x/y',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,7,1700000000000000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(8,'md-file-173f7881-0b65-4a44-84ec-4e93892f356b','team-a','alice','OUTPUT','1.md','','text/markdown',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,8,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(9,'file-7dd5c471-d9fb-48ca-bc88-a5b584722e29','team-a','alice','UPLOAD','2.pdf','','x/y',9,'3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',0,9,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(10,'file-e359e5cc-fd02-401d-9756-f621a997bcce','team-a','alice','UPLOAD','report.pdf','','x/y',10,'6466e450a16b77b865c5829d6b6c56d9f892956475642dbeb9ccc4340fe01b15',0,10,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(11,'file-79941de0-f459-4a3f-898c-a3a818280a07','team-a','alice','UPLOAD','report.pdf','','x/y',9,'3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',0,9,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(12,'md-file-8b1619ef-5be7-45b6-bff2-d46f4bb158bc','team-a','alice','OUTPUT','report.md','','text/markdown',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,11,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(13,'file-5938d637-6de5-435c-b57e-b3343e6fcec8','team-b','bob','UPLOAD','1.pdf','','x/y',5,'e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',0,12,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "files" VALUES(14,'file-514dc86a-393b-44d2-b05a-2b77798d0192','team-b','bob','UPLOAD','2.pdf','','x/y',5,'111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',0,13,1700000001500000,NULL,NULL,'{}',NULL,NULL,NULL,NULL,NULL);
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
, knowledge_base_id TEXT, data_source_id TEXT, chunks_created INTEGER NOT NULL DEFAULT 0, error_reason TEXT, error_step TEXT, error_detail TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "ingestion_jobs" VALUES(1,'ij-7c54771b-245f-44fc-8ee1-7a6392580dac',1,'team-a','RUNNING',1,3,1,1,0,1,1,30,1700000000000000,1700000000000000,NULL,15,NULL,NULL,0,NULL,NULL,'');
INSERT INTO "ingestion_jobs" VALUES(2,'ij-3a30a1ba-177e-4d4d-93ae-d804364d783b',1,'team-a','RUNNING',0,1,0,0,0,0,0,9,1700000001500000,1700000001500000,NULL,26,NULL,NULL,0,NULL,NULL,'');
INSERT INTO "ingestion_jobs" VALUES(3,'ij-26121381-cd4d-490f-9c8e-fa4db93a3f84',2,'team-a','FAILED',0,0,0,1,0,0,0,10,1700000001500000,1700000001500000,1700000001500000,8,NULL,NULL,0,'EMPTY_FILE','PARSE','');
INSERT INTO "ingestion_jobs" VALUES(4,'ij-6f5a5103-06c2-4559-9daa-56f0ab66f120',2,'team-a','COMPLETED',0,0,1,0,0,0,1,9,1700000001500000,1700000001500000,1700000001500000,19,NULL,NULL,0,NULL,NULL,'');
INSERT INTO "ingestion_jobs" VALUES(5,'ij-c9cc039e-30fc-412f-a4d1-fdeaf52f3152',3,'team-b','CANCELLED',0,0,0,0,1,1,0,5,1700000001500000,NULL,1700000001500000,7,NULL,NULL,0,NULL,NULL,'');
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
, external_id TEXT, labels TEXT NOT NULL DEFAULT '{}', origin_job_id TEXT, files_sequence INTEGER NOT NULL DEFAULT 0, deleted_at INTEGER, purge_at INTEGER, priority INTEGER NOT NULL DEFAULT 0, alignment_job_id TEXT, alignment_status TEXT, compactable_since INTEGER, expired_outputs INTEGER NOT NULL DEFAULT 0 CHECK (expired_outputs >= 0), archives INTEGER NOT NULL DEFAULT 0 CHECK (archives >= 0), knowledge_base_id TEXT, data_source_id TEXT, chunks_created INTEGER NOT NULL DEFAULT 0, purged_at INTEGER) STRICT;
INSERT INTO "jobs" VALUES(1,'dj-97391870-f92b-4799-aacc-3deb7a7402d0','team-a','alice','job','','CONTEXT_GROUNDED_FILES','FILE_PROCESSING','SPEED_OPTIMIZED','',NULL,'',NULL,1,4,1,1,0,1,1,0,1,27,1,1700000000000000,1700000001500000,NULL,'{}',NULL,21,NULL,NULL,0,NULL,NULL,NULL,0,0,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES(2,'dj-17497ba7-01ba-4f5a-a66e-6f10fd590d6b','team-a','alice','job','','CONTEXT_GROUNDED_FILES','READY_TO_START','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,1,1,0,0,0,0,1,21,1,1700000001500000,1700000001500000,NULL,'{}',NULL,18,NULL,NULL,0,NULL,NULL,1700000001500000,0,0,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES(3,'dj-633bbcd4-3d01-4ecc-a2f2-dfc70f78e054','team-b','bob','job','','CONTEXT_GROUNDED_FILES','CANCELLED','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,0,0,1,1,0,1,1,9,1,1700000001500000,1700000001500000,NULL,'{}',NULL,9,NULL,NULL,0,NULL,NULL,1700000001500000,0,0,NULL,NULL,0,NULL);
INSERT INTO "jobs" VALUES(4,'dj-f367cb68-dc92-4d89-806c-2b0b096d7198','team-b','bob','job','','CONTEXT_GROUNDED_FILES','NEEDS_REVIEW','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,0,0,0,0,0,0,0,1,1,1700000001500000,1700000001500000,NULL,'{}',NULL,0,NULL,NULL,0,NULL,NULL,NULL,0,0,NULL,NULL,0,NULL);
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
INSERT INTO "ledger" VALUES(1,'f0cbe8ed-452f-4643-a59d-9adc8de9b82a',1700000000000000);
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
INSERT INTO "requests" VALUES(1,'team-a','/ingest_grpc.v1.Test/Mutate','create',X'7061796C6F6164','{"job_id":"dj-97391870-f92b-4799-aacc-3deb7a7402d0","ingestion_job_id":"ij-7c54771b-245f-44fc-8ee1-7a6392580dac","results":[{"file_id":"file-f69f78b2-d729-4ccc-8775-6d8f86dddd45","outcome":"ADDED","record_id":"ijf-99abcff0-50e1-430c-a23c-0582b24a2cf1","output_file_id":"md-file-173f7881-0b65-4a44-84ec-4e93892f356b","supersedes_record_id":null},{"file_id":"file-0b492162-8d44-4b71-ae1b-10d4b3c5e915","outcome":"ADDED","record_id":"ijf-dbb5d44c-a6e4-477b-9c3b-f4318644c209","output_file_id":"md-file-3defb776-2288-4b17-9372-3636e6373dbd","supersedes_record_id":null},{"file_id":"file-c21fb527-f801-4172-8541-5b57b32689c8","outcome":"ADDED","record_id":"ijf-6aa24385-ce33-48c8-97e2-5908124f7ca7","output_file_id":"md-file-3e0b9fa5-c551-4eac-bb44-4eb2f488f236","supersedes_record_id":null},{"file_id":"file-e70c3d45-cc79-4a96-8d31-ef729ed1e2cf","outcome":"ADDED","record_id":"ijf-9da58215-c355-4ed0-aeb4-33ce17a8489b","output_file_id":"md-file-d63ea07e-a599-4961-82bb-ae6d8428a085","supersedes_record_id":null},{"file_id":"file-0af11a23-2718-4c1d-9b2b-7a7eae589192","outcome":"ADDED","record_id":"ijf-8a7fed1f-1633-46e7-8c8c-8cafc5388678","output_file_id":"md-file-74604044-3a4b-45a8-8941-c2eb9b4f481c","supersedes_record_id":null},{"file_id":"file-24834bf8-e303-4959-b3fb-7a5698072ead","outcome":"ADDED","record_id":"ijf-6d2d6861-fe60-46e8-92ac-d396b3ca42a5","output_file_id":"md-file-9e189cb6-c68c-412a-8bb4-9e4fda43da6e","supersedes_record_id":null},{"file_id":"file-ada8d1bd-eabd-4dca-8312-004941b4a68d","outcome":"MARKDOWN_READY","record_id":null,"output_file_id":"file-ada8d1bd-eabd-4dca-8312-004941b4a68d","supersedes_record_id":null}]}',1700000000000000);
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
CREATE INDEX data_sources_by_knowledge_base ON data_sources (knowledge_base, id) WHERE removed_at IS NULL;
CREATE INDEX data_sources_due ON data_sources (next_sync_at) WHERE next_sync_at IS NOT NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX data_sources_by_external_id ON data_sources (team, external_id)
    WHERE external_id IS NOT NULL AND removed_at IS NULL;
CREATE UNIQUE INDEX documents_live ON documents (knowledge_base, coalesce(data_source, 0), key) WHERE removed_at IS NULL;
CREATE INDEX documents_by_knowledge_base ON documents (knowledge_base, id) WHERE removed_at IS NULL;
CREATE INDEX documents_by_data_source ON documents (data_source, id) WHERE removed_at IS NULL;
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
CREATE INDEX knowledge_bases_to_purge ON knowledge_bases (purge_at) WHERE purge_at IS NOT NULL;
CREATE INDEX uploads_open ON uploads (team, committed_bytes) WHERE file_id IS NULL;
CREATE VIEW file_record_rows AS
SELECT
    r.*, j.job_id, i.ingestion_job_id, f.file_id, f.content_type AS source_type, b.blob_key AS source
FROM file_records AS r
CROSS JOIN jobs AS j ON j.id = r.job
CROSS JOIN ingestion_jobs AS i ON i.id = r.ingestion_job
CROSS JOIN files AS f ON f.id = r.file
LEFT JOIN blobs AS b ON b.id = f.blob;
CREATE VIEW live_documents AS
SELECT
    d.id, d.record, d.knowledge_base, d.data_source,
    coalesce(r.status, iif(d.indexed_record IS NULL, 'CANCELLED', 'COMPLETED')) AS status,
    coalesce(r.status = 'COMPLETED' AND r.losses <> '[]', 0) AS partial,
    d.indexed_record IS NOT NULL AS searchable, d.chunks
FROM documents AS d LEFT JOIN file_records AS r ON r.id = d.record
WHERE d.removed_at IS NULL;
CREATE TRIGGER documents_new AFTER INSERT ON documents
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, 1, partial, searchable, chunks FROM live_documents
    WHERE id = NEW.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;
CREATE TRIGGER documents_before BEFORE UPDATE OF record, indexed_record, chunks, removed_at ON documents
WHEN (OLD.record, OLD.indexed_record, OLD.chunks, OLD.removed_at)
    IS NOT (NEW.record, NEW.indexed_record, NEW.chunks, NEW.removed_at)
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, -1, -partial, -searchable, -chunks FROM live_documents
    WHERE id = OLD.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;
CREATE TRIGGER documents_after AFTER UPDATE OF record, indexed_record, chunks, removed_at ON documents
WHEN (OLD.record, OLD.indexed_record, OLD.chunks, OLD.removed_at)
    IS NOT (NEW.record, NEW.indexed_record, NEW.chunks, NEW.removed_at)
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, 1, partial, searchable, chunks FROM live_documents
    WHERE id = NEW.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;
CREATE TRIGGER records_of_documents_before BEFORE UPDATE OF status, losses ON file_records
WHEN OLD.document IS NOT NULL AND (OLD.status, OLD.losses) IS NOT (NEW.status, NEW.losses)
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, -1, -partial, -searchable, -chunks FROM live_documents
    WHERE id = OLD.document AND record = OLD.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;
CREATE TRIGGER records_of_documents_after AFTER UPDATE OF status, losses ON file_records
WHEN OLD.document IS NOT NULL AND (OLD.status, OLD.losses) IS NOT (NEW.status, NEW.losses)
BEGIN
    INSERT INTO document_counts
    SELECT knowledge_base, coalesce(data_source, 0), status, 1, partial, searchable, chunks FROM live_documents
    WHERE id = OLD.document AND record = OLD.id
    ON CONFLICT DO UPDATE SET
        documents = documents + excluded.documents, partial = partial + excluded.partial,
        searchable = searchable + excluded.searchable, chunks = chunks + excluded.chunks;
END;
CREATE INDEX documents_by_parent ON documents (parent, id) WHERE parent IS NOT NULL;
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
PRAGMA user_version = 16;
