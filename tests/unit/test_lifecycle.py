import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.lifecycle import (
    IN_FLIGHT,
    NOTHING,
    TERMINAL_JOB_STATUSES,
    TRANSITIONS,
    IngestionJobStatus,
    JobFacts,
    JobStatus,
    JobType,
    RecordStatus,
    Tally,
    TransitionRefused,
    Trigger,
    contribution,
    ingestion_job_status,
    job_status,
    next_status,
)

PRODUCT_TABLE = """
    (new)     ADDED             QUEUED
    (new)     REUSED            COMPLETED
    QUEUED    CLAIMED           RUNNING
    QUEUED    CANCELLED         CANCELLED
    RUNNING   CANCELLED         CANCELLED
    RUNNING   SUCCEEDED         COMPLETED
    RUNNING   FAILED            FAILED
    RUNNING   FAILED_RETRYABLE  QUEUED
    RUNNING   ORPHANED          QUEUED
    FAILED    RETRIED           QUEUED
    CANCELLED RETRIED           QUEUED
"""
"""The record's table as the product states it, written down a second time on purpose."""

EXPECTED = {
    (None if before == "(new)" else RecordStatus(before), Trigger(trigger)): RecordStatus(after)
    for before, trigger, after in (line.split() for line in PRODUCT_TABLE.strip().splitlines())
}
PAIRS = list(itertools.product([None, *RecordStatus], Trigger))
REFUSED = [pair for pair in PAIRS if pair not in EXPECTED]


def test_transitions__are_those_of_the_product() -> None:
    assert dict(TRANSITIONS) == EXPECTED


@pytest.mark.parametrize(("status", "trigger"), EXPECTED)
def test_next_status__of_a_pair_in_the_table(status: RecordStatus | None, trigger: Trigger) -> None:
    assert next_status(status, trigger) is EXPECTED[status, trigger]


@pytest.mark.parametrize(("status", "trigger"), REFUSED)
def test_next_status__refuses_a_pair_that_is_not_in_the_table(status: RecordStatus | None, trigger: Trigger) -> None:
    with pytest.raises(TransitionRefused, match=trigger):
        next_status(status, trigger)


def test_final_status__has_no_way_out() -> None:
    left = {status for status, _ in EXPECTED if status is not None}
    assert set(RecordStatus) - left == {RecordStatus.COMPLETED}


def test_ended_statuses__are_left_only_by_a_caller_who_retries() -> None:
    assert {trigger for status, trigger in EXPECTED if status and status not in IN_FLIGHT} == {Trigger.RETRIED}


# ── roll-ups ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("tally", "claimed", "expected"),
    [
        (Tally(queued=2), False, IngestionJobStatus.QUEUED),
        (Tally(queued=2), True, IngestionJobStatus.RUNNING),  # all orphaned or in back-off: it once began
        (Tally(running=1), True, IngestionJobStatus.RUNNING),
        (Tally(queued=1, completed=1), True, IngestionJobStatus.RUNNING),
        (Tally(queued=1, cancelled=1, unresolved=1), False, IngestionJobStatus.QUEUED),
        (Tally(running=1, failed=1, unresolved=1), True, IngestionJobStatus.RUNNING),
        (Tally(completed=3), True, IngestionJobStatus.COMPLETED),
        (Tally(completed=2, failed=1), True, IngestionJobStatus.PARTIALLY_COMPLETED),
        (Tally(completed=2, cancelled=1), True, IngestionJobStatus.PARTIALLY_COMPLETED),
        (Tally(completed=1, failed=1, cancelled=1), True, IngestionJobStatus.PARTIALLY_COMPLETED),
        (Tally(failed=1), True, IngestionJobStatus.FAILED),
        (Tally(failed=1, cancelled=1), True, IngestionJobStatus.FAILED),
        (Tally(cancelled=2), False, IngestionJobStatus.CANCELLED),
        (Tally(cancelled=2), True, IngestionJobStatus.CANCELLED),
        (NOTHING, True, IngestionJobStatus.CANCELLED),
        (NOTHING, False, IngestionJobStatus.CANCELLED),
    ],
)
def test_ingestion_job_status(tally: Tally, claimed: bool, expected: IngestionJobStatus) -> None:
    assert ingestion_job_status(tally, ever_claimed=claimed) is expected


