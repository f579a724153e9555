"""ServerService."""

from collections.abc import Awaitable, Callable

from ingest_grpc.api.interceptors.chain import Context
from ingest_grpc.config import Settings
from ingest_grpc.model import ServerInfo
from ingest_grpc.v1 import server_service_pb2 as pb
from ingest_grpc.wire.enums import METHOD
from ingest_grpc.wire.ingestion import engine
from ingest_grpc.wire.requests.fields import MAX_ITEMS, MAX_LABEL, MAX_LABELS
from ingest_grpc.wire.requests.files import MAX_CHUNK_BYTES
from ingest_grpc.wire.requests.jobs import MAX_PROMPT_BYTES


class ServerServicer:
    """Each method is described in server_service.proto."""

    def __init__(self, server_info: Callable[[], Awaitable[ServerInfo]], settings: Settings) -> None:
        self._server_info = server_info
        self._limits = _limits(settings)
        self._sandbox_required = settings.require_sandbox

    async def GetServerInfo(self, _message: pb.GetServerInfoRequest, _context: Context) -> pb.GetServerInfoResponse:
        info = await self._server_info()
        return pb.GetServerInfoResponse(
            version=info.version,
            ledger_id=info.ledger_id,
            limits=self._limits,
            content_types=info.content_types,
            methods=[METHOD.numbers[method] for method in info.methods],
            default_method=METHOD.numbers[info.default_method],
            engines=map(engine, info.engines),
            sandbox_required=self._sandbox_required,
            embedders=info.embedders,
            protections=[
                pb.SandboxProtection(name=name, enforced=enforced) for name, enforced in info.protections.items()
            ],
        )


def _limits(settings: Settings) -> pb.ServerLimits:
    team_max_watchers = min(settings.team_max_watchers or settings.max_watchers, settings.max_watchers)
    return pb.ServerLimits(
        max_file_bytes=settings.max_file_bytes,
        max_create_file_bytes=MAX_CHUNK_BYTES,
        max_chunk_bytes=MAX_CHUNK_BYTES,
        max_files_per_call=MAX_ITEMS,
        max_records_per_job=settings.max_records_per_job,
        max_prompt_bytes=MAX_PROMPT_BYTES,
        max_output_bytes=settings.max_output_bytes,
        conversion_timeout_seconds=settings.conversion_timeout_seconds,
        conversion_memory_bytes=settings.conversion_memory_bytes,
        workers=settings.worker_count,
        conversion_stall_seconds=settings.conversion_stall_seconds,
        max_document_bytes=settings.max_document_bytes,
        max_expanded_bytes=settings.max_expanded_bytes,
        max_entries=settings.max_entries,
        max_nesting=settings.max_nesting,
        max_pages=settings.max_pages,
        max_page_points=settings.max_page_points,
        max_image_pixels=settings.max_image_pixels,
        max_table_cells=settings.max_table_cells,
        max_watchers=settings.max_watchers,
        team_max_watchers=team_max_watchers,
        job_max_watchers=min(settings.job_max_watchers or team_max_watchers, team_max_watchers),
        max_labels=MAX_LABELS,
        max_label_characters=MAX_LABEL,
        team_max_queued=settings.team_max_queued,
        team_max_running=settings.team_max_running,
        team_max_bytes=settings.team_max_bytes,
        team_calls_per_second=settings.team_calls_per_second,
        team_max_uploads=settings.team_max_uploads,
    )
