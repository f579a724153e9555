"""The formats as parsers know them: the table of ingest_grpc.formats under the pipeline's own roof."""

from ingest_grpc.formats import CONTENT_TYPES as CONTENT_TYPES
from ingest_grpc.formats import EXTENSIONS as EXTENSIONS
from ingest_grpc.formats import PICTURES as PICTURES
from ingest_grpc.formats import TEXTUAL as TEXTUAL
from ingest_grpc.formats import Kind as Kind
from ingest_grpc.formats import declared_kind as declared_kind
from ingest_grpc.formats import named_kind as named_kind
from ingest_grpc.formats import usual_extension as usual_extension

SUPPORTED_CONTENT_TYPES: tuple[str, ...] = tuple(CONTENT_TYPES.values())
