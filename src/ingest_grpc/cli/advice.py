"""What to do, said in commands and options: the server's own words speak of calls and their fields."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ingest_grpc.cli.words import word
from ingest_grpc.errors import Reason

if TYPE_CHECKING:
    from ingest_grpc.client.messages import ReviewReason

_START_OVER = "Leave --after-sequence out: what follows then begins with how the job stands."
_START_FEED_OVER = "Leave --resume-token out: what follows then begins with how all jobs stand."

REFUSED: Mapping[str, str] = {
    Reason.CREDENTIALS_MISSING: "Give an API key with --api-key or INGEST_API_KEY.",
    Reason.DATA_SOURCE_NOT_FOUND: "Verify the id with 'ingest-grpc kb sources KB', and the API key's team.",
    Reason.EMBEDDER_UNAVAILABLE: "Choose one that 'ingest-grpc server info' shows, or have the operator set it up.",
    Reason.EXTERNAL_ID_TAKEN: "Use what has the key already, or choose another --external-id.",
    Reason.FEED_COMPACTED: _START_FEED_OVER,
    Reason.FILES_ETAG_MISMATCH: "Review the files again, and start the job with the new --files-etag.",
    Reason.FILE_IN_USE: "Remove it from these jobs first, or use --force.",
    Reason.FILE_NOT_FOUND: "Verify the id with 'ingest-grpc files list', and the API key's team.",
    Reason.FILE_TOO_LARGE: "Upload a smaller file.",
    Reason.INGESTION_JOB_NOT_FOUND: "Verify the id with 'ingest-grpc ingestion list', and the API key's team.",
    Reason.INVALID_RESUME_TOKEN: f"{_START_FEED_OVER} To resume, give the same filters as before.",
    Reason.JOB_NOT_FOUND: "Verify the id with 'ingest-grpc jobs list', and the API key's team.",
    Reason.KNOWLEDGE_BASE_JOB: "Use 'ingest-grpc kb': sync its data source, or add files to the knowledge base.",
    Reason.KNOWLEDGE_BASE_NOT_FOUND: "Verify the id with 'ingest-grpc kb list', and the API key's team.",
    Reason.KNOWLEDGE_BASE_REQUIRED: "Give the job one first: ingest-grpc jobs update JOB --knowledge-base KB",
    Reason.LEDGER_RESTORED: "Leave --after-sequence and --resume-token out: they are of the ledger as it was.",
    Reason.METHOD_NOT_FOUND: "Use the command line of the server's version, which 'ingest-grpc server info' shows.",
    Reason.NOT_READY_TO_START: "See 'ingest-grpc jobs why JOB', resolve what it names, then start the job again.",
    Reason.RATE_LIMITED: "Wait a moment; watch a job instead of asking for it again and again.",
    Reason.RECORD_NOT_FOUND: "Verify the id with 'ingest-grpc ingestion records JOB', and the API key's team.",
    Reason.REINDEX_REQUIRED: "Use --reindex to have all its files embedded and cut anew.",
    Reason.SEQUENCE_COMPACTED: _START_OVER,
    Reason.SEQUENCE_IN_FUTURE: _START_OVER,
    Reason.SERVER_DRAINING: "Try again once it is back.",
    Reason.STORAGE_UNAVAILABLE: "Look whether it was done, then try again.",
    Reason.TOO_MANY_WATCHERS: "End watches that are not needed, or see all jobs with one 'ingest-grpc jobs watch'.",
    Reason.WATCHER_TOO_SLOW: "Read the output faster, for example by way of a file.",
}
"""For each reason whose fix in the catalogue names calls or fields: the same in options and commands."""

PREREQUISITES: Mapping[str, str] = {
    "SYSTEM_PROMPT_MISSING": "ingest-grpc jobs update {job} --system-prompt FILE",
    "KNOWLEDGE_BASE_MISSING": "ingest-grpc jobs update {job} --knowledge-base KB",
    "NO_VIABLE_FILE": "ingest-grpc jobs add {job} FILE_ID",
}
"""The command that provides what a job lacks, by the type of its review reason."""


def review_fix(reason: "ReviewReason", job_id: str) -> str:
    """What to do about a review reason: a command where one does it, else the server's words."""
    command = PREREQUISITES.get(word(reason, "type"))
    return command.format(job=job_id) if command else reason.suggested_fix
