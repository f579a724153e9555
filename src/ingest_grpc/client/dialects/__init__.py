"""Jobs in the words of three hosted systems, for programs that were written for their APIs: pure functions of messages.

What is imported here is public.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ingest_grpc.client.dialects import llamacloud, seekr, tensoras
from ingest_grpc.client.messages import IngestionJob, Job

T = TypeVar("T")

_JOBS: Mapping[str, Callable[[Job], dict[str, Any]]] = {
    "seekr": seekr.data_job,
    "tensoras": tensoras.job,
    "llamacloud": llamacloud.files,
}
_INGESTION_JOBS: Mapping[str, Callable[[IngestionJob], dict[str, Any]]] = {
    "seekr": seekr.ingestion_job,
    "tensoras": tensoras.ingestion_job,
    "llamacloud": llamacloud.ingestion_job,
}

DIALECTS = tuple(_JOBS)
"""The dialects that `render` and `render_ingestion` take."""


def render(job: Job, dialect: str) -> dict[str, Any]:
    """A job in the FULL view as another system's API would return it, ready for JSON.

    "seekr": the object of SeekrFlow's `GET /v1/flow/data-jobs/{id}`.
    "tensoras": the list of its ingestion jobs, as Tensoras' `GET /v1/knowledge-bases/{kb_id}/ingestion-jobs` has it.
    "llamacloud": by id of the source file, the object of LlamaCloud's
    `GET /api/v1/pipelines/{pipeline_id}/files/{file_id}/status`.

    All fields of that system are there, those that have no counterpart with null or an empty list. What is not
    in the message is not rendered: `whole_job` reads jobs that exceed one reply. Raises ValueError for a
    dialect that is not in DIALECTS.
    """
    return _chosen(_JOBS, dialect)(job)


def render_ingestion(ingestion_job: IngestionJob, dialect: str) -> dict[str, Any]:
    """An ingestion job with its records as another system's API would return it, ready for JSON.

    "seekr": the object of SeekrFlow's `GET /v1/flow/alignment/ingestion/{id}`; its `file_records` are null if
    the message has no records although there are some, as in lists.
    "tensoras": the object of Tensoras' `GET …/ingestion-jobs/{job_id}`, with its `document_details`.
    "llamacloud": the object of LlamaCloud's `GET /api/v1/pipelines/{pipeline_id}/status`.

    Raises ValueError for a dialect that is not in DIALECTS.
    """
    return _chosen(_INGESTION_JOBS, dialect)(ingestion_job)


def _chosen(renderers: Mapping[str, T], dialect: str) -> T:
    if dialect not in renderers:
        raise ValueError(f"{dialect!r} is none of {', '.join(renderers)}")
    return renderers[dialect]
