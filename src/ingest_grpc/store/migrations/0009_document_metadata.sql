-- What documents say about themselves.
-- title, author and language of a completed record as a JSON object; NULL where the document says nothing
ALTER TABLE file_records ADD COLUMN document_metadata TEXT;
