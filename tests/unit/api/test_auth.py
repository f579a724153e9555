"""Who may call what."""

import pytest

from ingest_grpc.api.interceptors.auth import bearer_secret, needed_scope
from ingest_grpc.api.server import SERVICES
from ingest_grpc.model import Scope

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
