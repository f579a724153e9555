"""How the members of an archive travel from the child that unpacks it: frames in a pipe, counted at both ends.

A frame is a 4-byte length and that many bytes. A member begins with a frame of JSON, its header, goes on with
frames of its content, and ends with an empty frame; or with ABORTED in place of a length, when its content turned
out to be unreadable: whatever came of it is void.
"""

import json
import os
import struct

LENGTH = struct.Struct("!I")
ABORTED = 0xFFFFFFFF
MAX_HEADER_BYTES = 16 * 1024
MAX_FRAME_BYTES = 256 * 1024


class MemberWriter:
    """The child's end; blocks while the reader is busy."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def begin(self, path: str) -> None:
        """A member follows; `path` is its name in the archive as it stands there."""
        header = json.dumps({"path": path[: MAX_HEADER_BYTES // 8]}).encode("ascii")
        self._write(LENGTH.pack(len(header)) + header)

    def content(self, data: bytes) -> None:
        """A part of its content, at most MAX_FRAME_BYTES and not empty."""
        self._write(LENGTH.pack(len(data)) + data)

    def end(self) -> None:
        """The member is whole."""
        self._write(LENGTH.pack(0))

    def abort(self) -> None:
        """The member cannot be read to its end."""
        self._write(LENGTH.pack(ABORTED))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]
