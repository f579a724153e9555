"""What `ingest` uploads: the files that its arguments name, folders expanded."""

import errno
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ingest_grpc.cli.failures import USAGE, Failure
from ingest_grpc.cli.words import listed


@dataclass(frozen=True, slots=True)
class Source:
    """One file to upload: where it is, and its name relative to what the user named."""

    path: Path
    name: PurePath


def find_sources(arguments: Iterable[Path], tell: Callable[[str], None]) -> list[Source]:
    """The files named, and those in the folders named: recursively, sorted, without hidden ones.

    A file given twice (also by way of a folder) counts once. What else is left out of a folder, `tell` is told. Raises
    Failure for what does not exist or holds no file.
    """
    found: dict[Path, Source] = {}
    left_out: list[str] = []
    for argument in arguments:
        for source in _expand(argument, left_out):
            found.setdefault(source.path.resolve(), source)
    if left_out:
        tell(f"Left out: {listed(left_out)}. A link to a folder is followed if it is named itself.")
    if not found:
        raise Failure("No files to ingest.", "Name files, or folders that contain files that are not hidden.", USAGE)
    return _told_apart(list(found.values()))


def _expand(argument: Path, left_out: list[str]) -> Iterator[Source]:
    if argument.is_file():
        yield Source(argument, PurePath(argument.name))
    elif argument.is_dir():
        inside = sorted((path, path.relative_to(argument)) for path in argument.rglob("*"))
        visible = [(path, name) for path, name in inside if not _is_hidden(name)]
        left_out += (f"{path} ({why})" for path, _ in visible if (why := _unreadable(path)))
        yield from (Source(path, name) for path, name in visible if path.is_file())
    elif argument.exists():
        raise Failure(f"{argument} is neither a file nor a folder.", "Name regular files and folders.", USAGE)
    else:
        raise Failure(f"{argument} does not exist.", "Check the path, seen from the current folder.", USAGE)


def _is_hidden(name: PurePath) -> bool:
    return any(part.startswith(".") for part in name.parts)


def _unreadable(path: Path) -> str:
    """Why a path inside a folder gives no files; "" if it may."""
    if path.is_symlink() and not path.exists():
        return "a link that leads nowhere"
    if path.is_file():
        return ""
    if not path.is_dir():
        return "neither a file nor a folder"
    if path.is_symlink():
        return "a link to a folder"
    return "" if os.access(path, os.R_OK | os.X_OK) else "a folder that may not be read"


def _told_apart(sources: Sequence[Source]) -> list[Source]:
    """The sources with those of equal names renamed: x/a.txt and y/a.txt, as far up as it takes."""
    names = [each.name for each in sources]
    while clashing := {name for name, count in Counter(names).items() if count > 1}:
        names = [
            _one_longer(each.path, name) if name in clashing else name
            for each, name in zip(sources, names, strict=True)
        ]
    return [Source(each.path, name) for each, name in zip(sources, names, strict=True)]


def _one_longer(path: Path, name: PurePath) -> PurePath:
    return PurePath(*(path.parent.resolve() / path.name).parts[-len(name.parts) - 1 :])


_LIKE_A_PATH = re.compile(r"(?:\.{0,2}|~)/\S*|[\w.\-/]+\.[A-Za-z]\w{0,4}", re.ASCII)
"""One word that is plainly meant as the path of a file: by how it begins, or by its ending.

A "/" alone does not make a path: "and/or" has one, and so do texts in languages that are written without spaces.
"""


def prompt_text(value: str) -> str:
    """What a FILE|TEXT option means: the text of the file of that name if there is one, else the value itself.

    Raises Failure for a value that looks like a path and is none.
    """
    try:
        if value and Path(value).is_file():
            return Path(value).read_text(encoding="utf-8")
        if _LIKE_A_PATH.fullmatch(value):
            raise Failure(f"There is no file {value}.", f"Check the path; to mean the text, write '{value} '.", USAGE)
        return value
    except UnicodeDecodeError:
        raise Failure(f"{value} is not UTF-8 text.", "Save the prompt as UTF-8.", USAGE) from None
    except OSError as error:
        # A prompt may be longer than any file name: then it is a text.
        if error.errno == errno.ENAMETOOLONG:
            return value
        raise
