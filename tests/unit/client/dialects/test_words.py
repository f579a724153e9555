"""The tables of words: complete, and safe for values that only a later server knows."""

from typing import Any

import pytest

from ingest_grpc.client import DIALECTS, render, render_ingestion
from ingest_grpc.client.dialects.fields import lower, said
from ingest_grpc.client.dialects.words import LLAMACLOUD, SEEKR, TENSORAS
from ingest_grpc.client.messages import (
    FileRecord,
    IngestionJob,
    IngestionJobStatus,
    Job,
    JobStatus,
    RecordError,
    RecordStatus,
    Step,
)


@pytest.mark.parametrize(
    ("words", "enums"),
    [
        (SEEKR, (RecordStatus, IngestionJobStatus, JobStatus)),
        (TENSORAS, (RecordStatus, IngestionJobStatus)),
        (LLAMACLOUD, (RecordStatus, IngestionJobStatus, Step)),
    ],
    ids=["seekr", "tensoras", "llamacloud"],
)
def test_words__say_something_of_every_value(words: dict[str, str], enums: tuple[Any, ...]) -> None:
    assert set(words) == {name for enum in enums for name in enum.keys()}  # noqa: SIM118 - no mapping


def test_said__an_unknown_status_is_never_taken_for_a_result() -> None:
    record, run, job = FileRecord(), IngestionJob(), Job()
    for message in (record, run, job):
        # What a server of the next version sends: a number without a name here.
        message.MergeFromString(_varint_field(message, "status", 99))
    assert [said(SEEKR, each, "status") for each in (record, run, job)] == ["running", "running", "file_processing"]
    assert [said(LLAMACLOUD, each, "status") for each in (record, run)] == ["IN_PROGRESS", "IN_PROGRESS"]


def test_said__an_unknown_step_is_the_whole_ingestion() -> None:
    error = RecordError.FromString(_varint_field(RecordError(), "step", 99))
    assert said(LLAMACLOUD, error, "step") == "MANAGED_INGESTION"
    assert lower(error, "step") is None


def test_lower__of_what_is_no_enum_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="message of RecordError is no enum"):
        lower(RecordError(), "message")


def test_render__an_unknown_dialect_names_the_choices() -> None:
    assert DIALECTS == ("seekr", "tensoras", "llamacloud")
    with pytest.raises(ValueError, match="'other' is none of seekr, tensoras, llamacloud"):
        render(Job(), "other")
    with pytest.raises(ValueError, match="'other' is none of seekr, tensoras, llamacloud"):
        render_ingestion(IngestionJob(), "other")


def _varint_field(message: FileRecord | IngestionJob | Job | RecordError, field: str, value: int) -> bytes:
    return bytes([message.DESCRIPTOR.fields_by_name[field].number << 3, value])
