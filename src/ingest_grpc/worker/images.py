"""Takes the pictures of a document from the child that found them. The child is not believed in anything."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ingest_grpc.blobs.interface import Blobs
from ingest_grpc.config import Settings
from ingest_grpc.model import NewFile
from ingest_grpc.pipeline.parse.limits import Limits
from ingest_grpc.pipeline.parse.stored_images import HEAD_BYTES, type_of
from ingest_grpc.service.images import StoredImage
from ingest_grpc.service.intake import Intake
from ingest_grpc.store.interface import Store
from ingest_grpc.worker.executors.unpacking import StreamBroken
from ingest_grpc.worker.staging import Staging

NewImages = Callable[[], "Images | None"]
"""Called for each attempt; None where no pictures are stored."""


def new_images(settings: Settings, store: Store, blobs: Blobs) -> NewImages:
    """As the settings say."""
    intake, limits = Intake(store, blobs, settings), Limits.of(settings)
    return lambda: Images(blobs, intake, limits) if settings.store_images else None


@dataclass(slots=True)
class Images(Staging):
    """The pictures of one attempt. StreamBroken for whatever a child that keeps to its limits never sends."""

    limits: Limits
    stored: list[StoredImage] = field(default_factory=list, init=False)
    _path: str = field(default="", init=False)
    _before: int = field(default=0, init=False)
    _head: bytes = field(default=b"", init=False)

    def name(self, path: str) -> NewFile:
        """The name counts only at the end, when the type is known."""
        if self.begun > self.limits.max_stored_images:
            raise StreamBroken(f"more than {self.limits.max_stored_images} pictures")
        self._path, self._before, self._head = path, self.received, b""
        return NewFile(filename=path, content_type="application/octet-stream")

    def check(self) -> None:
        """Bytes of this picture, and of all."""
        most = self.limits.max_stored_image_bytes
        if self.received - self._before > most:
            raise StreamBroken(f"a picture of more than {most} bytes")
        if self.received > self.limits.max_stored_images_bytes:
            raise StreamBroken(f"pictures of more than {self.limits.max_stored_images_bytes} bytes")

    async def write(self, data: bytes) -> None:
        self._head += data[: HEAD_BYTES - len(self._head)]
        await Staging.write(self, data)

    async def end(self) -> None:
        """Named by its number and its magic number, as the Markdown has it."""
        kind = type_of(self._head)
        if kind is None or self._path != kind.name(len(self.staged) + 1):
            raise StreamBroken("a picture of another type or name")
        await Staging.end(self)
        self.stored.append(StoredImage(self.staged[-1].blob, self._path, kind.content_type))
