BEGIN TRANSACTION;
CREATE TABLE api_keys (
    id          INTEGER PRIMARY KEY,
    key_id      TEXT NOT NULL UNIQUE,
    secret_hash BLOB NOT NULL UNIQUE, -- SHA-256 of a 256-bit random secret
    team        TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    scopes      TEXT NOT NULL, -- JSON list
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
INSERT INTO "api_keys" VALUES(1,'key-7ebc88a9-9bc8-447c-8ca2-0691a2b23dc3',X'9BC58F8C800818101F09023CF0A69F760EA52A9ED9C2DDD1B24CFAD2EEFB7A67','team-a','alice','["WRITE"]',1700000001500000,1700000001500000);
INSERT INTO "api_keys" VALUES(2,'key-9a5a50f7-e565-4efe-9613-6047e163b29b',X'EC668CE5338C66263B3E15CBA0D606CE3807A85543F11CF9D58D77C529A8D714','team-b','bob','["READ"]',1700000001500000,NULL);
CREATE TABLE blobs (
    id         INTEGER PRIMARY KEY,
    blob_key   TEXT NOT NULL UNIQUE,
    team       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    shareable  INTEGER NOT NULL, -- uploads of equal bytes share one blob, outputs do not
    deleted_at INTEGER           -- set when nothing refers to it any more; then the bytes go, then the row
) STRICT;
INSERT INTO "blobs" VALUES(1,'eea54a77b4c04dd384bcf175ce511587','team-a','e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',5,1,NULL);
INSERT INTO "blobs" VALUES(2,'8946644f31d2433782c8849654bdbe0f','team-a','111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',5,1,NULL);
INSERT INTO "blobs" VALUES(3,'f72ccd6f46c045598734eab95a4e57c5','team-a','e3c505fd16f50cb10f563ec68c80e27e127ad46f6b1b889b292563014f550493',5,1,NULL);
INSERT INTO "blobs" VALUES(4,'c18fcfab6a4145c9ac66f2c7068248b0','team-a','8a25bbaf71f5c62f521c4b023848ff49993b62fbac23d6492eac06b50c80b8c4',5,1,NULL);
INSERT INTO "blobs" VALUES(5,'226723c9dfc342ae9fe3ef13f790aca5','team-a','135075b739b67c18ca3d823d5192b9e5e783a563b3dc533a7714bb1bf8b6d3e0',5,1,NULL);
INSERT INTO "blobs" VALUES(6,'e12be79c3edf4fd3adb7b296afaff9dc','team-a','7173c4713359ce651f8f4067ba630d5f20a82baeb2179273334338fcd7ecf2fb',5,1,NULL);
INSERT INTO "blobs" VALUES(7,'006f5a83fe1649a7bd228a4917eff13b','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,1,NULL);
INSERT INTO "blobs" VALUES(8,'6688e9a8b81049938f0ed419e9924b64-1','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,0,NULL);
INSERT INTO "blobs" VALUES(9,'e3f80fbe9abc4febab4ce14a548bfdeb','team-a','3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',9,1,NULL);
INSERT INTO "blobs" VALUES(10,'79b3168ed56a4db0b5d2e3acc38626ee','team-a','6466e450a16b77b865c5829d6b6c56d9f892956475642dbeb9ccc4340fe01b15',10,1,NULL);
INSERT INTO "blobs" VALUES(11,'3c452d8f6a764dd1939d1ee0cbf634c3-1','team-a','e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',8,0,NULL);
INSERT INTO "blobs" VALUES(12,'23d561c8931e4adab3118428c589e338','team-b','e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',5,1,NULL);
INSERT INTO "blobs" VALUES(13,'2d0c4a4778de4421b6d637a50a16ff44','team-b','111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',5,1,NULL);
CREATE TABLE events (
    id        INTEGER PRIMARY KEY, -- rises with every commit: the order of a feed over all jobs
    job       INTEGER NOT NULL REFERENCES jobs (id),
    sequence  INTEGER NOT NULL CHECK (sequence > 0),
    team      TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    type      TEXT NOT NULL,
    milestone INTEGER NOT NULL,
    message   TEXT NOT NULL,
    actor     TEXT NOT NULL,
    trigger   TEXT,
    change    TEXT NOT NULL -- JSON of model.Change
) STRICT;
INSERT INTO "events" VALUES(1,1,1,'team-a',1700000000000000,'CREATED',1,'Data job created.','alice',NULL,'{"job":{"job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":6},"markdown_files":1,"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":9,"created_at":1700000000000000,"updated_at":1700000000000000}}');
INSERT INTO "events" VALUES(2,1,2,'team-a',1700000000000000,'FILES_ADDED',0,'1 Markdown file(s) were added.','alice',NULL,'{"added":[{"file_id":"file-de286f07-f9e7-4d51-a2b3-3403cca0ca33","name":"notes.md","content_type":"x/y","created_at":1700000000000000,"status":"COMPLETED"}]}');
INSERT INTO "events" VALUES(3,1,3,'team-a',1700000000000000,'RECORD_ADDED',0,'1.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-6688e9a8-b810-4993-8f0e-d419e9924b64","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-25efde82-5463-499b-adf0-9a9036de776a","output_file_id":"md-file-7e49daf6-04e0-489a-b011-ebf6145539ec","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":3}}');
INSERT INTO "events" VALUES(4,1,4,'team-a',1700000000000000,'RECORD_ADDED',0,'2.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-9d423e37-3dfd-4cb6-853a-0d62540261ad","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-eaa3c8a8-a07b-4e74-a6b4-fb59e7b8c31d","output_file_id":"md-file-bace8af0-ae27-4dcd-889b-65dc33e19b42","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":4}}');
INSERT INTO "events" VALUES(5,1,5,'team-a',1700000000000000,'RECORD_ADDED',0,'3.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-658c8961-1a9a-45b5-aa38-94b94d555457","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-4d223bba-6df7-4aa4-864b-9aed260f91b6","output_file_id":"md-file-b802c412-fd20-48a4-9dab-0bcae7ffd66f","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":5}}');
INSERT INTO "events" VALUES(6,1,6,'team-a',1700000000000000,'RECORD_ADDED',0,'4.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-c621b7cb-58b8-4f10-a0a4-304b05f0736e","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-879f7392-a406-4fce-9b10-dade579e49d6","output_file_id":"md-file-5bf395dc-f8a6-4f17-bce7-90edb75959c1","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":6}}');
INSERT INTO "events" VALUES(7,1,7,'team-a',1700000000000000,'RECORD_ADDED',0,'5.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-97beee45-1faa-4be3-8c12-4135937c7d5c","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-89e85c42-91e6-466e-a974-8081c1207ba0","output_file_id":"md-file-dfdfedad-9dab-4ac9-be23-da35371e1bbb","user_id":"alice","team_id":"team-a","filename":"5.pdf","output_filename":"5.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":7}}');
INSERT INTO "events" VALUES(8,1,8,'team-a',1700000000000000,'RECORD_ADDED',0,'6.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-a30e048f-d481-42f6-8e6c-e0f4aa3791d6","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-56daa0d5-c5a7-4724-b66b-e250b8bd3560","output_file_id":"md-file-ee0af14e-b235-40d6-8d7b-5a1c6e9ab86a","user_id":"alice","team_id":"team-a","filename":"6.pdf","output_filename":"6.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000000000000,"last_sequence":8}}');
INSERT INTO "events" VALUES(9,1,9,'team-a',1700000000000000,'INGESTION_JOB_CHANGED',0,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","status":"QUEUED","tally":{"queued":6},"bytes_in":30,"created_at":1700000000000000,"last_sequence":9}}');
INSERT INTO "events" VALUES(10,1,10,'team-a',1700000000000000,'RECORD_CLAIMED',0,'1.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-6688e9a8-b810-4993-8f0e-d419e9924b64","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-25efde82-5463-499b-adf0-9a9036de776a","output_file_id":"md-file-7e49daf6-04e0-489a-b011-ebf6145539ec","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":10},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(11,1,11,'team-a',1700000000000000,'RECORD_CLAIMED',0,'2.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-9d423e37-3dfd-4cb6-853a-0d62540261ad","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-eaa3c8a8-a07b-4e74-a6b4-fb59e7b8c31d","output_file_id":"md-file-bace8af0-ae27-4dcd-889b-65dc33e19b42","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":11},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(12,1,12,'team-a',1700000000000000,'RECORD_CLAIMED',0,'3.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-658c8961-1a9a-45b5-aa38-94b94d555457","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-4d223bba-6df7-4aa4-864b-9aed260f91b6","output_file_id":"md-file-b802c412-fd20-48a4-9dab-0bcae7ffd66f","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":12},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(13,1,13,'team-a',1700000000000000,'RECORD_CLAIMED',0,'4.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-c621b7cb-58b8-4f10-a0a4-304b05f0736e","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-879f7392-a406-4fce-9b10-dade579e49d6","output_file_id":"md-file-5bf395dc-f8a6-4f17-bce7-90edb75959c1","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":13},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(14,1,14,'team-a',1700000000000000,'RECORD_CLAIMED',0,'5.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-97beee45-1faa-4be3-8c12-4135937c7d5c","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-89e85c42-91e6-466e-a974-8081c1207ba0","output_file_id":"md-file-dfdfedad-9dab-4ac9-be23-da35371e1bbb","user_id":"alice","team_id":"team-a","filename":"5.pdf","output_filename":"5.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000000000000,"last_sequence":14},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(15,1,15,'team-a',1700000000000000,'INGESTION_JOB_CHANGED',0,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","status":"RUNNING","tally":{"queued":1,"running":5},"bytes_in":30,"created_at":1700000000000000,"started_at":1700000000000000,"last_sequence":15},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(16,1,16,'team-a',1700000000000000,'FILE_PROCESSING_STARTED',1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","status":"RUNNING","record_count":6}');
INSERT INTO "events" VALUES(17,1,17,'team-a',1700000001500000,'RECORD_COMPLETED',0,'1.pdf was converted.','worker-1','SUCCEEDED','{"record":{"record_id":"ijf-6688e9a8-b810-4993-8f0e-d419e9924b64","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-25efde82-5463-499b-adf0-9a9036de776a","output_file_id":"md-file-7e49daf6-04e0-489a-b011-ebf6145539ec","user_id":"alice","team_id":"team-a","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","engine":{"name":"fake","version":"1"},"status":"COMPLETED","attempt":1,"created_at":1700000000000000,"processing_at":1700000000000000,"completed_at":1700000001500000,"pages":1,"bytes_out":8,"last_sequence":17},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(18,1,18,'team-a',1700000001500000,'RECORD_FAILED',0,'2.pdf failed: The PDF may be corrupted, password-protected, or in an unsupported format.','worker-1','FAILED','{"record":{"record_id":"ijf-9d423e37-3dfd-4cb6-853a-0d62540261ad","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-eaa3c8a8-a07b-4e74-a6b4-fb59e7b8c31d","output_file_id":"md-file-bace8af0-ae27-4dcd-889b-65dc33e19b42","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"PDF_UNREADABLE","step":"PARSE"},"attempt":1,"failures":1,"created_at":1700000000000000,"processing_at":1700000000000000,"failed_at":1700000001500000,"last_sequence":18},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(19,1,19,'team-a',1700000001500000,'RECORD_RETRY_SCHEDULED',0,'3.pdf will be tried again: Service temporarily unavailable.','worker-1','FAILED_RETRYABLE','{"record":{"record_id":"ijf-658c8961-1a9a-45b5-aa38-94b94d555457","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-4d223bba-6df7-4aa4-864b-9aed260f91b6","output_file_id":"md-file-b802c412-fd20-48a4-9dab-0bcae7ffd66f","user_id":"alice","team_id":"team-a","filename":"3.pdf","output_filename":"3.md","method":"SPEED_OPTIMIZED","status":"QUEUED","error":{"reason":"SERVICE_UNAVAILABLE","step":"PARSE"},"attempt":1,"failures":1,"next_attempt_at":1700000031500000,"wait_reason":"BACK_OFF","created_at":1700000000000000,"last_sequence":19},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(20,1,20,'team-a',1700000001500000,'RECORD_ORPHANED',0,'4.pdf lost its worker and is queued again.','system','ORPHANED','{"record":{"record_id":"ijf-c621b7cb-58b8-4f10-a0a4-304b05f0736e","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-879f7392-a406-4fce-9b10-dade579e49d6","output_file_id":"md-file-5bf395dc-f8a6-4f17-bce7-90edb75959c1","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"QUEUED","attempt":1,"orphaned_count":1,"created_at":1700000000000000,"last_sequence":20},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(21,1,21,'team-a',1700000001500000,'RECORD_ADDED',0,'2.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-c6709e69-9684-4c19-99bf-3e2ccadea864","ingestion_job_id":"ij-13bbfcb3-3993-48a0-ab8d-c919efa2b991","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-b97636ca-216c-4ebf-8cd1-fdd04190ebae","output_file_id":"md-file-1a24d75e-1255-4661-82c8-826a383cdf72","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":21}}');
INSERT INTO "events" VALUES(22,1,22,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-13bbfcb3-3993-48a0-ab8d-c919efa2b991","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","status":"QUEUED","tally":{"queued":1},"bytes_in":9,"created_at":1700000001500000,"last_sequence":22}}');
INSERT INTO "events" VALUES(23,2,1,'team-a',1700000001500000,'CREATED',1,'Data job created.','alice',NULL,'{"job":{"job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":3,"created_at":1700000001500000,"updated_at":1700000001500000}}');
INSERT INTO "events" VALUES(24,2,2,'team-a',1700000001500000,'RECORD_ADDED',0,'report.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-953bdaad-ac35-4da5-a4cc-cae99fe1bd2a","ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","file_id":"file-5a5dd487-af3b-4031-9708-1450b66ec324","output_file_id":"md-file-61c60bdc-4ec6-443e-9559-efe8ee46f0b7","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":2}}');
INSERT INTO "events" VALUES(25,2,3,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","status":"QUEUED","tally":{"queued":1},"bytes_in":10,"created_at":1700000001500000,"last_sequence":3}}');
INSERT INTO "events" VALUES(26,1,23,'team-a',1700000001500000,'RECORD_CLAIMED',0,'4.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-c621b7cb-58b8-4f10-a0a4-304b05f0736e","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-879f7392-a406-4fce-9b10-dade579e49d6","output_file_id":"md-file-5bf395dc-f8a6-4f17-bce7-90edb75959c1","user_id":"alice","team_id":"team-a","filename":"4.pdf","output_filename":"4.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":2,"orphaned_count":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000001500000,"last_sequence":23},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(27,1,24,'team-a',1700000001500000,'RECORD_CLAIMED',0,'6.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-a30e048f-d481-42f6-8e6c-e0f4aa3791d6","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-56daa0d5-c5a7-4724-b66b-e250b8bd3560","output_file_id":"md-file-ee0af14e-b235-40d6-8d7b-5a1c6e9ab86a","user_id":"alice","team_id":"team-a","filename":"6.pdf","output_filename":"6.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000000000000,"processing_at":1700000001500000,"last_sequence":24},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(28,1,25,'team-a',1700000001500000,'RECORD_CLAIMED',0,'2.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-c6709e69-9684-4c19-99bf-3e2ccadea864","ingestion_job_id":"ij-13bbfcb3-3993-48a0-ab8d-c919efa2b991","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","file_id":"file-b97636ca-216c-4ebf-8cd1-fdd04190ebae","output_file_id":"md-file-1a24d75e-1255-4661-82c8-826a383cdf72","user_id":"alice","team_id":"team-a","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":25},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(29,1,26,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-13bbfcb3-3993-48a0-ab8d-c919efa2b991","job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","status":"RUNNING","tally":{"running":1},"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":26},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(30,1,27,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-13bbfcb3-3993-48a0-ab8d-c919efa2b991","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(31,2,4,'team-a',1700000001500000,'RECORD_CLAIMED',0,'report.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-953bdaad-ac35-4da5-a4cc-cae99fe1bd2a","ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","file_id":"file-5a5dd487-af3b-4031-9708-1450b66ec324","output_file_id":"md-file-61c60bdc-4ec6-443e-9559-efe8ee46f0b7","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":4},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(32,2,5,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","status":"RUNNING","tally":{"running":1},"bytes_in":10,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":5},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(33,2,6,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(34,2,7,'team-a',1700000001500000,'RECORD_FAILED',0,'report.pdf failed: The file appears to be empty.','worker-1','FAILED','{"record":{"record_id":"ijf-953bdaad-ac35-4da5-a4cc-cae99fe1bd2a","ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","file_id":"file-5a5dd487-af3b-4031-9708-1450b66ec324","output_file_id":"md-file-61c60bdc-4ec6-443e-9559-efe8ee46f0b7","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"EMPTY_FILE","step":"PARSE"},"attempt":1,"failures":1,"created_at":1700000001500000,"processing_at":1700000001500000,"failed_at":1700000001500000,"last_sequence":7},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(35,2,8,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is failed.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","status":"FAILED","tally":{"failed":1,"unresolved":1},"bytes_in":10,"created_at":1700000001500000,"started_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":8},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(36,2,9,'team-a',1700000001500000,'FILE_PROCESSING_COMPLETED',1,'Finished processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","status":"FAILED","record_count":1}');
INSERT INTO "events" VALUES(37,2,10,'team-a',1700000001500000,'JOB_CHANGED',0,'The job is needs review.','worker-1',NULL,'{"job":{"job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"NEEDS_REVIEW","tally":{"failed":1,"unresolved":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":10,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(38,2,11,'team-a',1700000001500000,'RECORD_ADDED',0,'report.pdf was added.','alice','ADDED','{"record":{"record_id":"ijf-3c452d8f-6a76-4dd1-939d-1ee0cbf634c3","ingestion_job_id":"ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","file_id":"file-7c749ad9-6ee5-4473-8db1-a7a1aec39b1f","output_file_id":"md-file-9991a6f0-8b8e-4023-9670-c971b0fe7b90","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":11}}');
INSERT INTO "events" VALUES(39,2,12,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is queued.','alice',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","status":"QUEUED","tally":{"queued":1},"bytes_in":9,"created_at":1700000001500000,"last_sequence":12}}');
INSERT INTO "events" VALUES(40,2,13,'team-a',1700000001500000,'JOB_CHANGED',0,'The job is file processing.','alice',NULL,'{"job":{"job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":1,"failed":1,"unresolved":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":13,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"NEEDS_REVIEW"}');
INSERT INTO "events" VALUES(41,2,14,'team-a',1700000001500000,'RECORD_CLAIMED',0,'report.pdf is being converted.','worker-1','CLAIMED','{"record":{"record_id":"ijf-3c452d8f-6a76-4dd1-939d-1ee0cbf634c3","ingestion_job_id":"ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","file_id":"file-7c749ad9-6ee5-4473-8db1-a7a1aec39b1f","output_file_id":"md-file-9991a6f0-8b8e-4023-9670-c971b0fe7b90","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"RUNNING","step":"FETCH","attempt":1,"worker_id":"worker-1","created_at":1700000001500000,"processing_at":1700000001500000,"last_sequence":14},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(42,2,15,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is running.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","status":"RUNNING","tally":{"running":1},"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"last_sequence":15},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(43,2,16,'team-a',1700000001500000,'FILE_PROCESSING_STARTED',1,'Started processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58","status":"RUNNING","record_count":1}');
INSERT INTO "events" VALUES(44,2,17,'team-a',1700000001500000,'RECORD_COMPLETED',0,'report.pdf was converted.','worker-1','SUCCEEDED','{"record":{"record_id":"ijf-3c452d8f-6a76-4dd1-939d-1ee0cbf634c3","ingestion_job_id":"ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","file_id":"file-7c749ad9-6ee5-4473-8db1-a7a1aec39b1f","output_file_id":"md-file-9991a6f0-8b8e-4023-9670-c971b0fe7b90","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","engine":{"name":"fake","version":"1"},"status":"COMPLETED","attempt":1,"created_at":1700000001500000,"processing_at":1700000001500000,"completed_at":1700000001500000,"pages":1,"bytes_out":8,"last_sequence":17},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(45,2,18,'team-a',1700000001500000,'RECORD_SUPERSEDED',0,'report.pdf was resolved by a corrected upload.','worker-1','SUPERSEDED','{"record":{"record_id":"ijf-953bdaad-ac35-4da5-a4cc-cae99fe1bd2a","ingestion_job_id":"ij-4687f3f3-4896-4552-a8fe-3f095506c77c","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","file_id":"file-5a5dd487-af3b-4031-9708-1450b66ec324","output_file_id":"md-file-61c60bdc-4ec6-443e-9559-efe8ee46f0b7","user_id":"alice","team_id":"team-a","filename":"report.pdf","output_filename":"report.md","method":"SPEED_OPTIMIZED","status":"FAILED","error":{"reason":"EMPTY_FILE","step":"PARSE"},"attempt":1,"failures":1,"superseded_by":"ijf-3c452d8f-6a76-4dd1-939d-1ee0cbf634c3","created_at":1700000001500000,"processing_at":1700000001500000,"failed_at":1700000001500000,"last_sequence":18},"previous_status":"FAILED"}');
INSERT INTO "events" VALUES(46,2,19,'team-a',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is completed.','worker-1',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58","job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","status":"COMPLETED","tally":{"completed":1},"pages":1,"bytes_in":9,"created_at":1700000001500000,"started_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":19},"previous_status":"RUNNING"}');
INSERT INTO "events" VALUES(47,2,20,'team-a',1700000001500000,'FILE_PROCESSING_COMPLETED',1,'Finished processing files.','worker-1',NULL,'{"ingestion_job_id":"ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58","status":"COMPLETED","record_count":1}');
INSERT INTO "events" VALUES(48,2,21,'team-a',1700000001500000,'JOB_CHANGED',0,'The job is ready to start.','worker-1',NULL,'{"job":{"job_id":"dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"READY_TO_START","tally":{"completed":1,"failed":1},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"alice","team_id":"team-a","last_sequence":21,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(49,3,1,'team-b',1700000001500000,'CREATED',1,'Data job created.','bob',NULL,'{"job":{"job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"FILE_PROCESSING","tally":{"queued":2},"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":4,"created_at":1700000001500000,"updated_at":1700000001500000}}');
INSERT INTO "events" VALUES(50,3,2,'team-b',1700000001500000,'RECORD_ADDED',0,'1.pdf was added.','bob','ADDED','{"record":{"record_id":"ijf-6799648b-7690-4ae2-a708-6172843c6d1d","ingestion_job_id":"ij-b643b8c3-9465-4f31-9cb9-14323fa79b54","job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","file_id":"file-b501c445-3406-4da5-9581-84a61c3509d0","output_file_id":"md-file-96c91eb9-4cd6-4c6d-bab9-30b71bb8234c","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":2}}');
INSERT INTO "events" VALUES(51,3,3,'team-b',1700000001500000,'RECORD_ADDED',0,'2.pdf was added.','bob','ADDED','{"record":{"record_id":"ijf-5dd5f285-ae7b-4ad9-8969-bfea8b86c5de","ingestion_job_id":"ij-b643b8c3-9465-4f31-9cb9-14323fa79b54","job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","file_id":"file-ed01f94d-4048-4ccf-bcf6-eb7add09e587","output_file_id":"md-file-e5faad8d-96ea-4495-bab9-8cbf87b6f4dd","user_id":"bob","team_id":"team-b","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"QUEUED","created_at":1700000001500000,"last_sequence":3}}');
INSERT INTO "events" VALUES(52,3,4,'team-b',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is queued.','bob',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-b643b8c3-9465-4f31-9cb9-14323fa79b54","job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","status":"QUEUED","tally":{"queued":2},"bytes_in":10,"created_at":1700000001500000,"last_sequence":4}}');
INSERT INTO "events" VALUES(53,3,5,'team-b',1700000001500000,'RECORD_CANCELLED',0,'1.pdf was cancelled.','bob','CANCELLED','{"record":{"record_id":"ijf-6799648b-7690-4ae2-a708-6172843c6d1d","ingestion_job_id":"ij-b643b8c3-9465-4f31-9cb9-14323fa79b54","job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","file_id":"file-b501c445-3406-4da5-9581-84a61c3509d0","output_file_id":"md-file-96c91eb9-4cd6-4c6d-bab9-30b71bb8234c","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":5},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(54,3,6,'team-b',1700000001500000,'RECORD_CANCELLED',0,'2.pdf was cancelled.','bob','CANCELLED','{"record":{"record_id":"ijf-5dd5f285-ae7b-4ad9-8969-bfea8b86c5de","ingestion_job_id":"ij-b643b8c3-9465-4f31-9cb9-14323fa79b54","job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","file_id":"file-ed01f94d-4048-4ccf-bcf6-eb7add09e587","output_file_id":"md-file-e5faad8d-96ea-4495-bab9-8cbf87b6f4dd","user_id":"bob","team_id":"team-b","filename":"2.pdf","output_filename":"2.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":6},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(55,3,7,'team-b',1700000001500000,'INGESTION_JOB_CHANGED',0,'The ingestion job is cancelled.','bob',NULL,'{"ingestion_job":{"ingestion_job_id":"ij-b643b8c3-9465-4f31-9cb9-14323fa79b54","job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","status":"CANCELLED","tally":{"cancelled":2,"unresolved":2},"bytes_in":10,"created_at":1700000001500000,"completed_at":1700000001500000,"last_sequence":7},"previous_status":"QUEUED"}');
INSERT INTO "events" VALUES(56,3,8,'team-b',1700000001500000,'JOB_CHANGED',0,'The job is cancelled.','bob',NULL,'{"job":{"job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"CANCELLED","tally":{"cancelled":2,"unresolved":2},"cancelled":true,"ever_active":true,"method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":8,"created_at":1700000001500000,"updated_at":1700000001500000},"previous_status":"FILE_PROCESSING"}');
INSERT INTO "events" VALUES(57,3,9,'team-b',1700000001500000,'RECORD_REMOVED',0,'1.pdf was removed.','bob','REMOVED','{"record":{"record_id":"ijf-6799648b-7690-4ae2-a708-6172843c6d1d","ingestion_job_id":"ij-b643b8c3-9465-4f31-9cb9-14323fa79b54","job_id":"dj-d300725c-7621-423f-86c4-a28e0f3f6212","file_id":"file-b501c445-3406-4da5-9581-84a61c3509d0","output_file_id":"md-file-96c91eb9-4cd6-4c6d-bab9-30b71bb8234c","user_id":"bob","team_id":"team-b","filename":"1.pdf","output_filename":"1.md","method":"SPEED_OPTIMIZED","status":"CANCELLED","deleted_at":1700000001500000,"created_at":1700000001500000,"cancelled_at":1700000001500000,"last_sequence":9},"previous_status":"CANCELLED"}');
INSERT INTO "events" VALUES(58,4,1,'team-b',1700000001500000,'CREATED',1,'Data job created.','bob',NULL,'{"job":{"job_id":"dj-20d2ca46-659e-4257-bf17-c8c6d8d1c66a","name":"job","job_type":"CONTEXT_GROUNDED_FILES","status":"NEEDS_REVIEW","method":"SPEED_OPTIMIZED","user_id":"bob","team_id":"team-b","last_sequence":1,"created_at":1700000001500000,"updated_at":1700000001500000}}');
CREATE TABLE file_records (
    id              INTEGER PRIMARY KEY,
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
    claimable       INTEGER NOT NULL,
    CHECK (claimable = 0 OR status = 'QUEUED'),
    CHECK (status <> 'RUNNING' OR (worker_id IS NOT NULL AND processing_at IS NOT NULL AND attempt > 0)),
    CHECK (status <> 'COMPLETED' OR (completed_at IS NOT NULL AND bytes_out IS NOT NULL AND bytes_out > 0)),
    CHECK (status <> 'FAILED' OR (failed_at IS NOT NULL AND error_reason IS NOT NULL)),
    CHECK (status <> 'CANCELLED' OR cancelled_at IS NOT NULL)
) STRICT;
INSERT INTO "file_records" VALUES(1,'ijf-6688e9a8-b810-4993-8f0e-d419e9924b64',1,1,1,'md-file-7e49daf6-04e0-489a-b011-ebf6145539ec','team-a','alice','1.pdf','1.md','SPEED_OPTIMIZED','fake','1','COMPLETED','SUCCEEDED',NULL,NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000000000000,1700000000000000,1700000001500000,NULL,NULL,1,5,8,17,0,1048576,0);
INSERT INTO "file_records" VALUES(2,'ijf-9d423e37-3dfd-4cb6-853a-0d62540261ad',1,1,2,'md-file-bace8af0-ae27-4dcd-889b-65dc33e19b42','team-a','alice','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'FAILED','FAILED',NULL,'PDF_UNREADABLE','PARSE','','[]','[]',1,1,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000000000000,1700000000000000,NULL,1700000001500000,NULL,NULL,5,NULL,18,0,2097152,0);
INSERT INTO "file_records" VALUES(3,'ijf-658c8961-1a9a-45b5-aa38-94b94d555457',1,1,3,'md-file-b802c412-fd20-48a4-9dab-0bcae7ffd66f','team-a','alice','3.pdf','3.md','SPEED_OPTIMIZED',NULL,NULL,'QUEUED','FAILED_RETRYABLE',NULL,'SERVICE_UNAVAILABLE','PARSE','','[]','[]',1,1,0,1700000031500000,'BACK_OFF',NULL,NULL,NULL,NULL,1700000000000000,NULL,NULL,NULL,NULL,NULL,5,NULL,19,0,3145728,0);
INSERT INTO "file_records" VALUES(4,'ijf-c621b7cb-58b8-4f10-a0a4-304b05f0736e',1,1,4,'md-file-5bf395dc-f8a6-4f17-bce7-90edb75959c1','team-a','alice','4.pdf','4.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',2,0,1,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000001500000,NULL,NULL,NULL,NULL,5,NULL,23,0,4194304,0);
INSERT INTO "file_records" VALUES(5,'ijf-97beee45-1faa-4be3-8c12-4135937c7d5c',1,1,5,'md-file-dfdfedad-9dab-4ac9-be23-da35371e1bbb','team-a','alice','5.pdf','5.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000000000000,NULL,NULL,NULL,NULL,5,NULL,14,0,5242880,0);
INSERT INTO "file_records" VALUES(6,'ijf-a30e048f-d481-42f6-8e6c-e0f4aa3791d6',1,1,6,'md-file-ee0af14e-b235-40d6-8d7b-5a1c6e9ab86a','team-a','alice','6.pdf','6.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',NULL,NULL,NULL,1700000000000000,1700000001500000,NULL,NULL,NULL,NULL,5,NULL,24,0,6291456,0);
INSERT INTO "file_records" VALUES(7,'ijf-c6709e69-9684-4c19-99bf-3e2ccadea864',1,2,9,'md-file-1a24d75e-1255-4661-82c8-826a383cdf72','team-a','alice','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'RUNNING','CLAIMED','FETCH',NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,'worker-1',2,NULL,NULL,1700000001500000,1700000001500000,NULL,NULL,NULL,NULL,9,NULL,25,0,7340032,0);
INSERT INTO "file_records" VALUES(8,'ijf-953bdaad-ac35-4da5-a4cc-cae99fe1bd2a',2,3,10,'md-file-61c60bdc-4ec6-443e-9559-efe8ee46f0b7','team-a','alice','report.pdf','report.md','SPEED_OPTIMIZED',NULL,NULL,'FAILED','FAILED',NULL,'EMPTY_FILE','PARSE','','[]','[]',1,1,0,NULL,NULL,NULL,NULL,'ijf-3c452d8f-6a76-4dd1-939d-1ee0cbf634c3',NULL,1700000001500000,1700000001500000,NULL,1700000001500000,NULL,NULL,10,NULL,18,0,8388608,0);
INSERT INTO "file_records" VALUES(9,'ijf-3c452d8f-6a76-4dd1-939d-1ee0cbf634c3',2,4,11,'md-file-9991a6f0-8b8e-4023-9670-c971b0fe7b90','team-a','alice','report.pdf','report.md','SPEED_OPTIMIZED','fake','1','COMPLETED','SUCCEEDED',NULL,NULL,NULL,'','[]','[]',1,0,0,NULL,NULL,NULL,8,NULL,NULL,1700000001500000,1700000001500000,1700000001500000,NULL,NULL,1,9,8,17,0,9437184,0);
INSERT INTO "file_records" VALUES(10,'ijf-6799648b-7690-4ae2-a708-6172843c6d1d',3,5,13,'md-file-96c91eb9-4cd6-4c6d-bab9-30b71bb8234c','team-b','bob','1.pdf','1.md','SPEED_OPTIMIZED',NULL,NULL,'CANCELLED','CANCELLED',NULL,NULL,NULL,'','[]','[]',0,0,0,NULL,NULL,NULL,NULL,NULL,1700000001500000,1700000001500000,NULL,NULL,NULL,1700000001500000,NULL,5,NULL,9,0,10485760,0);
INSERT INTO "file_records" VALUES(11,'ijf-5dd5f285-ae7b-4ad9-8969-bfea8b86c5de',3,5,14,'md-file-e5faad8d-96ea-4495-bab9-8cbf87b6f4dd','team-b','bob','2.pdf','2.md','SPEED_OPTIMIZED',NULL,NULL,'CANCELLED','CANCELLED',NULL,NULL,NULL,'','[]','[]',0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,1700000001500000,NULL,NULL,NULL,1700000001500000,NULL,5,NULL,6,0,11534336,0);
CREATE TABLE files (
    id           INTEGER PRIMARY KEY,
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
    deleted_at   INTEGER,
    CHECK (deleted_at IS NOT NULL OR blob IS NOT NULL)
) STRICT;
INSERT INTO "files" VALUES(1,'file-25efde82-5463-499b-adf0-9a9036de776a','team-a','alice','UPLOAD','1.pdf','','x/y',5,'e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',0,1,1700000000000000,NULL);
INSERT INTO "files" VALUES(2,'file-eaa3c8a8-a07b-4e74-a6b4-fb59e7b8c31d','team-a','alice','UPLOAD','2.pdf','','x/y',5,'111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',0,2,1700000000000000,NULL);
INSERT INTO "files" VALUES(3,'file-4d223bba-6df7-4aa4-864b-9aed260f91b6','team-a','alice','UPLOAD','3.pdf','','x/y',5,'e3c505fd16f50cb10f563ec68c80e27e127ad46f6b1b889b292563014f550493',0,3,1700000000000000,NULL);
INSERT INTO "files" VALUES(4,'file-879f7392-a406-4fce-9b10-dade579e49d6','team-a','alice','UPLOAD','4.pdf','','x/y',5,'8a25bbaf71f5c62f521c4b023848ff49993b62fbac23d6492eac06b50c80b8c4',0,4,1700000000000000,NULL);
INSERT INTO "files" VALUES(5,'file-89e85c42-91e6-466e-a974-8081c1207ba0','team-a','alice','UPLOAD','5.pdf','','x/y',5,'135075b739b67c18ca3d823d5192b9e5e783a563b3dc533a7714bb1bf8b6d3e0',0,5,1700000000000000,NULL);
INSERT INTO "files" VALUES(6,'file-56daa0d5-c5a7-4724-b66b-e250b8bd3560','team-a','alice','UPLOAD','6.pdf','','x/y',5,'7173c4713359ce651f8f4067ba630d5f20a82baeb2179273334338fcd7ecf2fb',0,6,1700000000000000,NULL);
INSERT INTO "files" VALUES(7,'file-de286f07-f9e7-4d51-a2b3-3403cca0ca33','team-a','alice','UPLOAD','notes.md','','x/y',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,7,1700000000000000,NULL);
INSERT INTO "files" VALUES(8,'md-file-7e49daf6-04e0-489a-b011-ebf6145539ec','team-a','alice','OUTPUT','1.md','','text/markdown',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,8,1700000001500000,NULL);
INSERT INTO "files" VALUES(9,'file-b97636ca-216c-4ebf-8cd1-fdd04190ebae','team-a','alice','UPLOAD','2.pdf','','x/y',9,'3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',0,9,1700000001500000,NULL);
INSERT INTO "files" VALUES(10,'file-5a5dd487-af3b-4031-9708-1450b66ec324','team-a','alice','UPLOAD','report.pdf','','x/y',10,'6466e450a16b77b865c5829d6b6c56d9f892956475642dbeb9ccc4340fe01b15',0,10,1700000001500000,NULL);
INSERT INTO "files" VALUES(11,'file-7c749ad9-6ee5-4473-8db1-a7a1aec39b1f','team-a','alice','UPLOAD','report.pdf','','x/y',9,'3def73f15b56a47bba6777da129db988df316fa2e8b10fb5a005442349585c43',0,9,1700000001500000,NULL);
INSERT INTO "files" VALUES(12,'md-file-9991a6f0-8b8e-4023-9670-c971b0fe7b90','team-a','alice','OUTPUT','report.md','','text/markdown',8,'e01b17ff9af77056792f67c57e3d1908795b9d1ae4cfe72421d0a2838991b740',1,11,1700000001500000,NULL);
INSERT INTO "files" VALUES(13,'file-b501c445-3406-4da5-9581-84a61c3509d0','team-b','bob','UPLOAD','1.pdf','','x/y',5,'e11cbfc531a999052b5801dff3c277ea9aaccb57cf42f559a752b65d2577ee9e',0,12,1700000001500000,NULL);
INSERT INTO "files" VALUES(14,'file-ed01f94d-4048-4ccf-bcf6-eb7add09e587','team-b','bob','UPLOAD','2.pdf','','x/y',5,'111dae5cbe3d92dbbdcd0bbbf5282ac963c894fb39d98bb340e4555ee611ff62',0,13,1700000001500000,NULL);
CREATE TABLE ingestion_jobs (
    id               INTEGER PRIMARY KEY,
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
) STRICT;
INSERT INTO "ingestion_jobs" VALUES(1,'ij-1424c36b-c065-46c6-bfe5-4693b5d300af',1,'team-a','RUNNING',1,3,1,1,0,1,1,30,1700000000000000,1700000000000000,NULL,15);
INSERT INTO "ingestion_jobs" VALUES(2,'ij-13bbfcb3-3993-48a0-ab8d-c919efa2b991',1,'team-a','RUNNING',0,1,0,0,0,0,0,9,1700000001500000,1700000001500000,NULL,26);
INSERT INTO "ingestion_jobs" VALUES(3,'ij-4687f3f3-4896-4552-a8fe-3f095506c77c',2,'team-a','FAILED',0,0,0,1,0,0,0,10,1700000001500000,1700000001500000,1700000001500000,8);
INSERT INTO "ingestion_jobs" VALUES(4,'ij-0360c5eb-378d-48ca-8f0c-7672aed4ba58',2,'team-a','COMPLETED',0,0,1,0,0,0,1,9,1700000001500000,1700000001500000,1700000001500000,19);
INSERT INTO "ingestion_jobs" VALUES(5,'ij-b643b8c3-9465-4f31-9cb9-14323fa79b54',3,'team-b','CANCELLED',0,0,0,0,1,1,0,5,1700000001500000,NULL,1700000001500000,7);
CREATE TABLE job_files (
    id         INTEGER PRIMARY KEY,
    job        INTEGER NOT NULL REFERENCES jobs (id),
    file       INTEGER NOT NULL REFERENCES files (id),
    added_at   INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;
INSERT INTO "job_files" VALUES(1,1,7,1700000000000000,NULL);
CREATE TABLE jobs (
    id                       INTEGER PRIMARY KEY,
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
) STRICT;
INSERT INTO "jobs" VALUES(1,'dj-c721c997-a130-434a-9c41-a005a1159ec6','team-a','alice','job','','CONTEXT_GROUNDED_FILES','FILE_PROCESSING','SPEED_OPTIMIZED','',NULL,'',NULL,1,4,1,1,0,1,1,0,1,27,1,1700000000000000,1700000001500000);
INSERT INTO "jobs" VALUES(2,'dj-bd67d669-1ce3-48b0-b427-cd51cf6976ad','team-a','alice','job','','CONTEXT_GROUNDED_FILES','READY_TO_START','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,1,1,0,0,0,0,1,21,1,1700000001500000,1700000001500000);
INSERT INTO "jobs" VALUES(3,'dj-d300725c-7621-423f-86c4-a28e0f3f6212','team-b','bob','job','','CONTEXT_GROUNDED_FILES','CANCELLED','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,0,0,1,1,0,1,1,9,1,1700000001500000,1700000001500000);
INSERT INTO "jobs" VALUES(4,'dj-20d2ca46-659e-4257-bf17-c8c6d8d1c66a','team-b','bob','job','','CONTEXT_GROUNDED_FILES','NEEDS_REVIEW','SPEED_OPTIMIZED','',NULL,'',NULL,0,0,0,0,0,0,0,0,0,1,1,1700000001500000,1700000001500000);
CREATE TABLE ledger (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    ledger_id  TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO "ledger" VALUES(1,'366cd8dd-17f0-401c-a606-aa77e3f1b074',1700000000000000);
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
INSERT INTO "requests" VALUES(1,'team-a','/ingest_grpc.v1.Test/Mutate','create',X'7061796C6F6164','{"job_id":"dj-c721c997-a130-434a-9c41-a005a1159ec6","ingestion_job_id":"ij-1424c36b-c065-46c6-bfe5-4693b5d300af","results":[{"file_id":"file-25efde82-5463-499b-adf0-9a9036de776a","outcome":"ADDED","record_id":"ijf-6688e9a8-b810-4993-8f0e-d419e9924b64","output_file_id":"md-file-7e49daf6-04e0-489a-b011-ebf6145539ec","supersedes_record_id":null},{"file_id":"file-eaa3c8a8-a07b-4e74-a6b4-fb59e7b8c31d","outcome":"ADDED","record_id":"ijf-9d423e37-3dfd-4cb6-853a-0d62540261ad","output_file_id":"md-file-bace8af0-ae27-4dcd-889b-65dc33e19b42","supersedes_record_id":null},{"file_id":"file-4d223bba-6df7-4aa4-864b-9aed260f91b6","outcome":"ADDED","record_id":"ijf-658c8961-1a9a-45b5-aa38-94b94d555457","output_file_id":"md-file-b802c412-fd20-48a4-9dab-0bcae7ffd66f","supersedes_record_id":null},{"file_id":"file-879f7392-a406-4fce-9b10-dade579e49d6","outcome":"ADDED","record_id":"ijf-c621b7cb-58b8-4f10-a0a4-304b05f0736e","output_file_id":"md-file-5bf395dc-f8a6-4f17-bce7-90edb75959c1","supersedes_record_id":null},{"file_id":"file-89e85c42-91e6-466e-a974-8081c1207ba0","outcome":"ADDED","record_id":"ijf-97beee45-1faa-4be3-8c12-4135937c7d5c","output_file_id":"md-file-dfdfedad-9dab-4ac9-be23-da35371e1bbb","supersedes_record_id":null},{"file_id":"file-56daa0d5-c5a7-4724-b66b-e250b8bd3560","outcome":"ADDED","record_id":"ijf-a30e048f-d481-42f6-8e6c-e0f4aa3791d6","output_file_id":"md-file-ee0af14e-b235-40d6-8d7b-5a1c6e9ab86a","supersedes_record_id":null},{"file_id":"file-de286f07-f9e7-4d51-a2b3-3403cca0ca33","outcome":"MARKDOWN_READY","record_id":null,"output_file_id":"file-de286f07-f9e7-4d51-a2b3-3403cca0ca33","supersedes_record_id":null}]}',1700000000000000);
CREATE TABLE transitions (
    from_status TEXT NOT NULL, -- '' for a new record
    trigger     TEXT NOT NULL,
    to_status   TEXT NOT NULL,
    PRIMARY KEY (from_status, trigger)
) STRICT, WITHOUT ROWID;
INSERT INTO "transitions" VALUES('','ADDED','QUEUED');
INSERT INTO "transitions" VALUES('QUEUED','CANCELLED','CANCELLED');
INSERT INTO "transitions" VALUES('QUEUED','CLAIMED','RUNNING');
INSERT INTO "transitions" VALUES('RUNNING','CANCELLED','CANCELLED');
INSERT INTO "transitions" VALUES('RUNNING','FAILED','FAILED');
INSERT INTO "transitions" VALUES('RUNNING','FAILED_RETRYABLE','QUEUED');
INSERT INTO "transitions" VALUES('RUNNING','ORPHANED','QUEUED');
INSERT INTO "transitions" VALUES('RUNNING','SUCCEEDED','COMPLETED');
CREATE INDEX jobs_by_team ON jobs (team, id);
CREATE INDEX jobs_by_status ON jobs (team, status, id);
CREATE INDEX ingestion_jobs_by_job ON ingestion_jobs (job, id);
CREATE INDEX ingestion_jobs_by_job_status ON ingestion_jobs (job, status, id);
CREATE INDEX ingestion_jobs_by_team ON ingestion_jobs (team, id);
CREATE INDEX ingestion_jobs_by_team_status ON ingestion_jobs (team, status, id);
CREATE UNIQUE INDEX blobs_by_content ON blobs (team, sha256) WHERE shareable = 1 AND deleted_at IS NULL;
CREATE INDEX blobs_deleted ON blobs (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX files_by_team ON files (team, id) WHERE deleted_at IS NULL;
CREATE INDEX files_by_kind ON files (team, kind, id) WHERE deleted_at IS NULL;
CREATE INDEX files_by_blob ON files (blob) WHERE deleted_at IS NULL;
CREATE INDEX records_to_claim ON file_records (priority DESC, fair_tag, id) WHERE claimable = 1;
CREATE INDEX records_delayed ON file_records (next_attempt_at) WHERE status = 'QUEUED' AND claimable = 0;
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
CREATE INDEX job_files_by_file ON job_files (file) WHERE removed_at IS NULL;
CREATE INDEX job_files_by_job ON job_files (job, id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX events_by_job ON events (job, sequence);
CREATE INDEX events_milestones ON events (job, sequence) WHERE milestone = 1;
CREATE UNIQUE INDEX requests_by_id ON requests (team, method, request_id);
CREATE INDEX requests_by_age ON requests (created_at);
CREATE VIEW file_record_rows AS
SELECT
    r.*, j.job_id, i.ingestion_job_id, f.file_id, f.content_type AS source_type, b.blob_key AS source
FROM file_records AS r
CROSS JOIN jobs AS j ON j.id = r.job
CROSS JOIN ingestion_jobs AS i ON i.id = r.ingestion_job
CROSS JOIN files AS f ON f.id = r.file
LEFT JOIN blobs AS b ON b.id = f.blob;
COMMIT;
PRAGMA user_version = 1;
