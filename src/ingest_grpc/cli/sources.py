"""What `ingest` uploads: the files that its arguments name, folders expanded."""

import errno
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from ingest_grpc.cli.failures import USAGE, Failure


@dataclass(frozen=True, slots=True)
class Source:
    """One file to upload: where it is, and its name relative to what the user named."""

    path: Path
    name: PurePath


def find_sources(arguments: Iterable[Path]) -> list[Source]:
    """The files named, and those in the folders named: recursively, sorted, without hidden ones.

    A file given twice (also by way of a folder) counts once. Raises Failure for what does not exist or holds no file.
    """
    found: dict[Path, Source] = {}
    for argument in arguments:
        for source in _expand(argument):
            found.setdefault(source.path.resolve(), source)
    if not found:
        raise Failure("No files to ingest.", "Name files, or folders that contain files that are not hidden.", USAGE)
    return list(found.values())


def _expand(argument: Path) -> Iterator[Source]:
    if argument.is_file():
        yield Source(argument, PurePath(argument.name))
    elif argument.is_dir():
        inside = [(path, path.relative_to(argument)) for path in argument.rglob("*")]
        visible = [(path, name) for path, name in inside if not _is_hidden(name) and path.is_file()]
        yield from (Source(path, name) for path, name in sorted(visible))
    elif argument.exists():
        raise Failure(f"{argument} is neither a file nor a folder.", "Name regular files and folders.", USAGE)
    else:
        raise Failure(f"{argument} does not exist.", "Check the path, seen from the current folder.", USAGE)


def _is_hidden(name: PurePath) -> bool:
    return any(part.startswith(".") for part in name.parts)


def prompt_text(value: str) -> str:
    """What a FILE|TEXT option means: the text of the file of that name if there is one, else the value itself."""
    try:
        return Path(value).read_text(encoding="utf-8") if value and Path(value).is_file() else value
    except UnicodeDecodeError:
        raise Failure(f"{value} is not UTF-8 text.", "Save the prompt as UTF-8.", USAGE) from None
    except OSError as error:
        # A prompt may be longer than any file name: then it is a text.
        if error.errno == errno.ENAMETOOLONG:
            return value
        raise
