"""Rows of the error catalogue about the service itself: its watches, its callers, its limits and its storage."""

from collections.abc import Mapping

from ingest_grpc.errors.entry import Entry
from ingest_grpc.errors.reasons import Code, Reason

OF_SERVICE: Mapping[Reason, Entry] = {
    Reason.SEQUENCE_IN_FUTURE: Entry(
        "The sequence {after_sequence} is beyond the head {head_sequence} of this job.",
        "Call again without after_sequence for a fresh snapshot.",
        Code.OUT_OF_RANGE,
    ),
    Reason.SEQUENCE_COMPACTED: Entry(
        "The events after sequence {after_sequence} are no longer kept; the earliest is {earliest_sequence}.",
        "Call again without after_sequence for a fresh snapshot.",
        Code.OUT_OF_RANGE,
    ),
    Reason.LEDGER_RESTORED: Entry(
        "The ledger was restored from a backup and is now {ledger_id}; older sequences do not apply to it.",
        "Call again without after_sequence and ledger_id, or without resume_token, for a fresh snapshot.",
        Code.OUT_OF_RANGE,
    ),
    Reason.INVALID_RESUME_TOKEN: Entry(
        "The resume token is not one that this watch sent.",
        "Call again without resume_token for a fresh snapshot, and keep the filter unchanged when you resume.",
        Code.INVALID_ARGUMENT,
    ),
    Reason.FEED_COMPACTED: Entry(
        "Events after this resume token are no longer kept.",
        "Call again without resume_token for a fresh snapshot.",
        Code.OUT_OF_RANGE,
    ),
    Reason.OUTPUT_EXPIRED: Entry(
        "The output {file_id} was deleted: its retention time is over.",
        "Add the file to a job again to have it converted anew.",
        Code.NOT_FOUND,
    ),
    Reason.STREAM_ROTATED: Entry(
        "The server rotates long streams.",
        "Resume at once with the last sequence or resume_token.",
        Code.UNAVAILABLE,
        retryable=True,
    ),
    Reason.SERVER_DRAINING: Entry(
        "The server is shutting down.",
        "Call again once it is back; resume a watch with the last sequence or resume_token.",
        Code.UNAVAILABLE,
        retryable=True,
    ),
    Reason.WATCHER_TOO_SLOW: Entry(
        "The watcher did not read for {seconds} seconds.",
        "Read the stream faster and resume with the last sequence or resume_token.",
        Code.ABORTED,
        retryable=True,
    ),
    Reason.CREDENTIALS_MISSING: Entry(
        "The call carries no API key.", "Send the metadata 'authorization: Bearer <key>'.", Code.UNAUTHENTICATED
    ),
    Reason.CREDENTIALS_INVALID: Entry(
        "The API key is unknown or revoked.", "Use a key made by 'ingest-grpc admin keys create'.", Code.UNAUTHENTICATED
    ),
    Reason.SCOPE_MISSING: Entry(
        "The API key lacks the scope {scope}.", "Use a key with this scope.", Code.PERMISSION_DENIED
    ),
    Reason.METHOD_NOT_FOUND: Entry(
        "The method {method} does not exist.", "List the services and methods over reflection.", Code.UNIMPLEMENTED
    ),
    Reason.TOO_MANY_WATCHERS: Entry(
        "The {of} has {max_watchers} watchers, which is as many as it may have.",
        "End watches that are not needed, watch all jobs with one WatchJobs, or retry later.",
        Code.RESOURCE_EXHAUSTED,
        retryable=True,
    ),
    Reason.RATE_LIMITED: Entry(
        "The team makes more than {calls_per_second} calls per second.",
        "Retry after the delay that RetryInfo gives; watch a job instead of asking for it again and again.",
        Code.RESOURCE_EXHAUSTED,
        retryable=True,
    ),
    Reason.SERVER_BUSY: Entry(
        "The server has more writes waiting than it accepts.",
        "Retry after a brief wait.",
        Code.RESOURCE_EXHAUSTED,
        retryable=True,
    ),
    Reason.STORAGE_FULL: Entry(
        "The server's disk is full.",
        "Retry once the operator has freed space.",
        Code.RESOURCE_EXHAUSTED,
        retryable=True,
    ),
    Reason.STORAGE_UNAVAILABLE: Entry(
        "The server's storage is temporarily unavailable; whether the change was stored is unknown.",
        "Retry with the same request_id.",
        Code.UNAVAILABLE,
        retryable=True,
    ),
}
