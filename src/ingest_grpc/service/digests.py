"""What is known of the bytes of unfinished uploads: learned as they come, or caught up by reading them again."""

import asyncio
import hashlib
from collections import OrderedDict

from ingest_grpc.blobs.interface import CHUNK_BYTES
from ingest_grpc.blobs.spool import Spool
from ingest_grpc.model import NewFile, Upload
from ingest_grpc.service.upload import ReceivedContent

MAX_DIGESTS = 1_000
"""Uploads whose digest is kept in memory; those beyond are read once more when they are completed."""


class Digest:
    """Of the first `position` bytes of one upload."""

    def __init__(self, new: NewFile) -> None:
        self.position = 0
        self._sha256 = hashlib.sha256()
        self._content = ReceivedContent(new)

    def feed(self, data: bytes) -> None:
        """The next bytes; may take milliseconds."""
        self._sha256.update(data)
        self._content.feed(data)
        self.position += len(data)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    @property
    def is_markdown(self) -> bool:
        return self._content.is_markdown


class Digests:
    """By upload id. A digest is only an economy: losing one costs a second reading, never correctness."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._digests: OrderedDict[str, Digest] = OrderedDict()

    async def feed(self, upload: Upload, data: bytes) -> None:
        """`data` became durable behind the committed bytes of `upload`."""
        digest = self._digests.pop(upload.upload_id, None)
        if digest is None and upload.committed_bytes == 0:
            digest = Digest(upload.new)
        if digest is None or digest.position != upload.committed_bytes:
            return  # the bytes before are not known here: `complete` reads all of them
        # Not in its place while a thread changes it: a cancelled call would leave a digest of nobody knows what.
        await asyncio.to_thread(digest.feed, data)
        self._digests[upload.upload_id] = digest
        if len(self._digests) > MAX_DIGESTS:
            self._digests.popitem(last=False)

    async def complete(self, upload: Upload) -> Digest:
        """The digest of all committed bytes."""
        digest = self._digests.pop(upload.upload_id, None)
        if digest is None or digest.position > upload.committed_bytes:
            digest = Digest(upload.new)
        while digest.position < upload.committed_bytes:
            limit = min(CHUNK_BYTES, upload.committed_bytes - digest.position)
            data = await self._spool.read(upload.upload_id, digest.position, limit)
            if not data:
                raise RuntimeError(f"the spool of {upload.upload_id} is shorter than it was a moment ago")
            await asyncio.to_thread(digest.feed, data)
        self._digests[upload.upload_id] = digest
        return digest

    def forget(self, upload_id: str) -> None:
        """The upload is complete or gone."""
        self._digests.pop(upload_id, None)
