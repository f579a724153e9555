from collections.abc import Callable

from ingest_grpc.client.messages import Job, WaitJobRequest, WaitJobResponse, WaitUntil
from ingest_grpc.client.operations.waiting import CALL_SECONDS, wait_job
from ingest_grpc.client.retry import ATTEMPT_SECONDS
from tests.unit.client.world import World

Answer = tuple[float, bool]
"""(seconds after which the server answers, whether the time ran out)"""


def server(world: World, *answers: Answer, asked: list[WaitJobRequest]) -> Callable[[WaitJobRequest], WaitJobResponse]:
    """Answers like a server, whose job has sequence 7 at the first call and one more at each later one."""
    remaining = iter(answers)

    def answer(request: WaitJobRequest) -> WaitJobResponse:
        asked.append(WaitJobRequest.FromString(request.SerializeToString()))
        seconds, timed_out = next(remaining)
        world.now += seconds
        return WaitJobResponse(job=Job(last_sequence=6 + len(asked)), timed_out=timed_out)

    return answer


def waiting(*answers: Answer) -> tuple[World, list[WaitJobRequest]]:
    world, asked = World(), list[WaitJobRequest]()
    world.handlers["WaitJob"] = server(world, *answers, asked=asked)
    return world, asked


def test_wait_job__one_call_when_it_happens_at_once() -> None:
    world, asked = waiting((1, False))
    response = world.run(wait_job(world.session, "dj-1", timeout=10))
    assert (response.job.last_sequence, response.timed_out) == (7, False)
    assert [(each.until, each.timeout.seconds) for each in asked] == [(WaitUntil.WAIT_UNTIL_SETTLED, 10)]
    assert not asked[0].HasField("after_sequence")


def test_wait_job__as_many_calls_as_it_takes_none_longer_than_an_attempt() -> None:
    world, asked = waiting((CALL_SECONDS, True), (CALL_SECONDS, True), (3, False))
    assert not world.run(wait_job(world.session, "dj-1", timeout=60)).timed_out
    assert [each.timeout.seconds for each in asked] == [25, 25, 10]
    assert CALL_SECONDS < ATTEMPT_SECONDS
    assert world.slept == []


def test_wait_job__a_change_between_two_calls_counts() -> None:
    world, asked = waiting((CALL_SECONDS, True), (CALL_SECONDS, True), (0, False))
    world.run(wait_job(world.session, "dj-1", until="CHANGE", timeout=60))
    # Without it the second call would wait for something after the head that it finds.
    assert [each.after_sequence for each in asked[1:]] == [7, 7]


def test_wait_job__keeps_the_sequence_that_was_given() -> None:
    world, asked = waiting((CALL_SECONDS, True), (0, False))
    world.run(wait_job(world.session, "dj-1", until="CHANGE", after_sequence=3, timeout=60))
    assert [each.after_sequence for each in asked] == [3, 3]


def test_wait_job__says_that_the_time_ran_out() -> None:
    world, asked = waiting((5, True))
    assert world.run(wait_job(world.session, "dj-1", timeout=5)).timed_out
    assert len(asked) == 1


def test_wait_job__a_server_that_answers_early_is_not_asked_without_pause() -> None:
    world, _ = waiting((0, True), (0, True), (0, True))
    assert world.run(wait_job(world.session, "dj-1", timeout=2.5)).timed_out
    assert world.slept == [1.0, 1.5]
