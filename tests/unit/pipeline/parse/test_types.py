"""Content types and extensions."""

import subprocess
import sys

from ingest_grpc.pipeline.parse.types import CONTENT_TYPES, EXTENSIONS, SUPPORTED_CONTENT_TYPES, Kind, declared_kind


def test_every_kind__has_one_content_type_and_an_extension() -> None:
    assert set(CONTENT_TYPES) == set(Kind) == set(EXTENSIONS.values())
    assert len(set(SUPPORTED_CONTENT_TYPES)) == len(Kind)


def test_declared_kind__ignores_case_and_parameters() -> None:
    assert declared_kind("Text/HTML; charset=utf-8") is Kind.HTML
    assert declared_kind("application/octet-stream") is None


def test_types_and_engines__are_light_to_import() -> None:
    """The server lists them without loading any converter."""
    code = (
        "import sys, ingest_grpc.pipeline.parse.types, ingest_grpc.pipeline.parse.engines as e; e.engines();"
        "print(sorted({'xberg', 'pypdfium2', 'charset_normalizer'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
