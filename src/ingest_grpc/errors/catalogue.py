"""The error catalogue: every reason the service can give, with its text, its fix and its gRPC code.

One row per reason. The same row serves a failed record (message and suggested fix), a failed RPC
(code, ErrorInfo.reason) and the documentation, so that the three can never disagree. The first six
texts are the field's own words (SeekrFlow, "Troubleshoot common errors") and are kept to the letter.
"""

from collections.abc import Mapping

from ingest_grpc.errors.entry import Entry
from ingest_grpc.errors.of_knowledge_bases import OF_KNOWLEDGE_BASES
from ingest_grpc.errors.of_service import OF_SERVICE
from ingest_grpc.errors.reasons import Code, Reason
from ingest_grpc.formats import SUPPORTED_NAMES

CATALOGUE: Mapping[Reason, Entry] = {
    Reason.EMPTY_FILE: Entry("The file appears to be empty.", "Upload a file with content.", Code.INVALID_ARGUMENT),
    Reason.PDF_UNREADABLE: Entry(
        "The PDF may be corrupted, password-protected, or in an unsupported format.",
        "Upload a valid, unprotected PDF.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.PDF_PAGE_TOO_LARGE: Entry(
        "The PDF contains pages that exceed the maximum supported size.",
        "Re-export the PDF with smaller page dimensions.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.FILE_NOT_FOUND: Entry(
        "The file was not found or is not owned by the current user.",
        "Re-upload the file or verify the correct file_id.",
        Code.NOT_FOUND,
    ),
    Reason.SERVICE_UNAVAILABLE: Entry(
        "Service temporarily unavailable.",
        "Retry the job after a brief wait.",
        Code.UNAVAILABLE,
        retryable=True,
        outage=True,
    ),
    Reason.INTERNAL: Entry(
        "Internal processing failure.", "If the issue persists, contact support.", Code.INTERNAL, retryable=True
    ),
    Reason.NO_TEXT: Entry(
        "The file contains no extractable text; it may be a scan or consist of images only.",
        "Convert it with the method accuracy-optimized, which reads scans, or upload a version with a text layer.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.ONLY_PICTURES: Entry(
        "The document has no text of its own, only pictures or attachments.",
        "Save it as PDF and convert that with the method accuracy-optimized, which reads pictures; upload attachments "
        "as files of their own.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.OCR_FOUND_NO_TEXT: Entry(
        "The file contains no text, and OCR found none in its pictures.",
        "Upload a sharper scan, at least 300 dots per inch and upright, or remove the file.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.OCR_UNAVAILABLE: Entry(
        "The file has to be read by OCR, which this server cannot do in the configured languages.",
        "Ask the operator to install Tesseract with these languages, or upload a version with a text layer.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.UNSUPPORTED_TYPE: Entry(
        "The file type is not supported.",
        f"Upload one of: {SUPPORTED_NAMES}.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.FILE_UNREADABLE: Entry(
        "The file is damaged or is not what its format says.",
        "Open the file in its own application, save it again and upload the new copy.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.FILE_ENCRYPTED: Entry(
        "The file is password-protected.",
        "Remove the password in the file's own application and upload the new copy.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.TEXT_UNDECODABLE: Entry(
        "The text could not be decoded in any known character encoding.",
        "Save the file as UTF-8 and upload it again.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.DECOMPRESSION_BOMB: Entry(
        "The file expands to far more data than its size allows.",
        "Upload the document without oversized compressed content.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.OUTPUT_TOO_LARGE: Entry(
        "The converted document exceeds the maximum output size.",
        "Split the document into smaller files.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.CONVERSION_TIMEOUT: Entry(
        "The conversion did not finish within the time limit.",
        "Split the document into smaller files, or raise the conversion time limit.",
        Code.INTERNAL,
        retryable=True,
    ),
    Reason.CONVERSION_OUT_OF_MEMORY: Entry(
        "The conversion needed more memory than it may use.",
        "Split the document into smaller files, or raise the conversion memory limit.",
        Code.INTERNAL,
        retryable=True,
    ),
    Reason.CONVERTER_CRASHED: Entry(
        "The converter crashed on this file.",
        "Save the file again in its own application and retry; if it crashes again, contact support.",
        Code.INTERNAL,
        retryable=True,
    ),
    Reason.CONVERSION_STALLED: Entry(
        "The conversion made no progress for too long.",
        "Save the file again in its own application, or split it into smaller files.",
        Code.INTERNAL,
        retryable=True,
    ),
    Reason.DOCUMENT_TOO_LARGE: Entry(
        "The file is larger than the largest that is converted.",
        "Split the document into smaller files.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.TOO_MANY_PAGES: Entry(
        "The document has more pages than are converted.",
        "Split the document into smaller files.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.TOO_MANY_ENTRIES: Entry(
        "The file holds more parts than are read.",
        "Spread its content over several files.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.TOO_DEEPLY_NESTED: Entry(
        "The content of the file is nested too deeply.",
        "Upload a version with fewer levels of tables, lists or parts inside one another.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.IMAGE_TOO_LARGE: Entry(
        "The image has more pixels than are read.",
        "Save the image with a lower resolution and upload the new copy.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.ARCHIVE_TOO_DEEP: Entry(
        "The archive lies inside too many other archives.",
        "Unpack the outer archives and upload their files.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.ARCHIVE_EXCEEDS_JOB: Entry(
        "With the files of the archive the job would have more files than it may.",
        "Split the archive and add the parts to separate jobs.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.ARCHIVE_EXCEEDS_QUEUE: Entry(
        "The files of the archive do not fit into the team's queue now.",
        "Wait until fewer files are queued; if the archive alone has more files than the queue may hold, split it.",
        Code.RESOURCE_EXHAUSTED,
        retryable=True,
        outage=True,
    ),
    Reason.ARCHIVE_EXCEEDS_STORAGE: Entry(
        "With the files of the archive the team would store more than it may.",
        "Delete files that are no longer needed, then retry.",
        Code.RESOURCE_EXHAUSTED,
    ),
    Reason.WORKER_LOST: Entry(
        "The worker was lost too many times while it processed this file.",
        "Retry the file once the service is stable.",
        Code.INTERNAL,
    ),
    Reason.INVALID_FIELD: Entry(
        "The request has an invalid field.", "Correct the fields named in the violations.", Code.INVALID_ARGUMENT
    ),
    Reason.INVALID_ID: Entry(
        "The request has a malformed id.",
        "Use an id exactly as the service returned it: {expected}.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.INVALID_PAGE_TOKEN: Entry(
        "The page token is not one that this list returned.",
        "Start again without a page token, and keep the filter unchanged between pages.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.REQUEST_ID_REUSED: Entry(
        "The request_id {request_id} was used before with another payload.",
        "Use a new request_id for a new request.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.UPLOAD_INVALID: Entry(
        "The upload stream must be one header followed by data.",
        "Send the header first, once, and then only data messages of 1 byte to 2 MiB.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.SHA256_MISMATCH: Entry(
        "The content has the SHA-256 {actual_sha256}, not the announced {expected_sha256}.",
        "Upload the file again.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.SIZE_MISMATCH: Entry(
        "The content has {actual_bytes} bytes, not the announced {expected_bytes}.",
        "Upload the whole file again.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.FILE_TOO_LARGE: Entry(
        "The file exceeds the maximum size of {max_bytes} bytes.",
        "Upload a smaller file, or use UploadFile where CreateFile is too small.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.JOB_NOT_FOUND: Entry(
        "The job {job_id} does not exist.",
        "Verify the job_id, and that the credentials belong to its team.",
        Code.NOT_FOUND,
    ),
    Reason.INGESTION_JOB_NOT_FOUND: Entry(
        "The ingestion job {ingestion_job_id} does not exist.",
        "Verify the ingestion_job_id, and that the credentials belong to its team.",
        Code.NOT_FOUND,
    ),
    Reason.RECORD_NOT_REPLACEABLE: Entry(
        "The record {record_id} is not an unresolved failed or cancelled record of this job.",
        "Name a record from the job's review reasons, or leave replaces_record_id out.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.RECORD_NOT_FOUND: Entry(
        "The record {record_id} does not exist.",
        "Verify the record_id, and that the credentials belong to its team.",
        Code.NOT_FOUND,
    ),
    Reason.JOB_DELETED: Entry(
        "The job {job_id} is deleted and will be purged.",
        "Undelete the job first.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.TEAM_QUEUE_FULL: Entry(
        "The team would have more than {max_queued} files in the queue.",
        "Add the files once others are done.",
        Code.RESOURCE_EXHAUSTED,
        retryable=True,
    ),
    Reason.TEAM_STORAGE_FULL: Entry(
        "The team would store more than {max_bytes} bytes.",
        "Delete files that are not needed any more, or ask the operator for more room; unfinished uploads count until "
        "they expire.",
        Code.RESOURCE_EXHAUSTED,
    ),
    Reason.ETAG_MISMATCH: Entry(
        "The resource was changed since the etag {expected_etag} was read; it is {actual_etag} now.",
        "Read the resource again, and repeat the change if it still applies.",
        Code.ABORTED,
    ),
    Reason.EXTERNAL_ID_TAKEN: Entry(
        "The external_id {external_id} belongs to {resource_id} already.",
        "Use that resource, or choose another external_id.",
        Code.ALREADY_EXISTS,
    ),
    Reason.TOO_MANY_RECORDS: Entry(
        "The job would exceed {max_records} records.",
        "Create another job for the remaining files.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.FILE_IN_USE: Entry(
        "The file {file_id} is listed by {job_count} job(s).",
        "Remove it from these jobs first, or set force.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.OUTPUT_NOT_READY: Entry(
        "The output {file_id} does not exist yet: its record is {status}.",
        "Watch the job and read the output once its record is COMPLETED.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.UPLOAD_NOT_FOUND: Entry(
        "The upload {upload_id} does not exist.",
        "It may have expired: begin a new upload, and verify that the credentials belong to its team.",
        Code.NOT_FOUND,
    ),
    Reason.UPLOAD_OFFSET: Entry(
        "The upload has {committed_bytes} bytes; what was sent does not continue them at byte {offset}.",
        "Go on at committed_bytes.",
        Code.OUT_OF_RANGE,
    ),
    Reason.UPLOAD_COMPLETED: Entry(
        "The upload {upload_id} is complete and became the file {file_id}.",
        "Use the file; begin a new upload for other bytes.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.TOO_MANY_UPLOADS: Entry(
        "The team has {max_uploads} unfinished uploads, which is as many as it may have.",
        "Complete some of them, or retry once those that nobody continues have expired.",
        Code.RESOURCE_EXHAUSTED,
        retryable=True,
    ),
    Reason.IMPORT_NOT_ALLOWED: Entry(
        "The server may not import from this URL.",
        "Use a URL below one that the server's settings allow, or upload the file.",
        Code.PERMISSION_DENIED,
    ),
    Reason.SOURCE_CHANGED: Entry(
        "The source was changed since the file was imported.",
        "Import the file again.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.JOB_STARTED: Entry(
        "The job {job_id} was started: its alignment is {status} and its files are frozen.",
        "Clone the job, or cancel its alignment while that is queued or running.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.NOT_READY_TO_START: Entry(
        "The job cannot start: {review_reasons_total} thing(s) need review.",
        "Resolve every review reason, then start the job again.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.FILES_PROCESSING: Entry(
        "The job cannot start yet: {queued} file(s) wait and {running} are being converted.",
        "Wait until the job is settled, then start it.",
        Code.FAILED_PRECONDITION,
        retryable=True,
    ),
    Reason.FILES_ETAG_MISMATCH: Entry(
        "The job's files changed since the files_etag {expected_files_etag} was read; it is {actual_files_etag} now.",
        "Review the files again, and start the job with the new files_etag.",
        Code.ABORTED,
    ),
    Reason.NOTHING_TO_ALIGN: Entry(
        "The job's files have no text to make a dataset of.",
        "Add files with text below their headings.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.ALIGN_ENGINE_UNAVAILABLE: Entry(
        "The engine of the alignment is not set up on this server.",
        "Start the job again, or have the operator set the engine up.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.ALIGN_ENDPOINT_UNAVAILABLE: Entry(
        "The model's endpoint did not answer.",
        "Start the job again once the endpoint is back.",
        Code.UNAVAILABLE,
        retryable=True,
    ),
    Reason.ALIGN_ENDPOINT_REFUSED: Entry(
        "The model's endpoint refused the request.",
        "Have the operator check the endpoint's address, key and model.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.ALIGN_ANSWERS_UNUSABLE: Entry(
        "The model gave no usable answer for any section.",
        "Start the job again, or use another model.",
        Code.INTERNAL,
    ),
    **OF_SERVICE,
    **OF_KNOWLEDGE_BASES,
}
