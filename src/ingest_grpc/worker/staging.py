"""Files that come from a child, on their way to being durable: each in a blob of its own, that no row names yet."""

import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from ingest_grpc.blobs.interface import Blobs, BlobWriter, StoredBlob
from ingest_grpc.model import NewFile
from ingest_grpc.service.attempted import attempted
from ingest_grpc.service.intake import Intake
from ingest_grpc.service.upload import ReceivedContent

SPACE_CHECK_BYTES = 64 * 1024 * 1024
"""Free space is asked for again after this many bytes."""


@dataclass(frozen=True, slots=True)
class Staged:
    """A durable file without a row; `markdown` as of a File."""

    file: NewFile
    blob: StoredBlob
    markdown: bool


@dataclass(slots=True)
class Staging(ABC):
    """A MemberSink; what one kind of files may be called and how much may come is for the class of that kind to say."""

    blobs: Blobs
    intake: Intake
    staged: list[Staged] = field(default_factory=list, init=False)
    begun: int = field(default=0, init=False)
    """Files that began, those that became void too: each cost a file on the disk."""
    received: int = field(default=0, init=False)
    _writer: BlobWriter | None = field(default=None, init=False)
    _content: ReceivedContent | None = field(default=None, init=False)
    _file: NewFile | None = field(default=None, init=False)
    _checked: int = field(default=0, init=False)

    @abstractmethod
    def name(self, path: str) -> NewFile:
        """The next file by the child's word for it. What this raises ends the transfer."""

    @abstractmethod
    def check(self) -> None:
        """Called whenever more bytes were `received`, in all. What this raises ends the transfer."""

    async def begin(self, path: str) -> None:
        """Raises as `name` does."""
        self.begun += 1
        self._file = self.name(path)
        self._content = ReceivedContent(self._file)
        self._writer = await self.blobs.writer(uuid.uuid4().hex).__aenter__()

    async def write(self, data: bytes) -> None:
        """Raises as `check` does, and IngestError when the disk is full."""
        assert self._writer is not None
        assert self._content is not None
        self.received += len(data)
        self.check()
        if self.received - self._checked > SPACE_CHECK_BYTES:
            self._checked = self.received
            await self.intake.check_space(0)
        await self._writer.write(data)
        self._content.feed(data)

    async def end(self) -> None:
        """The file is durable."""
        assert self._writer is not None
        assert self._content is not None
        assert self._file is not None
        blob = await self._writer.commit()
        self._writer = None
        self.staged.append(Staged(self._file, blob, self._content.is_markdown))

    async def abort(self) -> None:
        """The file is void."""
        if self._writer is not None:
            await self._writer.abort()
            self._writer = None

    async def drop(self) -> None:
        """Nothing is left of any file, unless its storage fails: that is logged, and the next start looks for it."""
        await attempted("dropping a file", self.abort())
        for staged in self.staged:
            await attempted("dropping a file", self.blobs.delete(staged.blob.key))
