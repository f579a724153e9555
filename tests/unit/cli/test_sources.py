"""Which files the arguments of `ingest` mean."""

from pathlib import Path

import pytest

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.sources import find_sources, prompt_text


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)


def names(*arguments: Path) -> list[str]:
    return [str(source.name) for source in find_sources(arguments)]


def test_find_sources__folders_are_expanded_sorted_without_hidden_files(tmp_path: Path) -> None:
    touch(*(tmp_path / each for each in ("b.pdf", "a/z.txt", "a/c/d.md", ".hidden", "a/.git/config")))
    assert names(tmp_path) == ["a/c/d.md", "a/z.txt", "b.pdf"]


def test_find_sources__files_keep_the_order_of_the_command_line(tmp_path: Path) -> None:
    touch(tmp_path / "b.pdf", tmp_path / "a.pdf")
    assert names(tmp_path / "b.pdf", tmp_path / "a.pdf") == ["b.pdf", "a.pdf"]


def test_find_sources__a_hidden_file_may_be_named(tmp_path: Path) -> None:
    touch(tmp_path / ".notes")
    assert names(tmp_path / ".notes") == [".notes"]


def test_find_sources__a_file_given_twice_counts_once(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.pdf")
    assert names(tmp_path / "in/a.pdf", tmp_path / "in", tmp_path / "in/../in") == ["a.pdf"]


def test_find_sources__what_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="does not exist") as caught:
        find_sources([tmp_path / "missing.pdf"])
    assert caught.value.exit_code == USAGE


def test_find_sources__an_empty_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="No files") as caught:
        find_sources([tmp_path])
    assert caught.value.exit_code == USAGE


def test_find_sources__a_device_is_no_source() -> None:
    with pytest.raises(Failure, match="neither a file nor a folder"):
        find_sources([Path("/dev/null")])


def test_prompt_text__reads_a_file_and_takes_anything_else_as_text(tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.txt"
    prompt.write_text("Answer in Latin.")
    assert prompt_text(str(prompt)) == "Answer in Latin."
    assert prompt_text("Answer in Greek.") == "Answer in Greek."
    assert prompt_text("") == ""
    assert prompt_text("long " * 10_000) == "long " * 10_000


def test_prompt_text__a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    prompt = tmp_path / "prompt.bin"
    prompt.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Failure, match="not UTF-8"):
        prompt_text(str(prompt))
