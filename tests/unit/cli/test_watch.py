"""The lines of `watch`."""

import json

import grpc

from ingest_grpc.cli.watch import Outages, WatchPrinter
from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.messages import (
    EventKind,
    Job,
    JobStatus,
    RecordStatus,
    RecordStatusCount,
    TimelineEvent,
    WatchEnd,
    WatchHeartbeat,
    WatchJobResponse,
    WatchSnapshot,
    WatchSynced,
)
from tests.unit.cli.jobs import at, changed, completed, progress, queued, snapshot
from tests.unit.cli.test_output import Streams

JOB = Job(
    name="reports",
    status=JobStatus.JOB_STATUS_FILE_PROCESSING,
    record_counts=[
        RecordStatusCount(status=RecordStatus.RECORD_STATUS_QUEUED, count=3),
        RecordStatusCount(status=RecordStatus.RECORD_STATUS_FAILED, count=0),
    ],
    markdown_files=1,
)


def printed(*messages: WatchJobResponse) -> list[str]:
    streams = Streams(terminal=False)
    printer = WatchPrinter(streams.output)
    for message in messages:
        printer.show(message)
    return streams.out.splitlines()


def test_watch__an_event_is_time_sequence_title_message() -> None:
    event = TimelineEvent(
        sequence=17,
        timestamp=at(0.5),
        kind=EventKind.EVENT_KIND_MILESTONE,
        title="File Processing Started",
        message="Started processing files.",
    )
    (line,) = printed(WatchJobResponse(sequence=17, event=event))
    time, rest = line.split(maxsplit=1)
    assert time.endswith(":20.500")
    assert rest == "17  File Processing Started   Started processing files."


def test_watch__knows_where_to_go_on() -> None:
    printer = WatchPrinter(Streams(terminal=False).output)
    assert printer.sequence == 0
    for message in (*snapshot(queued("a.pdf")), changed(completed("a.pdf"), 7), progress("a.pdf", done=3)):
        printer.show(message)
    assert printer.sequence == 7


def test_watch__a_snapshot_and_the_end_sum_up_the_job() -> None:
    lines = printed(
        WatchJobResponse(sequence=4, snapshot=WatchSnapshot(job=JOB)),
        WatchJobResponse(sequence=4, synced=WatchSynced()),
        WatchJobResponse(sequence=4, heartbeat=WatchHeartbeat()),
        WatchJobResponse(sequence=9, end=WatchEnd(job=JOB)),
    )
    assert lines == [
        "job reports at event 4: FILE_PROCESSING, 4 files: 3 queued, 1 Markdown",
        "job reports at event 9: FILE_PROCESSING, 4 files: 3 queued, 1 Markdown",
    ]


def test_watch__progress_names_the_file_that_moved() -> None:
    known = snapshot(queued("a.pdf"))[1]
    assert [line.strip() for line in printed(known, progress("a.pdf", position=3))] == [
        f"{'Progress':<25} a.pdf: position 3"
    ]
    lines = printed(changed(completed("b.pdf"), 3), progress("b.pdf", done=2, total=0))
    assert lines[-1].strip() == f"{'Progress':<25} b.pdf: parse 2 pages"


def test_watch__json_is_every_message_as_it_came() -> None:
    streams = Streams(terminal=False, as_json=True)
    printer = WatchPrinter(streams.output)
    printer.show(WatchJobResponse(sequence=4, synced=WatchSynced()))
    printer.show(WatchJobResponse(sequence=5, heartbeat=WatchHeartbeat(head_sequence=5)))
    lines = [json.loads(line) for line in streams.out.splitlines()]
    assert lines == [{"sequence": "4", "synced": {}}, {"sequence": "5", "heartbeat": {"head_sequence": "5"}}]


def test_outages__are_told_once_and_when_they_end() -> None:
    streams = Streams(terminal=False)
    outages = Outages(streams.output)
    outages.over()
    for _ in range(3):
        outages.lost(IngestCallError(grpc.StatusCode.UNAVAILABLE, "failed to connect to all addresses"), 0.1)
    outages.over()
    outages.over()
    outages.lost(IngestCallError(grpc.StatusCode.UNAVAILABLE, "The server is shutting down.", "SERVER_DRAINING"), 0.1)
    assert streams.err.splitlines() == [
        "The connection is lost. Waiting for the server, to go on where it stopped.",
        "Connected again.",
        "The server is shutting down. Waiting for the server, to go on where it stopped.",
    ]


def test_outages__a_rotated_stream_is_none() -> None:
    streams = Streams(terminal=False)
    Outages(streams.output).lost(IngestCallError(grpc.StatusCode.UNAVAILABLE, "rotated", "STREAM_ROTATED"), 0)
    assert streams.err == ""
