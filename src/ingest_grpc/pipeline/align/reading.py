"""Reads the sections of files a slice at a time, off the event loop."""

import asyncio
import io
import os
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ingest_grpc.cancellation import to_its_end
from ingest_grpc.pipeline.align.interface import SourceFile
from ingest_grpc.pipeline.align.sections import Section, split

T = TypeVar("T")

SLICE_CHARACTERS = 1 << 20
"""Text read in one go: what a cancelled alignment still reads, and what it holds in memory."""


@dataclass(frozen=True, slots=True)
class SourceSection:
    """A section and where it stands: its number in its file, from 1."""

    section: Section
    file_id: str
    filename: str
    number: int


@dataclass(frozen=True, slots=True)
class Slice:
    """The next sections of a file, and how much of the file was read by then, 0 to 1."""

    sections: list[SourceSection]
    read: float


async def off_loop(work: Callable[[], T]) -> T:
    """The result of `work` in a thread; a cancelled caller waits for its end, since it uses descriptors."""
    return await to_its_end(asyncio.to_thread(work))


async def slices(file: SourceFile, max_characters: int) -> AsyncGenerator[Slice, None]:
    """The sections of a file; the last slice may be empty."""
    async with file.open() as fd:
        with closing(_sections(file, fd, max_characters)) as sections:
            while True:
                found = await off_loop(partial(_take, sections))
                at = os.lseek(fd, 0, os.SEEK_CUR)
                yield Slice(found, min(1.0, at / file.size_bytes) if file.size_bytes else 1.0)
                if not found:
                    return


def _sections(file: SourceFile, fd: int, max_characters: int) -> Generator[SourceSection, None, None]:
    with open(fd, encoding="utf-8-sig", errors="replace", closefd=False) as text:
        for number, section in enumerate(split(_lines(text, max_characters), max_characters), start=1):
            yield SourceSection(section, file.file_id, file.filename, number)


def _lines(text: io.TextIOWrapper, max_characters: int) -> Iterator[str]:
    """Lines with their ends, long ones in pieces."""
    while line := text.readline(max_characters):
        yield line


def _take(sections: Iterator[SourceSection]) -> list[SourceSection]:
    found: list[SourceSection] = []
    size = 0
    for each in sections:
        found.append(each)
        size += len(each.section.text)
        if size >= SLICE_CHARACTERS:
            break
    return found
