"""The seam to the disk: every call that changes it, one method each, so that a test can fail or record them."""

import os
import tempfile
from pathlib import Path


class FileSystem:
    """Blocking calls; all raise OSError. Nothing here follows a symbolic link or is inherited by a child."""

    def create(self, path: Path) -> int:
        """A write-only descriptor of a new file that only its owner may read. Raises FileExistsError."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def reopen(self, path: Path, size: int) -> int:
        """A write-only descriptor at the end of a file that is cut to `size` bytes. Raises FileNotFoundError."""
        fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.ftruncate(fd, size)
            os.lseek(fd, size, os.SEEK_SET)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def open(self, path: Path) -> int:
        """A read-only descriptor. Raises FileNotFoundError."""
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def nameless(self, folder: Path | None) -> int:
        """A read-write descriptor of an empty file without a name; None = the machine's temporary folder."""
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            return os.dup(file.fileno())

    def write(self, fd: int, data: bytes | memoryview) -> None:
        """Writes all of `data`, however many calls the kernel wants for it."""
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]

    def fsync(self, fd: int) -> None:
        """The file's bytes and size outlive a power cut."""
        os.fsync(fd)

    def fsync_folder(self, folder: Path) -> None:
        """The folder's names outlive a power cut; a file's own fsync does not promise that."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def link(self, source: Path, target: Path) -> None:
        """A second name for the same file. Raises FileExistsError."""
        os.link(source, target, follow_symlinks=False)

    def rename(self, source: Path, target: Path) -> None:
        """Another name in place of the first. Replaces what is there."""
        source.rename(target)

    def unlink(self, path: Path) -> bool:
        """Removes the name; False if there was none."""
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def make_folder(self, folder: Path) -> None:
        """The folder, for its owner only, and its missing parents; each name durable in its parent."""
        if folder.is_dir():
            return
        self.make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        self.fsync_folder(folder.parent)
