"""The Python SDK: AsyncClient and Client, two thin shells over one set of operations that do no I/O themselves.

What is imported here is public, and so is ingest_grpc.client.messages; nothing here imports the server side.
"""

from ingest_grpc.client.aio import AsyncClient
from ingest_grpc.client.dialects import DIALECTS, render, render_ingestion
from ingest_grpc.client.errors import (
    ClientClosed,
    ClientError,
    ContentMismatch,
    IngestCallError,
    InvalidOption,
    ProtocolError,
)
from ingest_grpc.client.jobs_state import JobsState
from ingest_grpc.client.state import JobState
from ingest_grpc.client.sync import Client

__all__ = [
    "DIALECTS",
    "AsyncClient",
    "Client",
    "ClientClosed",
    "ClientError",
    "ContentMismatch",
    "IngestCallError",
    "InvalidOption",
    "JobState",
    "JobsState",
    "ProtocolError",
    "render",
    "render_ingestion",
]
