"""Rows of the catalogue about knowledge bases, and what they take in."""

from collections.abc import Mapping

from ingest_grpc.errors.entry import Entry
from ingest_grpc.errors.reasons import Code, Reason

OF_KNOWLEDGE_BASES: Mapping[Reason, Entry] = {
    Reason.KNOWLEDGE_BASE_NOT_FOUND: Entry(
        "The knowledge base {knowledge_base_id} does not exist.",
        "Verify the knowledge_base_id, and that the credentials belong to its team.",
        Code.NOT_FOUND,
    ),
    Reason.KNOWLEDGE_BASE_DELETED: Entry(
        "The knowledge base {knowledge_base_id} is deleted and will be purged.",
        "Undelete the knowledge base first.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.KNOWLEDGE_BASE_EMPTY: Entry(
        "The knowledge base {knowledge_base_id} has nothing that can be found yet.",
        "Add a data source or files to it and wait until one is COMPLETED.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.KNOWLEDGE_BASE_REQUIRED: Entry(
        "The job {job_id} has no knowledge base to add files to.",
        "Update the job with a knowledge_base_id, then add the files.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.KNOWLEDGE_BASE_JOB: Entry(
        "The job {job_id} feeds a knowledge base and takes no such command.",
        "Use KnowledgeBaseService: sync its data source, or add files to the knowledge base.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.DATA_SOURCE_NOT_FOUND: Entry(
        "The data source {data_source_id} does not exist.",
        "Verify the data_source_id, and that the credentials belong to its team.",
        Code.NOT_FOUND,
    ),
    Reason.SOURCE_TOO_LARGE: Entry(
        "The data source has more than {max_keys} keys.",
        "Narrow its URL or its patterns, or split it into several data sources.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.SYNC_RUNNING: Entry(
        "The data source {data_source_id} is being synced by the job {job_id}.",
        "Wait until that job is settled, or cancel the sync.",
        Code.FAILED_PRECONDITION,
        retryable=True,
    ),
    Reason.SYNC_NOT_RUNNING: Entry(
        "No sync of the data source {data_source_id} is running.",
        "There is nothing to cancel.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.REINDEX_REQUIRED: Entry(
        "The knowledge base {knowledge_base_id} was embedded and cut in another way.",
        "Set reindex to have all its files embedded and cut anew.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.REINDEX_RUNNING: Entry(
        "The knowledge base {knowledge_base_id} is being reindexed by the job {job_id}.",
        "Wait until that job is settled, retry its failed files, or cancel it.",
        Code.FAILED_PRECONDITION,
        retryable=True,
    ),
    Reason.KNOWLEDGE_BASE_BUSY: Entry(
        "Files of the knowledge base {knowledge_base_id} are still being ingested.",
        "Wait until its jobs are settled, or cancel them.",
        Code.FAILED_PRECONDITION,
        retryable=True,
    ),
    Reason.EMBEDDER_UNAVAILABLE: Entry(
        "The embedder {embedder} is not what this server offers.",
        "Choose one that GetServerInfo lists, or have the operator set it up.",
        Code.FAILED_PRECONDITION,
    ),
    Reason.NOT_IN_KNOWLEDGE_BASE: Entry(
        "The file {file_id} is not in the knowledge base {knowledge_base_id}.",
        "List the knowledge base's files, or add this one.",
        Code.NOT_FOUND,
    ),
    Reason.NOTHING_TO_INDEX: Entry(
        "The document has no text that could be found.",
        "Upload a document with text.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.EMBEDDING_REFUSED: Entry(
        "The embedder refused every part of the document.",
        "Have the operator check the embedder's model, address and key, then retry the file.",
        Code.FAILED_PRECONDITION,
    ),
}
