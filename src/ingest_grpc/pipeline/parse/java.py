"""Which Java runtime this machine has, and what of the disk it reads. Light: the server imports it and starts none."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

OLDEST = 11
"""The oldest release that opendataloader runs on."""

_RELEASE = re.compile(r'^JAVA_VERSION="(?:1\.)?(\d+)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class JavaRuntime:
    """An installed runtime: its folder, and its release (17)."""

    home: Path
    release: int

    @property
    def library(self) -> Path:
        """The virtual machine, to be loaded into a process."""
        return self.home / "lib" / "server" / "libjvm.so"

    @property
    def readable_paths(self) -> tuple[str, ...]:
        """All that it may read: its folder, and what links from there lead to (some systems keep its settings
        elsewhere)."""
        return str(self.home), *sorted(self._linked())

    def _linked(self) -> Iterator[str]:
        for folder in ("conf", "lib"):
            for path in (self.home / folder).rglob("*"):
                if path.is_symlink() and not path.resolve().is_relative_to(self.home):
                    yield str(path.resolve())


def find_runtime(home: Path | None) -> JavaRuntime | None:
    """The runtime in this folder; without one, that of JAVA_HOME, else that of the program `java` on the PATH. None if
    there is none."""
    for folder in (home,) if home is not None else _usual():
        if (runtime := _runtime(folder)) is not None:
            return runtime
    return None


def _usual() -> Iterator[Path]:
    if named := os.environ.get("JAVA_HOME"):
        yield Path(named)
    if program := shutil.which("java"):
        yield Path(program).resolve().parent.parent


def _runtime(folder: Path) -> JavaRuntime | None:
    folder = folder.resolve()
    try:
        found = _RELEASE.search((folder / "release").read_text("utf-8", "replace"))
    except OSError:
        return None
    runtime = JavaRuntime(folder, int(found[1]) if found else 0)
    return runtime if runtime.library.is_file() else None


def library_jar() -> str:
    """opendataloader itself, as its package brings it."""
    return str(_folder_of("opendataloader_pdf") / "jar" / "opendataloader-pdf-cli.jar")


def bridge_jar() -> str:
    """What the bridge from Python adds to the virtual machine."""
    return str(_folder_of("jpype").parent / "org.jpype.jar")


def _folder_of(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{package} is not installed")
    return Path(spec.origin).parent