QUEUED, RUNNING, COMPLETED, FAILED, CANCELLED = RecordStatus
GROUNDED, PRINCIPLES = JobType.CONTEXT_GROUNDED_FILES, JobType.PRINCIPLE_FILES


@pytest.mark.parametrize(
    ("facts", "expected", "reviews"),
    [
        (JobFacts(GROUNDED), JobStatus.NEEDS_REVIEW, 1),
        (JobFacts(PRINCIPLES), JobStatus.NEEDS_REVIEW, 2),
        (JobFacts(GROUNDED, Tally(queued=1)), JobStatus.FILE_PROCESSING, 1),
        (JobFacts(GROUNDED, Tally(running=1, failed=1, unresolved=1)), JobStatus.FILE_PROCESSING, 2),
        (JobFacts(GROUNDED, Tally(running=1), cancelled=True), JobStatus.FILE_PROCESSING, 1),
        (JobFacts(GROUNDED, Tally(completed=1)), JobStatus.READY_TO_START, 0),
        (JobFacts(GROUNDED, Tally(completed=1), cancelled=True), JobStatus.CANCELLED, 0),
        (JobFacts(GROUNDED, cancelled=True), JobStatus.CANCELLED, 1),
        (JobFacts(GROUNDED, Tally(completed=1, failed=1, unresolved=1)), JobStatus.NEEDS_REVIEW, 1),
        (JobFacts(GROUNDED, Tally(completed=1, cancelled=1, unresolved=1)), JobStatus.NEEDS_REVIEW, 1),
        (JobFacts(GROUNDED, Tally(completed=1, failed=1)), JobStatus.READY_TO_START, 0),  # superseded
        (JobFacts(GROUNDED, Tally(failed=1)), JobStatus.NEEDS_REVIEW, 1),  # superseded by what was removed
        (JobFacts(GROUNDED, markdown_files=1), JobStatus.READY_TO_START, 0),
        (JobFacts(GROUNDED, Tally(failed=1, unresolved=1), markdown_files=1), JobStatus.NEEDS_REVIEW, 1),
        (JobFacts(PRINCIPLES, Tally(completed=1)), JobStatus.NEEDS_REVIEW, 1),
        (JobFacts(PRINCIPLES, Tally(completed=1), has_system_prompt=True), JobStatus.READY_TO_START, 0),
        (JobFacts(PRINCIPLES, markdown_files=1, has_system_prompt=True), JobStatus.READY_TO_START, 0),
        (JobFacts(PRINCIPLES, has_system_prompt=True), JobStatus.NEEDS_REVIEW, 1),
        # Started: only the alignment counts, whatever the files and the last command say.
        (JobFacts(GROUNDED, Tally(completed=1), alignment=QUEUED), JobStatus.QUEUED, 0),
        (JobFacts(GROUNDED, Tally(completed=1), alignment=RUNNING), JobStatus.RUNNING, 0),
        (JobFacts(GROUNDED, Tally(completed=1), alignment=COMPLETED), JobStatus.COMPLETED, 0),
        (JobFacts(GROUNDED, Tally(completed=1), alignment=FAILED), JobStatus.FAILED, 0),
        (JobFacts(GROUNDED, Tally(completed=1), alignment=CANCELLED), JobStatus.CANCELLED, 0),
        (JobFacts(GROUNDED, Tally(completed=1), cancelled=True, alignment=CANCELLED), JobStatus.CANCELLED, 0),
        (JobFacts(GROUNDED, Tally(completed=1), cancelled=True, alignment=COMPLETED), JobStatus.COMPLETED, 0),
        (JobFacts(GROUNDED, Tally(failed=1, unresolved=1), alignment=FAILED), JobStatus.FAILED, 0),
        (JobFacts(PRINCIPLES, alignment=RUNNING), JobStatus.RUNNING, 0),  # its prompt was cleared since
        (JobFacts(GROUNDED, Tally(running=1), alignment=COMPLETED), JobStatus.COMPLETED, 0),
        # Of a knowledge base: while files are still added, it is not done with those that it has.
        (JobFacts(JobType.KNOWLEDGE_BASE), JobStatus.FILE_PROCESSING, 0),
        (JobFacts(JobType.KNOWLEDGE_BASE, Tally(completed=1)), JobStatus.FILE_PROCESSING, 0),
        (JobFacts(JobType.KNOWLEDGE_BASE, ever_active=True), JobStatus.COMPLETED, 0),
        (JobFacts(JobType.KNOWLEDGE_BASE, Tally(failed=1), ever_active=True), JobStatus.FAILED, 0),
        (JobFacts(JobType.KNOWLEDGE_BASE, ever_active=True, cancelled=True), JobStatus.CANCELLED, 0),
    ],
)
def test_job_status(facts: JobFacts, expected: JobStatus, reviews: int) -> None:
    assert job_status(facts) is expected
    assert facts.reviews == reviews


