"""Waiting for a job without a stream, for those whose network does not let one live."""

from ingest_grpc.client.effects import Operation, Sleep
from ingest_grpc.client.messages import WaitJobRequest, WaitJobResponse, WaitUntil
from ingest_grpc.client.operations.common import enum_number
from ingest_grpc.client.retry import ATTEMPT_SECONDS, Session, call
from ingest_grpc.client.rpcs import WAIT_JOB

CALL_SECONDS = ATTEMPT_SECONDS - 5.0
"""Longest that one call waits: its answer has to come before the attempt is given up."""


def wait_job(
    session: Session,
    job_id: str,
    *,
    until: str | int = "SETTLED",
    after_sequence: int | None = None,
    timeout: float = 60.0,
) -> Operation[WaitJobResponse]:
    """Wait up to `timeout` seconds, with as many calls as that takes; `timed_out` says that it did not happen.

    `until` is SETTLED, TERMINAL, or CHANGE: an event after `after_sequence`, by default after the job's last one
    at the time of the call. `wait` does the same over a stream, without a limit, and returns all that is known.
    """
    request = WaitJobRequest(job_id=job_id, until=enum_number(WaitUntil, until), after_sequence=after_sequence)
    deadline = session.clock() + timeout
    backoff = session.backoff()
    while True:
        asked_at = session.clock()
        seconds = min(max(deadline - asked_at, 0.0), CALL_SECONDS)
        request.timeout.FromNanoseconds(round(seconds * 1e9))
        response = yield from call(session, WAIT_JOB, request)
        if not response.timed_out or session.clock() >= deadline:
            return response
        if not request.HasField("after_sequence"):
            # What happens between two calls counts, too: from here on the state in the first answer is the reference.
            request.after_sequence = response.job.last_sequence
        if session.clock() < asked_at + seconds:
            # A server that shuts down answers early, again and again.
            yield Sleep(min(backoff.delay(), deadline - session.clock()))
