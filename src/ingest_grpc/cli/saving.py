"""Where downloads go: below one folder, whatever the files are called, each to a name of its own."""

import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Annotated

import typer

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.options import flag
from ingest_grpc.cli.words import listed

OutFolder = Annotated[
    Path | None,
    typer.Option(
        "--out", "-o", metavar="FOLDER", file_okay=False, help="Save the Markdown below it; replaces nothing."
    ),
]
Force = Annotated[bool, flag("--force", "-f", help="Replace files that are there already.")]

_MAX_NAME_BYTES = 255
"""Longest file name that common file systems take."""


class Destinations:
    """Chooses one path per source below `folder`: the source's relative name with `suffix`, numbered when taken.

    Names are compared without case, because on some file systems A.md and a.md are the same file.
    """

    def __init__(self, folder: Path, suffix: str = ".md") -> None:
        self.folder = folder
        self.suffix = suffix
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def choose(self, name: PurePath) -> Path:
        """A path below the folder that no other source of this run has. Raises Failure if it would leave the folder."""
        parts = [part for part in name.parts if part not in {name.anchor, "", ".", ".."}] or ["document"]
        *parents, last = [part.replace("\0", "_") for part in parts]
        parents = [_shortened(parent, "") for parent in self._free_folders(parents)]
        number = 1
        while self._is_taken(target := PurePath(*parents, self._last(last, number))):
            number += 1
        self._files.add(_key(target))
        self._folders.update(_key(parent) for parent in target.parents)
        return self._inside(self.folder / target)

    def _last(self, name: str, number: int) -> str:
        # What is called .md already needs no second one.
        stem = name[: -len(self.suffix)] if self.suffix and name.casefold().endswith(self.suffix) else name
        return _shortened(stem, self.suffix if number == 1 else f"-{number}{self.suffix}")

    def _free_folders(self, parents: list[str]) -> list[str]:
        # A folder may be called like a file that was saved before: "notes" became notes.md, then comes notes.md/a.txt.
        chosen: list[str] = []
        for parent in parents:
            while _key(PurePath(*chosen, parent)) in self._files:
                parent += "_"
            chosen.append(parent)
        return chosen

    def _is_taken(self, target: PurePath) -> bool:
        return _key(target) in self._files or _key(target) in self._folders

    def _inside(self, path: Path) -> Path:
        # A symbolic link below the folder could lead out of it: what counts is where the bytes would end up.
        if not path.parent.resolve().is_relative_to(self.folder.resolve()):
            raise Failure(
                f"{path} lies outside {self.folder}: a symbolic link leads out of it.",
                "Choose an --out folder without symbolic links to other places.",
            )
        return path


def refuse_taken(paths: Iterable[Path]) -> None:
    """Raises Failure if one of these is there already: a command must not replace what somebody keeps."""
    if taken := [os.fspath(each) for each in paths if os.path.lexists(each)]:
        exist = "exists" if len(taken) == 1 else "exist"
        fix = "Name another place with --out, or replace what is there with --force."
        raise Failure(f"{listed(taken)} {exist} already.", fix, USAGE)


def _key(path: PurePath) -> str:
    return str(path).casefold()


def _shortened(name: str, suffix: str) -> str:
    """`name` + `suffix`, the name cut so that both fit into one file name."""
    room = _MAX_NAME_BYTES - len(suffix.encode())
    return name.encode(errors="replace")[:room].decode(errors="ignore") + suffix