@pytest.mark.parametrize(
    ("facts", "settled"),
    [
        (JobFacts(GROUNDED), False),
        (JobFacts(GROUNDED, cancelled=True), False),  # nothing ever happened
        (JobFacts(GROUNDED, Tally(queued=1), ever_active=True), False),
        (JobFacts(GROUNDED, Tally(running=1), ever_active=True), False),
        (JobFacts(GROUNDED, Tally(completed=1), ever_active=True), True),
        (JobFacts(GROUNDED, Tally(failed=1, unresolved=1), ever_active=True), True),
        (JobFacts(GROUNDED, ever_active=True), True),  # all removed again
        (JobFacts(GROUNDED, Tally(completed=1), ever_active=True, alignment=QUEUED), False),
        (JobFacts(GROUNDED, Tally(completed=1), ever_active=True, alignment=RUNNING), False),
        (JobFacts(GROUNDED, Tally(completed=1), ever_active=True, alignment=COMPLETED), True),
        (JobFacts(GROUNDED, Tally(completed=1), ever_active=True, alignment=FAILED), True),
        (JobFacts(GROUNDED, Tally(completed=1), ever_active=True, alignment=CANCELLED), True),
        (JobFacts(JobType.KNOWLEDGE_BASE, Tally(completed=1)), False),  # its sync still adds files
        (JobFacts(JobType.KNOWLEDGE_BASE, ever_active=True), True),
    ],
)
def test_settled(facts: JobFacts, settled: bool) -> None:
    assert facts.settled is settled


@pytest.mark.parametrize(
    ("alignment", "frozen"),
    [(None, False), (QUEUED, True), (RUNNING, True), (COMPLETED, True), (FAILED, False), (CANCELLED, False)],
)
def test_files_frozen(alignment: RecordStatus | None, frozen: bool) -> None:
    assert JobFacts(GROUNDED, Tally(completed=1), alignment=alignment).files_frozen is frozen


def test_terminal_job_statuses() -> None:
    assert {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED} == TERMINAL_JOB_STATUSES


# ── the algebra of counts ──────────────────────────────────────────────────────────────────────────────────

Record = tuple[RecordStatus, bool, bool]
records = st.tuples(st.sampled_from(RecordStatus), st.booleans(), st.booleans())
counts = st.integers(-1_000, 1_000)
tallies = st.builds(Tally, counts, counts, counts, counts, counts, counts)


def _of(record: Record) -> Tally:
    status, deleted, superseded = record
    return contribution(status, deleted=deleted, superseded=superseded)


def _sum(many: list[Record]) -> Tally:
    total = NOTHING
    for record in many:
        total = total.plus(_of(record))
    return total


@given(st.lists(records))
def test_tally__is_the_count_of_live_records(many: list[Record]) -> None:
    live = [(status, superseded) for status, deleted, superseded in many if not deleted]
    count = Counter(status for status, _ in live)
    tally = _sum(many)

    assert {status: tally.of(status) for status in RecordStatus} == {status: count[status] for status in RecordStatus}
    ended_badly = (RecordStatus.FAILED, RecordStatus.CANCELLED)
    assert tally.unresolved == sum(status in ended_badly and not superseded for status, superseded in live)
    assert tally.total == len(live)
    assert tally.in_flight == sum(status in IN_FLIGHT for status, _ in live)


@given(st.lists(records, min_size=1), records, st.data())
def test_tally__kept_by_differences_equals_the_recount(
    many: list[Record], changed: Record, data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(many) - 1))
    kept = _sum(many).plus(_of(changed).plus(_of(many[index]), sign=-1))
    many[index] = changed

    assert kept == _sum(many)


@given(tallies, tallies, tallies)
def test_plus__is_a_group(one: Tally, two: Tally, three: Tally) -> None:
    assert one.plus(NOTHING) == one
    assert one.plus(two) == two.plus(one)
    assert one.plus(two).plus(three) == one.plus(two.plus(three))
    assert one.plus(two).plus(two, sign=-1) == one
