"""One effect per request id: the second call with the same id and payload gets what the first one got.

The check, the effect and the memory of it stand in one transaction. Since all transactions run one after
the other, a concurrent twin waits for the first and then finds its result; and since only commits
remember, only successes are replayed.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel

from ingest_grpc.errors import IngestError, Reason, Violation
from ingest_grpc.model import Caller, Mutation, Request
from ingest_grpc.store.interface import StoredRequest, Tx

R = TypeVar("R", bound=BaseModel)


async def once(
    tx: Tx, caller: Caller, request: Request | None, now: int, result_type: type[R], effect: Callable[[], Awaitable[R]]
) -> Mutation[R]:
    """`effect()`, or what it returned when it ran under this request id. Raises REQUEST_ID_REUSED."""
    earlier = await recall(tx, caller, request, result_type)
    if earlier is not None:
        return Mutation(earlier, replayed=True)
    result = await effect()
    await remember(tx, caller, request, result, now)
    return Mutation(result)


async def recall(tx: Tx, caller: Caller, request: Request | None, result_type: type[R]) -> R | None:
    """The result of an earlier call with the same id and payload. Raises REQUEST_ID_REUSED for another payload."""
    if request is None:
        return None
    earlier = await tx.request(caller.team_id, request.method, request.request_id)
    if earlier is None:
        return None
    if earlier.payload_hash != request.payload_hash:
        raise IngestError(
            Reason.REQUEST_ID_REUSED,
            {"request_id": request.request_id},
            violations=[Violation("request_id", "was used before with another payload")],
        )
    return result_type.model_validate_json(earlier.result)


async def remember(tx: Tx, caller: Caller, request: Request | None, result: BaseModel, now: int) -> None:
    """Keeps the result of a call under its request id."""
    if request is not None:
        stored = StoredRequest(request.payload_hash, result.model_dump_json())
        await tx.insert_request(caller.team_id, request.method, request.request_id, stored, now)
