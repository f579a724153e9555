"""What callers say of a file in words of their own: up to 50 scalars by name."""

import math
from collections.abc import Mapping

from google.protobuf.struct_pb2 import Struct, Value

from ingest_grpc import model
from ingest_grpc.errors import quoted
from ingest_grpc.wire.requests.fields import Fields

MAX_METADATA = 50
MAX_METADATA_KEY = 63
MAX_METADATA_TEXT = 512


def metadata(fields: Fields, field: str, struct: Struct) -> Mapping[str, model.Scalar]:
    """The scalars of a Struct; what else it holds is wrong."""
    values = struct.fields
    if not fields.fits(field, values, MAX_METADATA):
        return {}
    for key in values:
        if not (0 < len(key) <= MAX_METADATA_KEY and key.isprintable()):
            fields.wrong(field, f"has the key {quoted(key)}, not 1 to {MAX_METADATA_KEY} printable characters")
    return {key: scalar(fields, f"{field}[{key[:80]}]", value, MAX_METADATA_TEXT) for key, value in values.items()}


def scalar(fields: Fields, field: str, value: Value, characters: int) -> model.Scalar:
    """A text of at most `characters`, a finite number or a boolean; anything else is wrong."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return fields.text(field, value.string_value, characters=characters)
    if kind == "bool_value":
        return value.bool_value
    if kind == "number_value" and math.isfinite(value.number_value):
        return value.number_value
    fields.wrong(field, "is not a string, a finite number or a boolean")
    return ""
