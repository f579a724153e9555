"""The lines of `jobs watch`."""

import json

from ingest_grpc.cli.watch_jobs import JobsPrinter
from ingest_grpc.client.messages import (
    EventKind,
    Job,
    JobStatus,
    TimelineEvent,
    WatchJobsHeartbeat,
    WatchJobsRemoved,
    WatchJobsResponse,
    WatchJobsSnapshot,
    WatchSynced,
)
from tests.unit.cli.jobs import at
from tests.unit.cli.test_output import Streams

JOB = Job(job_id="dj-1", name="reports", status=JobStatus.JOB_STATUS_READY_TO_START, markdown_files=2)
SNAPSHOT = (
    WatchJobsResponse(snapshot=WatchJobsSnapshot()),
    WatchJobsResponse(job=JOB),
    WatchJobsResponse(synced=WatchSynced()),
)


def shown(*messages: WatchJobsResponse, as_json: bool = False) -> Streams:
    streams = Streams(terminal=False, as_json=as_json)
    printer = JobsPrinter(streams.output)
    for message in messages:
        printer.show(message)
    return streams


def test_jobs_watch__knows_where_to_go_on() -> None:
    printer = JobsPrinter(Streams(terminal=False).output)
    for message in (WatchJobsResponse(job=JOB, resume_token="t-1"), WatchJobsResponse(job=JOB)):
        printer.show(message)
    assert printer.resume_token == "t-1"


def test_jobs_watch__shows_each_job_once_and_how_many_there_are() -> None:
    streams = shown(*SNAPSHOT, WatchJobsResponse(job=JOB), WatchJobsResponse(heartbeat=WatchJobsHeartbeat()))
    assert streams.out.splitlines() == ["dj-1  READY_TO_START  reports, 2 files: 2 Markdown"]
    assert streams.err.splitlines() == ["1 job so far."]


def test_jobs_watch__an_event_names_its_job() -> None:
    event = TimelineEvent(
        job_id="dj-1",
        sequence=9,
        timestamp=at(0.5),
        kind=EventKind.EVENT_KIND_JOB,
        title="Job Changed",
        message="The job is cancelled.",
    )
    line = shown(*SNAPSHOT, WatchJobsResponse(event=event)).out.splitlines()[-1]
    time, rest = line.split(maxsplit=1)
    assert time.endswith(":20.500")
    assert rest == "reports  Job Changed  The job is cancelled."


def test_jobs_watch__says_why_a_job_went() -> None:
    def gone(*, deleted: bool) -> str:
        removed = WatchJobsRemoved(job_id="dj-1", sequence=9, deleted=deleted)
        return shown(*SNAPSHOT, WatchJobsResponse(job_removed=removed)).out.splitlines()[-1].strip()

    assert gone(deleted=True) == "reports was deleted"
    assert gone(deleted=False) == "reports no longer has the labels"


def test_jobs_watch__json_is_every_message_as_it_came() -> None:
    lines = [json.loads(line) for line in shown(*SNAPSHOT, as_json=True).out.splitlines()]
    assert [next(iter(line)) for line in lines] == ["snapshot", "job", "synced"]
