"""Which Java runtime is found, and what Java's exceptions mean for a document."""

from pathlib import Path

import pytest

from ingest_grpc.errors import Reason
from ingest_grpc.pipeline.parse.java import find_runtime
from ingest_grpc.pipeline.parse.opendataloader_engine import failure


def runtime(folder: Path, release: str = "17.0.15") -> Path:
    """What a runtime consists of, as far as it is looked at."""
    (folder / "lib" / "server").mkdir(parents=True)
    (folder / "lib" / "server" / "libjvm.so").touch()
    (folder / "bin").mkdir()
    (folder / "bin" / "java").touch(mode=0o755)
    (folder / "conf").mkdir()
    (folder / "release").write_text(f'IMPLEMENTOR="Somebody"\nJAVA_VERSION="{release}"\n')
    return folder


@pytest.mark.parametrize(("release", "number"), [("17.0.15", 17), ("21", 21), ("1.8.0_392", 8), ("new", 0)])
def test_runtime__in_the_folder_that_is_named(tmp_path: Path, release: str, number: int) -> None:
    found = find_runtime(runtime(tmp_path / "jdk", release))
    assert found is not None
    assert (found.home, found.release) == (tmp_path / "jdk", number)
    assert found.library.is_file()


def test_runtime__by_java_home_then_by_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime(tmp_path / "on-path", "21")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(tmp_path / "on-path" / "bin" / "java")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("JAVA_HOME", str(runtime(tmp_path / "home", "17")))
    assert [found.release for found in [find_runtime(None)] if found] == [17]
    monkeypatch.delenv("JAVA_HOME")
    assert [found.home for found in [find_runtime(None)] if found] == [tmp_path / "on-path"]


def test_runtime__none_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert find_runtime(None) is None
    assert find_runtime(tmp_path) is None
    (runtime(tmp_path / "torn") / "lib" / "server" / "libjvm.so").unlink()
    assert find_runtime(tmp_path / "torn") is None


def test_runtime__reads_what_its_settings_link_to(tmp_path: Path) -> None:
    home = runtime(tmp_path / "jdk")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "java.security").touch()
    (home / "conf" / "java.security").symlink_to(tmp_path / "etc" / "java.security")
    (home / "conf" / "inside").symlink_to(home / "release")
    found = find_runtime(home)
    assert found is not None
    assert found.readable_paths == (str(home), str(tmp_path / "etc" / "java.security"))


def test_exceptions__of_memory_are_no_fault_of_the_engine() -> None:
    with pytest.raises(MemoryError, match="Java heap space"):
        failure("java.lang.OutOfMemoryError", "Java heap space", Reason.PDF_UNREADABLE)


@pytest.mark.parametrize(
    ("thrown", "reason", "retire"),
    [
        ("org.opendataloader.pdf.exceptions.InvalidPdfFileException", Reason.PDF_UNREADABLE, False),
        ("java.lang.NullPointerException", Reason.PDF_UNREADABLE, False),
        ("java.lang.StackOverflowError", Reason.TOO_DEEPLY_NESTED, True),
        ("java.lang.NoClassDefFoundError", Reason.PDF_UNREADABLE, True),
    ],
)
def test_exceptions__say_what_is_wrong_with_the_document(thrown: str, reason: Reason, retire: bool) -> None:
    found = failure(thrown, "what Java says", Reason.PDF_UNREADABLE)
    assert (found.reason, found.retire, found.engine) == (reason, retire, "opendataloader")
    assert "what Java says" in found.detail
