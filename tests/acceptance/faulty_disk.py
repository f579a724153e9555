"""A disk under a real server that fails on demand: a shim of the C library, or a file system that is really small."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("faulty_disk.c")
COMPILER = shutil.which("cc") or shutil.which("gcc")


class FaultyDisk:
    """`environment` makes a server use it; `order` says what fails from now on, below `root`."""

    def __init__(self, folder: Path, root: Path) -> None:
        assert COMPILER is not None, "a C compiler builds the shim"
        library = folder / "faulty_disk.so"
        command = [COMPILER, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        self._orders = folder / "orders"
        self.order("")
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "FAULTY_ROOT": str(root),
            "FAULTY_ORDERS": str(self._orders),
        }

    def order(self, fault: str) -> None:
        """ "full", "fsync", or "" for a disk that works."""
        partial = self._orders.with_suffix(".new")
        partial.write_text(fault)
        partial.replace(self._orders)

    @contextlib.contextmanager
    def failing(self, fault: str) -> Iterator[None]:
        """The fault, while the context lasts."""
        self.order(fault)
        try:
            yield
        finally:
            self.order("")


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of this size in memory. Raises PermissionError where nothing can be mounted."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode or os.geteuid():
        raise PermissionError(mounted.stderr.decode())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
