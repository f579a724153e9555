from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.client.messages import (
    FileRecord,
    FilesChange,
    IngestionJob,
    IngestionJobChange,
    Job,
    JobChange,
    JobFile,
    JobStatus,
    MilestoneDetail,
    RecordProgress,
    RecordStatus,
    TimelineEvent,
    WatchJobResponse,
    WatchProgress,
    WatchRecords,
)
from ingest_grpc.client.state import JobState
from tests.unit.client.messages import end, event, heartbeat, record, records, snapshot, synced


def folded(*messages: WatchJobResponse) -> JobState:
    state = JobState()
    for message in messages:
        state.apply(message)
    return state


def change(sequence: int, **fields: object) -> WatchJobResponse:
    return WatchJobResponse(sequence=sequence, event=TimelineEvent(sequence=sequence, **fields))  # type: ignore[arg-type]


def moved(*record_ids: str) -> WatchJobResponse:
    return WatchJobResponse(progress=WatchProgress(records=[RecordProgress(record_id=each) for each in record_ids]))


def test_state__snapshot_and_events() -> None:
    queued, running = record("a", "QUEUED", 2), record("a", "RUNNING", 4)
    state = folded(snapshot(3), records(3, [queued, record("b", "COMPLETED", 3)]))
    incomplete = state.synced
    state.apply(synced(3))
    state.apply(event(4, running))
    assert (incomplete, state.synced) == (False, True)
    assert state.records == {"a": running, "b": record("b", "COMPLETED", 3)}
    assert (state.sequence, state.ledger_id) == (4, "ledger-1")


def test_state__an_event_older_than_the_record_changes_nothing() -> None:
    done = record("a", "COMPLETED", 5)
    state = folded(snapshot(3), records(3, [done]), synced(3), event(4, record("a", "RUNNING", 4)))
    assert state.records == {"a": done}
    assert state.sequence == 4


def test_state__a_snapshot_starts_over() -> None:
    first = folded(snapshot(3), records(3, [record("a", "QUEUED", 2)]), moved("a"), synced(3))
    first.apply(snapshot(1, ledger_id="ledger-2"))
    assert (first.records, first.progress, first.sequence, first.synced) == ({}, {}, 1, False)
    assert first.ledger_id == "ledger-2"


def test_counts__every_status_and_only_live_records() -> None:
    state = folded(
        records(3, [record("a", "FAILED", 1), record("b", "FAILED", 2), record("c", "QUEUED", 3, deleted=True)])
    )
    assert state.counts == {
        RecordStatus.RECORD_STATUS_QUEUED: 0,
        RecordStatus.RECORD_STATUS_RUNNING: 0,
        RecordStatus.RECORD_STATUS_COMPLETED: 0,
        RecordStatus.RECORD_STATUS_FAILED: 2,
        RecordStatus.RECORD_STATUS_CANCELLED: 0,
    }
    assert [each.record_id for each in state.live_records] == ["a", "b"]


def test_state__progress_goes_when_the_status_changes() -> None:
    state = folded(records(1, [record("a", "QUEUED", 1), record("b", "QUEUED", 1)]), moved("a", "b"))
    assert set(state.progress) == {"a", "b"}
    state.apply(event(2, record("a", "RUNNING", 2)))
    assert set(state.progress) == {"b"}
    state.apply(event(3, record("b", "QUEUED", 3, deleted=True)))
    assert state.progress == {}


def test_state__the_job_follows_its_own_events() -> None:
    ready = Job(job_id="dj-1", status=JobStatus.JOB_STATUS_READY_TO_START, last_sequence=4)
    state = folded(snapshot(3), synced(3), change(4, job_change=JobChange(job=ready)))
    assert state.job == ready
    state.apply(end(6))
    assert state.job == end(6).end.job
    assert state.end == end(6).end
    # The job of `end` may be newer than an event that was still on its way.
    state.apply(change(5, job_change=JobChange(job=ready)))
    assert state.job == end(6).end.job


def test_state__ingestion_jobs_follow_the_rule_of_sequences() -> None:
    newer, older = (IngestionJob(ingestion_job_id="ij-1", pages=pages, last_sequence=pages) for pages in (9, 4))
    page = WatchJobResponse(records=WatchRecords(ingestion_jobs=[newer]))
    state = folded(page, change(4, ingestion_job_change=IngestionJobChange(ingestion_job=older)))
    assert state.ingestion_jobs == {"ij-1": newer}
    newest = IngestionJob(ingestion_job_id="ij-1", pages=10, last_sequence=10)
    state.apply(change(10, ingestion_job_change=IngestionJobChange(ingestion_job=newest)))
    assert state.ingestion_jobs == {"ij-1": newest}


def test_state__markdown_comes_and_goes() -> None:
    first, second = JobFile(file_id="file-1"), JobFile(file_id="file-2")
    state = folded(
        WatchJobResponse(records=WatchRecords(files=[first])),
        change(4, files_change=FilesChange(added=[second], removed=[first])),
    )
    assert state.files == {"file-2": second}


def test_state__says_that_an_event_left_files_out_until_a_snapshot_starts_over() -> None:
    cut = change(4, files_change=FilesChange(added=[JobFile(file_id="file-1")], truncated=True))
    state = folded(cut, change(5, files_change=FilesChange(added=[JobFile(file_id="file-2")])))
    assert (list(state.files), state.files_truncated) == (["file-1", "file-2"], True)
    state.apply(snapshot(5))
    assert not state.files_truncated


def test_state__milestones_are_kept_in_order() -> None:
    state = folded(*(change(n, milestone=MilestoneDetail(record_count=n)) for n in (2, 5)))
    assert [each.sequence for each in state.milestones] == [2, 5]


def test_state__heartbeats_and_unknown_messages_change_nothing_but_the_position() -> None:
    state = folded(heartbeat(7, ledger_id="ledger-3"), WatchJobResponse(sequence=8))
    assert (state.sequence, state.ledger_id, state.records) == (8, "ledger-3", {})


@st.composite
def histories(draw: st.DrawFn) -> list[FileRecord]:
    """What became of up to four records, one change per sequence: sequence = index + 1."""
    ids = draw(st.lists(st.sampled_from("abcd"), max_size=20))
    statuses = st.sampled_from(["QUEUED", "RUNNING", "COMPLETED", "FAILED"])
    return [record(each, draw(statuses), n, deleted=draw(st.booleans())) for n, each in enumerate(ids, start=1)]


@given(histories(), st.data())
def test_state__a_snapshot_read_while_the_log_grew_comes_to_the_same_as_all_events(
    history: list[FileRecord], data: st.DataObject
) -> None:
    everything = folded(*(event(change.last_sequence, change) for change in history))
    # The job is read at one sequence, each record a moment later, when more may have happened to it.
    at = data.draw(st.integers(0, len(history)))
    read: dict[str, FileRecord] = {}
    for record_id in "abcd":
        upto = data.draw(st.integers(at, len(history)))
        seen = [change for change in history[:upto] if change.record_id == record_id]
        if seen:
            read[record_id] = seen[-1]
    later = (event(change.last_sequence, change) for change in history[at:])
    assert folded(snapshot(at), records(at, read.values()), synced(at), *later).records == everything.records
