"""Content types and extensions."""

import subprocess
import sys

from ingest_grpc.errors import CATALOGUE, Reason
from ingest_grpc.formats import FORMATS, SUPPORTED_NAMES, named_kind, usual_extension
from ingest_grpc.pipeline.parse.parser import PARSERS
from ingest_grpc.pipeline.parse.types import CONTENT_TYPES, EXTENSIONS, SUPPORTED_CONTENT_TYPES, Kind, declared_kind


def test_every_kind__has_one_content_type_and_an_extension() -> None:
    assert set(FORMATS) == set(CONTENT_TYPES) == set(Kind) == set(EXTENSIONS.values())
    assert len(set(SUPPORTED_CONTENT_TYPES)) == len(Kind)


def test_every_kind__is_found_by_what_the_table_says_of_it_and_by_nothing_else() -> None:
    names = [name for known in FORMATS.values() for name in (known.content_type, *known.aliases, *known.extensions)]
    assert len(set(names)) == len(names)
    for kind in Kind:
        assert declared_kind(CONTENT_TYPES[kind]) is named_kind(f"x.{usual_extension(kind)}") is kind


def test_every_kind__has_a_parser_but_the_archive_which_is_unpacked() -> None:
    assert set(PARSERS) == set(Kind) - {Kind.ZIP}


def test_an_unsupported_type__is_answered_with_all_supported_ones() -> None:
    fix = CATALOGUE[Reason.UNSUPPORTED_TYPE].suggested_fix
    assert SUPPORTED_NAMES in fix
    assert all(kind in fix for kind in Kind)


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
