"""Disks with one fault each, put where the real one is."""

import errno
from pathlib import Path

from ingest_grpc.blobs.filesystem import FileSystem


class RecordingDisk(FileSystem):
    """Notes every change in order, by the names below `root`."""

    def __init__(self, root: Path) -> None:
        self.calls: list[str] = []
        self._root = root
        self._open: dict[int, str] = {}

    def create(self, path: Path) -> int:
        fd = super().create(path)
        self._open[fd] = self._name(path)
        self.calls.append(f"create {self._open[fd]}")
        return fd

    def write(self, fd: int, data: bytes | memoryview) -> None:
        self.calls.append(f"write {self._open[fd]}")
        super().write(fd, data)

    def fsync(self, fd: int) -> None:
        self.calls.append(f"fsync {self._open[fd]}")
        super().fsync(fd)

    def fsync_folder(self, folder: Path) -> None:
        self.calls.append(f"fsync {self._name(folder)}")
        super().fsync_folder(folder)

    def link(self, source: Path, target: Path) -> None:
        self.calls.append(f"link {self._name(source)} {self._name(target)}")
        super().link(source, target)

    def rename(self, source: Path, target: Path) -> None:
        self.calls.append(f"rename {self._name(source)} {self._name(target)}")
        super().rename(source, target)

    def unlink(self, path: Path) -> bool:
        self.calls.append(f"unlink {self._name(path)}")
        return super().unlink(path)

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._root))


class FullDisk(FileSystem):
    """Has room for `room_bytes` more, of which a write takes what fits before it fails."""

    def __init__(self, room_bytes: int, code: int = errno.ENOSPC) -> None:
        self._room_bytes = room_bytes
        self._code = code

    def write(self, fd: int, data: bytes | memoryview) -> None:
        super().write(fd, data[: self._room_bytes])
        self._room_bytes -= len(data)
        if self._room_bytes < 0:
            raise OSError(self._code, "no room")


class FailingFsync(FileSystem):
    """A disk that cannot make files durable, or folders."""

    def __init__(self, *, file: bool = False, folder: str = "") -> None:
        self._file = file
        self._folder = folder

    def fsync(self, fd: int) -> None:
        if self._file:
            raise OSError(errno.EIO, "fsync failed")
        super().fsync(fd)

    def fsync_folder(self, folder: Path) -> None:
        if folder.name == self._folder:
            raise OSError(errno.EIO, "fsync failed")
        super().fsync_folder(folder)


class NoHardLinks(FileSystem):
    """A file system as FAT, or one whose links fail for another reason."""

    def __init__(self, code: int = errno.EPERM) -> None:
        self._code = code

    def link(self, source: Path, target: Path) -> None:
        raise OSError(self._code, "no hard links")


class StuckUnlink(FileSystem):
    """Names cannot be removed."""

    def unlink(self, path: Path) -> bool:
        raise OSError(errno.EIO, "unlink failed")


class PowerCut(FileSystem):
    """Does `calls` changes; from then on nothing reaches the disk, not even clean-up."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    @property
    def happened(self) -> bool:
        return self._left < 0

    def create(self, path: Path) -> int:
        self._spend()
        return super().create(path)

    def write(self, fd: int, data: bytes | memoryview) -> None:
        self._spend()
        super().write(fd, data)

    def fsync(self, fd: int) -> None:
        self._spend()
        super().fsync(fd)

    def fsync_folder(self, folder: Path) -> None:
        self._spend()
        super().fsync_folder(folder)

    def link(self, source: Path, target: Path) -> None:
        self._spend()
        super().link(source, target)

    def unlink(self, path: Path) -> bool:
        self._spend()
        return super().unlink(path)

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise OSError(errno.EIO, "power cut")
