"""The folder that a child may write in: made, watched, emptied and removed by its supervisor."""

import contextlib
import os
import shutil
import tempfile

from ingest_grpc.sandbox.spec import Scratch


class ScratchFolder:
    """A new empty folder. What a child can make there is files alone, so nothing here goes below it."""

    def __init__(self, spec: Scratch) -> None:
        """OSError if it cannot be made."""
        os.makedirs(spec.parent, mode=0o700, exist_ok=True)
        self.path = tempfile.mkdtemp(prefix="child-", dir=spec.parent)
        self._spec = spec

    def excess(self) -> str:
        """Which limit the files in it exceed, "" if none. Reads no more of them than are allowed."""
        taken = 0
        with os.scandir(self.path) as files:
            for count, file in enumerate(files, 1):
                if count > self._spec.max_files:
                    return f"more than {self._spec.max_files} files in its folder"
                taken += file.stat(follow_symlinks=False).st_size
                if taken > self._spec.max_bytes:
                    return f"more than {self._spec.max_bytes} bytes in its folder"
        return ""

    def empty(self) -> None:
        """Remove what a task left."""
        with os.scandir(self.path) as files:
            for file in files:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(file.path)

    def remove(self) -> None:
        """The folder and all that is in it. Safe to call twice."""
        shutil.rmtree(self.path, ignore_errors=True)
