"""Data sources of knowledge bases, and their syncs."""

from collections.abc import Iterable

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from ingest_grpc.client.effects import Feed, Operation
from ingest_grpc.client.messages import (
    AddDataSourceRequest,
    AddDataSourceResponse,
    CancelSyncRequest,
    CancelSyncResponse,
    DataSource,
    DataSourceType,
    GetDataSourceRequest,
    ListDataSourcesRequest,
    Method,
    RemoveDataSourceRequest,
    SyncDataSourceRequest,
    SyncDataSourceResponse,
    UpdateDataSourceRequest,
)
from ingest_grpc.client.operations.common import enum_number, pages
from ingest_grpc.client.retry import Session, call
from ingest_grpc.client.rpcs import (
    ADD_DATA_SOURCE,
    CANCEL_SYNC,
    GET_DATA_SOURCE,
    LIST_DATA_SOURCES,
    REMOVE_DATA_SOURCE,
    SYNC_DATA_SOURCE,
    UPDATE_DATA_SOURCE,
)


def add_data_source(
    session: Session,
    knowledge_base_id: str,
    *,
    url: str = "",
    file_ids: Iterable[str] = (),
    name: str = "",
    include_patterns: Iterable[str] = (),
    exclude_patterns: Iterable[str] = (),
    method: str | int = 0,
    sync_interval_seconds: int | None = None,
    external_id: str = "",
    request_id: str | None = None,
) -> Operation[AddDataSourceResponse]:
    """Add a place that files come from, by `url`, or uploaded files; the response has the job that ingests them."""
    types = DataSourceType
    request = AddDataSourceRequest(
        knowledge_base_id=knowledge_base_id,
        type=types.DATA_SOURCE_TYPE_OBJECT_STORE if url else types.DATA_SOURCE_TYPE_FILES,
        url=url,
        file_ids=list(file_ids),
        name=name,
        include_patterns=list(include_patterns),
        exclude_patterns=list(exclude_patterns),
        method=enum_number(Method, method) if method else 0,  # type: ignore[arg-type]
        sync_interval=None if sync_interval_seconds is None else Duration(seconds=sync_interval_seconds),
        external_id=external_id,
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, ADD_DATA_SOURCE, request))


def get_data_source(session: Session, data_source_id: str) -> Operation[DataSource]:
    """A data source with its last sync."""
    return (yield from call(session, GET_DATA_SOURCE, GetDataSourceRequest(data_source_id=data_source_id))).data_source


def list_data_sources(session: Session, knowledge_base_id: str, *, page_size: int = 0) -> Feed[DataSource]:
    """The data sources of a knowledge base, newest first, of all pages."""
    request = ListDataSourcesRequest(knowledge_base_id=knowledge_base_id, page_size=page_size)
    return pages(session, LIST_DATA_SOURCES, request, lambda page: page.data_sources)


def update_data_source(
    session: Session,
    data_source_id: str,
    *,
    name: str | None = None,
    include_patterns: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    sync_interval_seconds: int | None = None,
    file_ids: Iterable[str] | None = None,
    request_id: str | None = None,
) -> Operation[DataSource]:
    """Change what is given; 0 seconds end the syncs by itself. The next sync finds out what it means."""
    given = {
        "name": name,
        "include_patterns": include_patterns,
        "exclude_patterns": exclude_patterns,
        "sync_interval": sync_interval_seconds,
        "file_ids": file_ids,
    }
    request = UpdateDataSourceRequest(
        data_source_id=data_source_id,
        update_mask=FieldMask(paths=[field for field, value in given.items() if value is not None]),
        name=name or "",
        include_patterns=list(include_patterns or ()),
        exclude_patterns=list(exclude_patterns or ()),
        sync_interval=Duration(seconds=sync_interval_seconds) if sync_interval_seconds else None,
        file_ids=list(file_ids or ()),
        request_id=request_id or session.new_request_id(),
    )
    return (yield from call(session, UPDATE_DATA_SOURCE, request)).data_source


def remove_data_source(session: Session, data_source_id: str, *, request_id: str | None = None) -> Operation[int]:
    """Remove a data source with its files; how many those were."""
    request = RemoveDataSourceRequest(data_source_id=data_source_id, request_id=request_id or session.new_request_id())
    return (yield from call(session, REMOVE_DATA_SOURCE, request)).files_removed


def sync_data_source(
    session: Session, data_source_id: str, keys: Iterable[str] = (), *, request_id: str | None = None
) -> Operation[SyncDataSourceResponse]:
    """Bring the knowledge base in step with the source, or with these keys of it; no job where nothing changed."""
    request = SyncDataSourceRequest(
        data_source_id=data_source_id, keys=list(keys), request_id=request_id or session.new_request_id()
    )
    return (yield from call(session, SYNC_DATA_SOURCE, request))


def cancel_sync(
    session: Session, data_source_id: str, *, request_id: str | None = None
) -> Operation[CancelSyncResponse]:
    """Cancel the sync that runs."""
    request = CancelSyncRequest(data_source_id=data_source_id, request_id=request_id or session.new_request_id())
    return (yield from call(session, CANCEL_SYNC, request))
