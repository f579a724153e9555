"""Who may call what."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from ingest_grpc.api.interceptors.auth import Gate, bearer_secret, needed_scope
from ingest_grpc.api.server import SERVICES
from ingest_grpc.errors import IngestError, Reason
from ingest_grpc.model import Caller, Scope
from ingest_grpc.party import Party, current_party
from tests.factories import ALICE

WRITING = {
    "CreateJob", "AddFiles", "RemoveFiles", "CancelJob", "CreateFile", "UploadFile", "DeleteFile",
    "UpdateJob", "DeleteJob", "UndeleteJob", "CloneJob", "RetryFiles", "StartJob",
    "CreateUpload", "WriteUpload", "CompleteUpload", "ImportFile", "UpdateFile",
    "CreateKnowledgeBase", "UpdateKnowledgeBase", "DeleteKnowledgeBase", "UndeleteKnowledgeBase",
    "AddDataSource", "UpdateDataSource", "RemoveDataSource", "SyncDataSource", "CancelSync",
    "AddKnowledgeBaseFiles", "RemoveKnowledgeBaseFiles",
}  # fmt: skip
METHODS = [f"/{service.full_name}/{method.name}" for service in SERVICES.values() for method in service.methods]


@pytest.mark.parametrize("method", METHODS)
def test_needed_scope__of_every_method(method: str) -> None:
    expected = Scope.WRITE if method.rpartition("/")[2] in WRITING else Scope.READ

    assert needed_scope(method) is expected


def test_needed_scope__reflection_reads_and_the_unknown_writes() -> None:
    assert needed_scope("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo") is Scope.READ
    assert needed_scope("/x.Y/Z") is Scope.WRITE


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("Bearer abc", "abc"),
        ("bearer  abc ", "abc"),
        ("Basic abc", None),
        ("Bearer", None),
        ("Bearer ", None),
        ("abc", None),
        (b"Bearer abc", None),
    ],
)
def test_bearer_secret(value: str | bytes, secret: str | None) -> None:
    assert bearer_secret([("user-agent", "x"), ("authorization", value)]) == secret


def test_bearer_secret__without_metadata() -> None:
    assert bearer_secret([]) is None


@pytest.mark.parametrize(("secret", "party"), [("alice", ALICE.team_id), ("unknown", None)])
async def test_gate__work_is_done_for_the_callers_team_once_it_is_known(secret: str, party: Party) -> None:
    seen: list[Party] = []

    async def authenticate(secret: str | None) -> Caller:
        seen.append(current_party.get())
        if secret != "alice":
            raise IngestError(Reason.CREDENTIALS_INVALID)
        return ALICE

    async def continuation(_details: Any) -> None:
        seen.append(current_party.get())

    call: Any = SimpleNamespace(method="/x.Y/GetZ", invocation_metadata=[("authorization", f"Bearer {secret}")])
    await asyncio.create_task(Gate(authenticate, lambda _: None, []).intercept_service(continuation, call))

    assert seen == ([None] if party is None else [None, party])
