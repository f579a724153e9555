"""Which files the arguments of `ingest` mean."""

import os
from pathlib import Path

import pytest

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.sources import find_sources, prompt_text


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)


def names(*arguments: Path) -> list[str]:
    told: list[str] = []
    found = [str(source.name) for source in find_sources(arguments, told.append)]
    assert told == []
    return found


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
        find_sources([tmp_path / "missing.pdf"], print)
    assert caught.value.exit_code == USAGE


def test_find_sources__an_empty_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="No files") as caught:
        find_sources([tmp_path], print)
    assert caught.value.exit_code == USAGE


def test_find_sources__a_device_is_no_source() -> None:
    with pytest.raises(Failure, match="neither a file nor a folder"):
        find_sources([Path("/dev/null")], print)


def test_find_sources__what_else_is_left_out_of_a_folder_is_told(tmp_path: Path) -> None:
    touch(tmp_path / "in/a.pdf", tmp_path / "elsewhere/b.pdf")
    (tmp_path / "in/.hidden").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in/dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "in/file").symlink_to(tmp_path / "elsewhere/b.pdf")
    (tmp_path / "in/folder").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "in/pipe")
    told: list[str] = []
    assert [str(each.name) for each in find_sources([tmp_path / "in"], told.append)] == ["a.pdf", "file"]
    (line,) = told
    assert f"{tmp_path}/in/dangling (a link that leads nowhere)" in line
    assert f"{tmp_path}/in/folder (a link to a folder)" in line
    assert f"{tmp_path}/in/pipe (neither a file nor a folder)" in line


def test_find_sources__equal_names_are_told_apart_by_as_few_folders_as_it_takes(tmp_path: Path) -> None:
    touch(*(tmp_path / each for each in ("x/1/a.txt", "x/2/a.txt", "y/2/a.txt", "x/1/b.txt")))
    assert names(tmp_path / "x/1/a.txt", tmp_path / "x/2/a.txt") == ["1/a.txt", "2/a.txt"]
    assert names(tmp_path / "x/1", tmp_path / "x/2", tmp_path / "y/2") == ["1/a.txt", "b.txt", "x/2/a.txt", "y/2/a.txt"]


def test_find_sources__links_beside_one_another_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path / "a/x.txt", tmp_path / "b/c/y.txt", tmp_path / "b/x.txt")
    (tmp_path / "a/link").symlink_to(tmp_path / "b/c")
    assert names(tmp_path / "a/x.txt", tmp_path / "a/link/../x.txt") == ["a/x.txt", "b/x.txt"]


@pytest.mark.parametrize("value", ["prmpt.txt", "prompts/latin.md", "/etc/nothing", "~/prompt", "./latin", "../a/b"])
def test_prompt_text__what_looks_like_a_path_but_is_no_file_is_refused(value: str) -> None:
    with pytest.raises(Failure, match="There is no file") as caught:
        prompt_text(value)
    assert caught.value.exit_code == USAGE
    assert f"'{value} '" in caught.value.fix
    assert prompt_text(f"{value} ") == f"{value} "


@pytest.mark.parametrize(
    "value",
    [
        "Latin",
        "Concisely.",
        "Answer e.g. in Latin, and/or Greek.",
        "Use version 2.1",
        "and/or",
        "英語/日本語で答えてください。",
        "请用中文/英文回答",
        "https://example.com/prompt.txt",
        "{{role}}/{{task}}",
    ],
)
def test_prompt_text__a_text_is_no_path(value: str) -> None:
    assert prompt_text(value) == value


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
