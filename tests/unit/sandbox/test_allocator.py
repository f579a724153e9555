"""Which allocator children are started with."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import NoReturn

import pytest

from ingest_grpc.sandbox import allocator


def test_variables__name_the_library_that_is_installed() -> None:
    library = Path(allocator.variables()["LD_PRELOAD"])
    assert library.is_file()
    assert " " not in str(library), "the linker would take it for two"


def test_variables__are_none_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> NoReturn:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(allocator, "files", missing)
    assert allocator.variables.__wrapped__() == {}


def test_variables__are_none_where_the_linker_cannot_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """LD_PRELOAD separates by spaces and colons, and has no way to quote one."""
    monkeypatch.setattr(allocator, "_library", lambda: "/opt/my programs/libmimalloc.so.3")
    assert allocator.variables.__wrapped__() == {}
