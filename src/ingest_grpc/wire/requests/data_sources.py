"""Requests of KnowledgeBaseService about data sources."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from ingest_grpc import model
from ingest_grpc.ids import Prefix
from ingest_grpc.v1 import knowledge_base_service_pb2 as pb
from ingest_grpc.wire import enums
from ingest_grpc.wire.requests.fields import Fields
from ingest_grpc.wire.requests.jobs import MAX_NAME_CHARACTERS
from ingest_grpc.wire.requests.knowledge_bases import SERVICE, knowledge_base_id

UPDATABLE = ("name", "include_patterns", "exclude_patterns", "sync_interval", "file_ids")
MAX_PATTERNS = 100
MAX_PATTERN_CHARACTERS = 1_024
MAX_PATTERNS_CHARACTERS = 10_000
"""Of a whole list: each key is compared with all of it."""

MAX_KEY_CHARACTERS = 1_024
MAX_URL_CHARACTERS = 2_048
MIN_INTERVAL_SECONDS = 60
MAX_INTERVAL_SECONDS = 366 * 86_400


@dataclass(frozen=True, slots=True)
class AddDataSource:
    """A data source to add."""

    new: model.NewDataSource
    request: model.Request | None


def add_data_source(message: pb.AddDataSourceRequest) -> AddDataSource:
    """What belongs to the other type must be absent. Whether a URL may be read is the service's to say."""
    with Fields() as fields:
        kind = fields.required_enum("type", message.type, enums.DATA_SOURCE_TYPE)
        if message.type in enums.DATA_SOURCE_TYPE.members:
            _check_type(fields, message, kind)
        return AddDataSource(
            model.NewDataSource(
                knowledge_base_id=knowledge_base_id(fields, message.knowledge_base_id),
                name=fields.text("name", message.name, characters=MAX_NAME_CHARACTERS),
                type=kind,
                url=fields.text("url", message.url, characters=MAX_URL_CHARACTERS),
                include_patterns=_patterns(fields, "include_patterns", message.include_patterns),
                exclude_patterns=_patterns(fields, "exclude_patterns", message.exclude_patterns),
                file_ids=tuple(dict.fromkeys(fields.id_list("file_ids", message.file_ids, Prefix.FILE))),
                method=fields.optional_enum("method", message.method, enums.METHOD),
                sync_interval_seconds=_interval(fields, message),
                external_id=fields.external_id("external_id", message.external_id),
            ),
            fields.request(message, f"{SERVICE}/AddDataSource"),
        )


def _check_type(fields: Fields, message: pb.AddDataSourceRequest, kind: model.DataSourceType) -> None:
    if kind is model.DataSourceType.FILES:
        if not message.file_ids:
            fields.wrong("file_ids", "is required for the type FILES")
        for name in ("url", "include_patterns", "exclude_patterns"):
            if getattr(message, name):
                fields.wrong(name, "is for the type OBJECT_STORE")
    else:
        if not message.url:
            fields.wrong("url", "is required for the type OBJECT_STORE")
        if message.file_ids:
            fields.wrong("file_ids", "is for the type FILES")


def _patterns(fields: Fields, field: str, values: Sequence[str]) -> tuple[str, ...]:
    if not fields.fits(field, values, MAX_PATTERNS):
        return ()
    if (characters := sum(map(len, values))) > MAX_PATTERNS_CHARACTERS:
        fields.wrong(field, f"have {characters:,} characters, at most {MAX_PATTERNS_CHARACTERS:,} are allowed")
    return tuple(
        fields.required_text(f"{field}[{index}]", value, characters=MAX_PATTERN_CHARACTERS)
        for index, value in enumerate(values)
    )


def _interval(fields: Fields, message: Message) -> int | None:
    seconds = fields.seconds("sync_interval", message, MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)
    return None if seconds is None else int(seconds)


def data_source_id(fields: Fields, value: str) -> str:
    """The required id of a data source."""
    return fields.id("data_source_id", value, Prefix.DATA_SOURCE)


def get_data_source(message: pb.GetDataSourceRequest) -> str:
    """The data source's id."""
    with Fields() as fields:
        return data_source_id(fields, message.data_source_id)


@dataclass(frozen=True, slots=True)
class ListDataSources:
    """A page of a knowledge base's data sources to read."""

    knowledge_base_id: str
    page_size: int
    page_token: str
    include_total: bool


def list_data_sources(message: pb.ListDataSourcesRequest) -> ListDataSources:
    """The token is checked by the service, which made it."""
    with Fields() as fields:
        return ListDataSources(
            knowledge_base_id(fields, message.knowledge_base_id),
            fields.page_size(message.page_size),
            fields.page_token(message.page_token),
            message.include_total,
        )


@dataclass(frozen=True, slots=True)
class UpdateDataSource:
    """What to change in a data source."""

    data_source_id: str
    update: model.DataSourceUpdate
    request: model.Request | None


def update_data_source(message: pb.UpdateDataSourceRequest) -> UpdateDataSource:
    """The fields of the mask; one that is absent is cleared."""
    with Fields() as fields:
        if not message.update_mask.paths:
            fields.wrong("update_mask", "is required")
        wanted = fields.changed(message, UPDATABLE)
        if "name" in wanted and not message.name.strip():
            fields.wrong("name", "cannot be cleared")
        if "file_ids" in wanted and not message.file_ids:
            fields.wrong("file_ids", "cannot be cleared")
        values: dict[str, object] = {
            "name": fields.text("name", message.name, characters=MAX_NAME_CHARACTERS),
            "include_patterns": _patterns(fields, "include_patterns", message.include_patterns),
            "exclude_patterns": _patterns(fields, "exclude_patterns", message.exclude_patterns),
            "sync_interval": _interval(fields, message),
            "file_ids": tuple(dict.fromkeys(fields.id_list("file_ids", message.file_ids, Prefix.FILE))),
        }
        names = {"sync_interval": "sync_interval_seconds"}
        return UpdateDataSource(
            data_source_id(fields, message.data_source_id),
            model.DataSourceUpdate.model_validate(
                {names.get(name, name): value for name, value in values.items() if name in wanted}
            ),
            fields.request(message, f"{SERVICE}/UpdateDataSource"),
        )


@dataclass(frozen=True, slots=True)
class NamedDataSource:
    """A data source that something is to be done with."""

    data_source_id: str
    request: model.Request | None


def remove_data_source(message: pb.RemoveDataSourceRequest) -> NamedDataSource:
    """Checks the id."""
    with Fields() as fields:
        request = fields.request(message, f"{SERVICE}/RemoveDataSource")
        return NamedDataSource(data_source_id(fields, message.data_source_id), request)


def cancel_sync(message: pb.CancelSyncRequest) -> NamedDataSource:
    """Checks the id."""
    with Fields() as fields:
        request = fields.request(message, f"{SERVICE}/CancelSync")
        return NamedDataSource(data_source_id(fields, message.data_source_id), request)


@dataclass(frozen=True, slots=True)
class SyncDataSource:
    """A data source to sync; no keys = all."""

    data_source_id: str
    keys: tuple[str, ...]
    request: model.Request | None


def sync_data_source(message: pb.SyncDataSourceRequest) -> SyncDataSource:
    """At most 1,000 keys."""
    with Fields() as fields:
        keys = message.keys if fields.fits("keys", message.keys) else []
        return SyncDataSource(
            data_source_id(fields, message.data_source_id),
            tuple(
                fields.required_text(f"keys[{index}]", key, characters=MAX_KEY_CHARACTERS)
                for index, key in enumerate(keys)
            ),
            fields.request(message, f"{SERVICE}/SyncDataSource"),
        )
