"""A job as a watcher knows it: the messages of a watch, folded into the present."""

from collections import Counter

from ingest_grpc.client.messages import (
    FileRecord,
    IngestionJob,
    Job,
    JobFile,
    RecordProgress,
    RecordStatus,
    TimelineEvent,
    WatchEnd,
    WatchJobResponse,
    WatchRecords,
    WatchSnapshot,
)

_IN_FLIGHT = frozenset({RecordStatus.RECORD_STATUS_QUEUED, RecordStatus.RECORD_STATUS_RUNNING})


class JobState:
    """Everything known of a job after the messages applied so far.

    Works from a snapshot, and also from the events alone (after_sequence=0). A snapshot starts over. What a
    snapshot brings may already be newer than the events that follow it, so an event counts only if its
    sequence is greater than that of what it changes.

        state = JobState()
        async for message in client.watch(job_id):
            state.apply(message)
            print(state.counts)

    `job` is in the BASIC view and None until one was seen; `records` (removed ones included) and
    `ingestion_jobs` are by id, `files` holds Markdown that needed no ingestion by file id, `progress` the
    latest progress of records in flight. `synced` says that the first snapshot is complete, which stood at
    `snapshot_sequence`. `files_truncated` says that an event left some of `files` out, which happens only to a
    clone that an earlier version made: ListJobFiles (`client.list_job_files`) has them all.
    """

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.job: Job | None = None
        self.records: dict[str, FileRecord] = {}
        self.ingestion_jobs: dict[str, IngestionJob] = {}
        self.files: dict[str, JobFile] = {}
        self.files_truncated = False
        self.progress: dict[str, RecordProgress] = {}
        self.milestones: list[TimelineEvent] = []
        self.sequence = 0
        self.snapshot_sequence = 0
        self.ledger_id = ""
        self.synced = False
        self.end: WatchEnd | None = None

    @property
    def live_records(self) -> list[FileRecord]:
        """Records that were not removed, in the order in which they were first seen."""
        return [record for record in self.records.values() if not record.deleted]

    @property
    def counts(self) -> dict[RecordStatus.ValueType, int]:
        """Live records per status, every status present."""
        counted = Counter(record.status for record in self.live_records)
        return {status: counted[status] for status in RecordStatus.values() if status}

    def apply(self, message: WatchJobResponse) -> None:
        """Take in the next message of a watch."""
        match message.WhichOneof("message"):
            case "snapshot":
                self._start_over(message.snapshot)
            case "records":
                self._take_records(message.records)
            case "synced":
                self.synced, self.snapshot_sequence = True, message.sequence
            case "event":
                self._apply_event(message.event)
            case "progress":
                self.progress.update((each.record_id, each) for each in message.progress.records)
            case "heartbeat":
                self.ledger_id = message.heartbeat.ledger_id
            case "end":
                self.end = message.end
                self.job = message.end.job
            case _:
                pass
        self.sequence = max(self.sequence, message.sequence)

    def _start_over(self, snapshot: WatchSnapshot) -> None:
        self._clear()
        self.job = snapshot.job
        self.ledger_id = snapshot.ledger_id

    def _take_records(self, page: WatchRecords) -> None:
        self.records.update((record.record_id, record) for record in page.records)
        self.ingestion_jobs.update((each.ingestion_job_id, each) for each in page.ingestion_jobs)
        self.files.update((file.file_id, file) for file in page.files)

    def _apply_event(self, event: TimelineEvent) -> None:
        match event.WhichOneof("change"):
            case "record_change":
                self._change_record(event.record_change.record, event.sequence)
            case "ingestion_job_change":
                self._change_ingestion_job(event.ingestion_job_change.ingestion_job, event.sequence)
            case "job_change":
                if self.job is None or event.sequence > self.job.last_sequence:
                    self.job = event.job_change.job
            case "files_change":
                self.files.update((file.file_id, file) for file in event.files_change.added)
                for file in event.files_change.removed:
                    self.files.pop(file.file_id, None)
                self.files_truncated |= event.files_change.truncated
            case "milestone":
                self.milestones.append(event)
            case _:  # "Created" changes nothing by itself; neither does what this client does not know.
                pass

    def _change_record(self, record: FileRecord, sequence: int) -> None:
        known = self.records.get(record.record_id)
        if known is not None and sequence <= known.last_sequence:
            return
        self.records[record.record_id] = record
        # Steps and positions belong to the status that they were measured in.
        if known is None or known.status != record.status or record.status not in _IN_FLIGHT or record.deleted:
            self.progress.pop(record.record_id, None)

    def _change_ingestion_job(self, ingestion_job: IngestionJob, sequence: int) -> None:
        known = self.ingestion_jobs.get(ingestion_job.ingestion_job_id)
        if known is None or sequence > known.last_sequence:
            self.ingestion_jobs[ingestion_job.ingestion_job_id] = ingestion_job
