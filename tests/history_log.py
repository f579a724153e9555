"""The log of one job, as all its watchers together received it: is it one that transactions could have written?

A record's transition, the counts of its ingestion job and job, and their statuses commit together (atomic). So whatever
shows a job or an ingestion job at some sequence must add up to the events up to there; a torn transaction does not.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ingest_grpc.v1.ingestion_pb2 import FileRecord, IngestionJob, RecordStatus
from ingest_grpc.v1.job_pb2 import Job, TimelineEvent
from ingest_grpc.v1.job_service_pb2 import WatchJobResponse

COMPLETED, FAILED = RecordStatus.RECORD_STATUS_COMPLETED, RecordStatus.RECORD_STATUS_FAILED
CANCELLED = RecordStatus.RECORD_STATUS_CANCELLED
Counts = Mapping[RecordStatus.ValueType, int]


class Log:
    """Events by sequence; only the part from 1 without a hole can be added up."""

    def __init__(self, events: Sequence[TimelineEvent]) -> None:
        self._events = {event.sequence: event for event in events}
        self._whole = 0
        while self._whole + 1 in self._events:
            self._whole += 1

    def torn(self, shown: Sequence[WatchJobResponse]) -> Iterator[str]:
        """What the log, or a job in one of these messages, cannot be the work of whole transactions."""
        yield from self._inside(shown)
        jobs: defaultdict[int, list[tuple[str, Job]]] = defaultdict(list)
        for message in shown:
            if message.HasField("snapshot"):
                jobs[message.sequence].append(("a snapshot", message.snapshot.job))
            if message.HasField("end"):
                jobs[message.sequence].append(("an end", message.end.job))
        # An event shows its job as the transaction left it.
        for event in self._events.values():
            if event.HasField("job_change"):
                job = event.job_change.job
                jobs[job.last_sequence].append((f"event {event.sequence}", job))
        records: dict[str, FileRecord] = {}
        status: int | None = None
        for sequence in range(1, self._whole + 1):
            event = self._events[sequence]
            if event.HasField("record_change"):
                records[event.record_change.record.record_id] = event.record_change.record
            if event.HasField("job_change"):
                status = event.job_change.job.status
            if event.HasField("ingestion_job_change"):
                yield from _ingestion_job(sequence, event.ingestion_job_change.ingestion_job, records)
            for what, job in jobs[sequence]:
                yield from _job(f"{what} at {sequence}", job, records, status)

    def _inside(self, shown: Sequence[WatchJobResponse]) -> Iterator[str]:
        """Nobody may be told that the head is in the middle of a transaction."""
        told = {message.heartbeat.head_sequence or message.sequence for message in shown}
        for event in self._events.values():
            if event.HasField("job_change"):
                inside = told.intersection(range(event.sequence, event.job_change.job.last_sequence))
                yield from (f"the head at {head} is torn out of a transaction" for head in sorted(inside))

    def invented(self, truth: Mapping[int, TimelineEvent]) -> Iterator[str]:
        """Events that the ledger never held, or held otherwise."""
        for sequence, event in sorted(self._events.items()):
            if sequence not in truth:
                yield f"event {sequence} was invented"
            elif truth[sequence] != event:
                yield f"event {sequence} is not what the ledger holds"


def _live(records: Mapping[str, FileRecord], ingestion_job_id: str | None = None) -> Counts:
    return Counter(
        record.status
        for record in records.values()
        if not record.deleted and ingestion_job_id in (None, record.ingestion_job_id)
    )


def _job(what: str, job: Job, records: Mapping[str, FileRecord], status: int | None) -> Iterator[str]:
    told = {each.status: each.count for each in job.record_counts if each.count}
    if told != _live(records):
        yield f"{what} is torn: it counts {told}, the events up to it make {dict(_live(records))}"
    if status is not None and job.status != status:
        yield f"{what} is torn: it has the status {job.status}, the events up to it say {status}"


def _ingestion_job(sequence: int, run: IngestionJob, records: Mapping[str, FileRecord]) -> Iterator[str]:
    counted = _live(records, run.ingestion_job_id)
    told = (run.documents_total, run.documents_processed, run.documents_failed, run.documents_cancelled)
    made = (sum(counted.values()), counted[COMPLETED], counted[FAILED], counted[CANCELLED])
    if told != made:
        yield f"event {sequence} is torn: its ingestion job counts {told}, the events up to it make {made}"
