"""Where `--out` puts files: below its folder, each under a name of its own."""

from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.saving import Destinations, refuse_taken


def chosen(folder: Path, *names: str) -> list[str]:
    destinations = Destinations(folder)
    return [str(destinations.choose(PurePath(name)).relative_to(folder)) for name in names]


def test_destinations__relative_name_with_md(tmp_path: Path) -> None:
    assert chosen(tmp_path, "a.pdf", "sub/b.docx") == ["a.pdf.md", "sub/b.docx.md"]


def test_destinations__equal_names_are_numbered(tmp_path: Path) -> None:
    assert chosen(tmp_path, "a.pdf", "a.pdf", "a.pdf") == ["a.pdf.md", "a.pdf-2.md", "a.pdf-3.md"]


def test_destinations__names_that_differ_in_case_only_are_numbered(tmp_path: Path) -> None:
    assert chosen(tmp_path, "A.pdf", "a.PDF") == ["A.pdf.md", "a.PDF-2.md"]


def test_destinations__markdown_keeps_its_name(tmp_path: Path) -> None:
    assert chosen(tmp_path, "a.md", "A.MD", "a", ".md") == ["a.md", "A-2.md", "a-3.md", ".md"]


def test_destinations__a_numbered_name_may_be_taken_too(tmp_path: Path) -> None:
    assert chosen(tmp_path, "a.pdf-2", "a.pdf", "a.pdf") == ["a.pdf-2.md", "a.pdf.md", "a.pdf-3.md"]


def test_destinations__a_file_is_never_a_folder(tmp_path: Path) -> None:
    assert chosen(tmp_path, "notes", "notes.md/a.txt") == ["notes.md", "notes.md_/a.txt.md"]
    assert chosen(tmp_path, "notes.md/a.txt", "notes") == ["notes.md/a.txt.md", "notes-2.md"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "..", ".", "/", "a\0b"])
def test_destinations__no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    path = Destinations(tmp_path / "out").choose(PurePath(name))
    assert path.resolve().is_relative_to((tmp_path / "out").resolve())
    assert path.name.endswith(".md")


def test_destinations__a_symbolic_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(tmp_path)
    with pytest.raises(Failure, match="symbolic link"):
        Destinations(tmp_path / "out").choose(PurePath("sub/a.pdf"))


def test_destinations__the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    assert chosen(tmp_path / "out", "a.pdf") == ["a.pdf.md"]


def test_destinations__long_names_are_cut_and_stay_distinct(tmp_path: Path) -> None:
    first, second = chosen(tmp_path, "ä" * 127 + ".pdf", "ä" * 127 + ".pdf")
    assert first != second
    assert max(len(each.encode()) for each in (first, second)) <= 255


def test_refuse_taken__names_what_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("mine")
    (tmp_path / "link.md").symlink_to(tmp_path / "nowhere")
    refuse_taken([tmp_path / "b.md"])
    with pytest.raises(Failure, match=r"a\.md, .*link\.md exist already") as caught:
        refuse_taken(tmp_path / name for name in ("a.md", "b.md", "link.md"))
    assert caught.value.exit_code == USAGE
    assert "--force" in caught.value.fix


names = st.lists(st.text(st.characters(exclude_characters="/"), min_size=1, max_size=8), min_size=1, max_size=4)


@given(st.lists(names.map("/".join), max_size=12))
def test_destinations__distinct_and_inside_whatever_the_names(all_names: list[str]) -> None:
    folder = Path("/nowhere/out")
    destinations = Destinations(folder)
    paths = [destinations.choose(PurePath(name)) for name in all_names]
    assert len({str(path).casefold() for path in paths}) == len(paths)
    for path in paths:
        assert path.is_relative_to(folder)
        assert ".." not in path.parts
        # No file stands where another one needs a folder.
        assert not {str(parent).casefold() for parent in path.parents} & {str(each).casefold() for each in paths}
