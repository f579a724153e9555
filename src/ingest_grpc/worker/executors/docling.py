"""Converter children with docling: they alone load its models, which takes long and much memory."""

from dataclasses import replace

from ingest_grpc.config import Settings
from ingest_grpc.sandbox.entry import child_command
from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import ChildSpec, Limits
from ingest_grpc.worker.executors.ocr import readable_paths

_START_SECONDS = 120.0


def docling_pool(settings: Settings, limits: Limits) -> ChildPool:
    """Children that convert PDFs with the models in `docling_models`. What they occupy is limited by
    `conversion_memory_bytes`, what they reserve is not: their runtime reserves far more than it uses."""
    models = str(settings.docling_models)
    spec = ChildSpec(
        child_command("ingest_grpc.pipeline.parse.child", models),
        replace(limits, address_space_bytes=None),
        start_timeout_seconds=_START_SECONDS,
        all_protections=settings.require_sandbox,
        readable_paths=(*readable_paths(settings.data_dir), models),
    )
    return ChildPool(
        spec,
        max(1, settings.worker_count),
        max_tasks=settings.child_max_documents,
        max_resident_bytes=settings.conversion_memory_bytes,
        patience_seconds=_START_SECONDS,
    )
