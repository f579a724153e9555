"""How tests start a server whose children misbehave, and the documents that make them."""

import sys
from collections.abc import Sequence
from pathlib import Path

from ingest_grpc.client import AsyncClient
from tests.acceptance.faulty_child import FAULT
from tests.acceptance.workload import Document

FAULTY = (sys.executable, str(Path(__file__).with_name("faulty_server.py")))


def fault(name: str) -> Document:
    """A text that makes the child do what `name` says, on every attempt."""
    return Document(f"{name}.txt", name, FAULT + name.encode())


async def start_job(client: AsyncClient, *documents: Sequence[Document]) -> str:
    """The id of a new job with these documents."""
    files = [await client.upload(each.data, filename=each.name) for part in documents for each in part]
    return (await client.create_job("Documents", files=files)).job.job_id
