import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from ingest_grpc.client.messages import (
    CloneJobRequest,
    CloneJobResponse,
    DeleteJobRequest,
    DeleteJobResponse,
    Job,
    RecordIds,
    RetryFilesRequest,
    RetryFilesResponse,
    StartJobRequest,
    StartJobResponse,
    UndeleteJobRequest,
    UndeleteJobResponse,
    UnresolvedRecords,
    UpdateJobRequest,
    UpdateJobResponse,
)
from ingest_grpc.client.operations import job_changes
from tests.unit.client.world import World, failure, script

JOB = Job(job_id="dj-1")


def test_retry_files__those_named_or_all() -> None:
    answer = RetryFilesResponse(records_retried=2)
    world = World(RetryFiles=script(answer, answer))
    assert world.run(job_changes.retry_files(world.session, "dj-1", ["ijf-1", "ijf-2"])) == answer
    world.run(job_changes.retry_files(world.session, "dj-1", all_unresolved=True))
    assert world.requests == [
        RetryFilesRequest(job_id="dj-1", records=RecordIds(record_ids=["ijf-1", "ijf-2"]), request_id="request-1"),
        RetryFilesRequest(job_id="dj-1", all_unresolved=UnresolvedRecords(), request_id="request-2"),
    ]


@pytest.mark.parametrize(("records", "every"), [([], False), (["ijf-1"], True)])
def test_retry_files__neither_nor_both(records: list[str], every: bool) -> None:
    world = World()
    with pytest.raises(ValueError, match="either record_ids or all_unresolved"):
        world.run(job_changes.retry_files(world.session, "dj-1", records, all_unresolved=every))
    assert world.requests == []


def test_update_job__changes_what_is_given_and_clears_what_is_empty() -> None:
    world = World(UpdateJob=script(UpdateJobResponse(job=JOB)))
    updated = world.run(job_changes.update_job(world.session, "dj-1", name="New", description="", labels={}, etag="e1"))
    assert updated == JOB
    assert world.requests == [
        UpdateJobRequest(
            job_id="dj-1",
            update_mask=FieldMask(paths=["name", "description", "labels"]),
            name="New",
            description="",
            etag="e1",
            request_id="request-1",
        )
    ]
    assert not world.requests[0].HasField("system_prompt")


def test_update_job__prompts_and_labels() -> None:
    world = World(UpdateJob=script(UpdateJobResponse()))
    change = job_changes.update_job(
        world.session, "dj-1", system_prompt="Be brief.", instructions="Ask.", labels={"a": "b"}
    )
    world.run(change)
    (request,) = world.requests
    assert list(request.update_mask.paths) == ["system_prompt", "instructions", "labels"]
    assert (request.system_prompt, request.instructions, dict(request.labels)) == ("Be brief.", "Ask.", {"a": "b"})


def test_delete_undelete_clone__return_the_job() -> None:
    world = World(
        DeleteJob=script(DeleteJobResponse(job=JOB)),
        UndeleteJob=script(UndeleteJobResponse(job=JOB)),
        CloneJob=script(CloneJobResponse(job=JOB)),
    )
    assert world.run(job_changes.delete_job(world.session, "dj-1", etag="e1")) == JOB
    assert world.run(job_changes.undelete_job(world.session, "dj-1")) == JOB
    assert world.run(job_changes.clone_job(world.session, "dj-1", name="Copy", external_id="x")) == JOB
    assert world.requests == [
        DeleteJobRequest(job_id="dj-1", etag="e1", request_id="request-1"),
        UndeleteJobRequest(job_id="dj-1", request_id="request-2"),
        CloneJobRequest(job_id="dj-1", name="Copy", external_id="x", request_id="request-3"),
    ]


def test_start_job__what_was_reviewed() -> None:
    world = World(StartJob=script(StartJobResponse(job=JOB)))
    assert world.run(job_changes.start_job(world.session, "dj-1", expected_files_etag="f1")) == JOB
    assert world.requests == [StartJobRequest(job_id="dj-1", expected_files_etag="f1", request_id="request-1")]


def test_delete_job__is_repeated_under_the_same_request_id() -> None:
    world = World(DeleteJob=script(failure(), DeleteJobResponse(job=JOB)))
    world.run(job_changes.delete_job(world.session, "dj-1"))
    assert [each.request_id for each in world.requests] == ["request-1", "request-1"]
