import grpc
import pytest

from ingest_grpc.client.errors import IngestCallError
from ingest_grpc.client.messages import GetServerInfoResponse
from ingest_grpc.client.operations import ingestion, jobs
from ingest_grpc.client.retry import ATTEMPT_SECONDS, Backoff, is_transient
from tests.unit.client.world import World, failure, script

INFO = GetServerInfoResponse(version="1")


def told(code: str, reason: str, **metadata: str) -> IngestCallError:
    """A refusal with the metadata that the server sends along."""
    return IngestCallError(grpc.StatusCode[code], "it failed", reason, metadata)


def test_backoff__doubles_up_to_its_maximum_and_starts_over() -> None:
    backoff = Backoff(initial=1.0, maximum=5.0, jitter=lambda: 0.0)
    assert [backoff.delay() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.delay() == 1.0


def test_backoff__jitter_shortens_by_up_to_half() -> None:
    assert Backoff(initial=1.0, jitter=lambda: 1.0).delay() == 0.5


def test_backoff__never_less_than_the_server_asked_for() -> None:
    backoff = Backoff(initial=1.0, jitter=lambda: 0.0)
    assert [backoff.delay(7.0), backoff.delay(0.0)] == [7.0, 2.0]


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (failure("UNAVAILABLE"), True),
        (failure("ABORTED"), True),
        (failure("DEADLINE_EXCEEDED"), True),
        (failure("CANCELLED"), True),
        (failure("RESOURCE_EXHAUSTED", "SERVER_BUSY", retry_after=1.0), True),
        (failure("RESOURCE_EXHAUSTED"), False),
        (failure("NOT_FOUND"), False),
        (failure("INTERNAL", "INTERNAL"), False),
        (failure("UNAUTHENTICATED"), False),
        (told("ABORTED", "ETAG_MISMATCH", retryable="false"), False),
        (told("ABORTED", "WATCHER_TOO_SLOW", retryable="true"), True),
        (told("ABORTED", "OF_AN_OLDER_SERVER"), True),
    ],
)
def test_is_transient(error: IngestCallError, transient: bool) -> None:
    assert is_transient(error) is transient


def test_call__repeats_until_it_succeeds() -> None:
    world = World(GetServerInfo=script(failure(), failure("UNAVAILABLE", "SERVER_DRAINING", retry_after=5.0), INFO))
    assert world.run(ingestion.server_info(world.session)) == INFO
    assert world.slept == [1.0, 5.0]


def test_call__raises_at_once_what_will_not_pass() -> None:
    world = World(GetServerInfo=script(failure("UNAUTHENTICATED")))
    with pytest.raises(IngestCallError):
        world.run(ingestion.server_info(world.session))
    assert world.slept == []


def test_call__stops_before_its_timeout_would_pass() -> None:
    def refuse(_request: object) -> None:
        raise failure()

    world = World(GetServerInfo=refuse)
    with pytest.raises(IngestCallError):
        world.run(ingestion.server_info(world.session))
    assert world.slept == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]
    assert world.timeouts[0] == ATTEMPT_SECONDS
    assert world.timeouts[-1] == 60.0 - sum(world.slept)


def test_call__a_mutation_is_repeated_under_the_same_request_id() -> None:
    world = World(CancelJob=script(failure("DEADLINE_EXCEEDED"), None))
    world.run(jobs.cancel_job(world.session, "dj-1"))
    assert [request.request_id for request in world.requests] == ["request-1", "request-1"]
    assert world.requests[0] is world.requests[1]


def test_call__two_mutations_have_two_request_ids() -> None:
    world = World(CancelJob=script(None, None))
    world.run(jobs.cancel_job(world.session, "dj-1"))
    world.run(jobs.cancel_job(world.session, "dj-1", request_id="mine"))
    assert [request.request_id for request in world.requests] == ["request-1", "mine"]
