"""Looks whether this machine can run a server with the given settings, and how well it confines converters."""

import os
import platform
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest_grpc.api.exposure import server_credentials
from ingest_grpc.blobs.factory import open_blobs
from ingest_grpc.blobs.origins.origins import Origins
from ingest_grpc.config import Settings, WrongSetting
from ingest_grpc.pipeline.parse.choice import EngineUnavailable
from ingest_grpc.pipeline.parse.engines import engines
from ingest_grpc.units import GIB, MIB
from ingest_grpc.worker.executors.interface import ConversionRequest, Converted
from ingest_grpc.worker.executors.local import LocalExecutor
from ingest_grpc.worker.findings import Finding, of_settings

_FEW_DESCRIPTORS = 4096
_SAMPLE = b"<html><body><h1>A page</h1><p>with words</p></body></html>"


async def examine(settings: Settings) -> list[Finding]:
    """All findings. Starts a converter child, as the server would, and has it convert a small page."""
    found = [*_machine(settings), *_folders(settings), *_used_at_start(settings), *of_settings(settings)]
    return found + await _converters(settings)


def _machine(settings: Settings) -> Iterator[Finding]:
    yield Finding("system", None, f"{platform.system()} {platform.release()} {platform.machine()}")
    yield Finding("Python", None, f"{platform.python_version()} at {sys.executable}")
    yield Finding("engines", None, ", ".join(f"{name} {number}" for name, number in engines().items()))
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = files == resource.RLIM_INFINITY or files >= _FEW_DESCRIPTORS
    fix = "Raise it (ulimit -n, LimitNOFILE=) if many watchers connect."
    yield Finding("open files", enough, f"at most {files}", fix)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    wanted = settings.worker_count * settings.conversion_memory_bytes
    yield Finding(
        "memory",
        wanted <= memory,
        f"{memory / GIB:.1f} GiB; {settings.worker_count} conversions may take up to {wanted / GIB:.1f} GiB",
        "Lower workers or conversion_memory_bytes.",
    )


def _folders(settings: Settings) -> Iterator[Finding]:
    yield _writable("data folder", settings.data_dir)
    yield _writable("temporary folder", Path(tempfile.gettempdir()))
    free = shutil.disk_usage(_existing(settings.data_dir)).free
    fix = "Free space, or put data_dir on another disk: below min_free_disk_bytes uploads are refused."
    yield Finding("free disk", free > settings.min_free_disk_bytes, f"{free / MIB:,.0f} MiB", fix)


def _writable(subject: str, folder: Path) -> Finding:
    """A folder that is not there yet will be made in the nearest one that is. Whether a file can be made there is
    tried: rights alone do not tell."""
    there = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            note = "" if there == folder.absolute() else ", will be made"
    except OSError as error:
        fix = f"Let this user write in {there}, or name another folder."
        return Finding(subject, False, f"{folder}: {error.strerror}", fix)
    return Finding(subject, True, f"{folder}{note}")


def _existing(folder: Path) -> Path:
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def _used_at_start(settings: Settings) -> Iterator[Finding]:
    """What a server opens when it starts, each as the server does."""
    uses: list[tuple[str, object, Callable[[], object]]] = [
        ("TLS", settings.tls_certificate, lambda: server_credentials(settings)),
        ("object store", settings.blobs_url, lambda: open_blobs(settings)),
        ("import URLs", ", ".join(settings.import_urls), lambda: Origins(settings.import_urls)),
    ]
    for subject, wanted, use in uses:
        if wanted:
            try:
                use()
            except WrongSetting as error:
                yield Finding(subject, False, str(error), "Correct the setting.")
            else:
                yield Finding(subject, True, str(wanted))


async def _converters(settings: Settings) -> list[Finding]:
    """What confines a converter, by its own word after it was confined, and whether it converts."""
    with tempfile.TemporaryDirectory() as folder:
        # A folder of its own: the data folder may be that of a server that runs.
        chosen = {"require_sandbox": False, "workers": 1, "data_dir": Path(folder)}
        try:
            executor = LocalExecutor(settings.model_copy(update=chosen))
        except EngineUnavailable as unavailable:
            return [Finding("chosen engines", False, str(unavailable), unavailable.fix)]
        try:
            await executor.start()
            return [*_protections(executor), await _conversion(executor)]
        except EngineUnavailable as unavailable:
            refused = Finding("chosen engines", False, str(unavailable), unavailable.fix)
            return [*_protections(executor), refused, await _conversion(executor)]
        finally:
            await executor.stop()


def _protections(executor: LocalExecutor) -> Iterator[Finding]:
    for name, in_force in executor.protections.items():
        detail = "enforced" if in_force else "missing"
        yield Finding(f"sandbox: {name}", in_force, detail, _FIXES.get(name, _FIX))


async def _conversion(executor: LocalExecutor) -> Finding:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as output:
        source.write(_SAMPLE)
        source.seek(0)
        request = ConversionRequest("page.html", "text/html", "SPEED_OPTIMIZED")
        outcome = await executor.convert(source.fileno(), output.fileno(), request, lambda _: None)
    if isinstance(outcome, Converted):
        return Finding("conversion", True, f"works, with {outcome.engine_name} {outcome.engine_version}")
    return Finding("conversion", False, str(outcome), "Reinstall ingest-grpc.")


_FIX = "The process may lack a right that containers often take away; run it as an ordinary user of a current Linux."
_FIXES = {
    "landlock": "Use Linux 5.13 or newer with Landlock among its security modules (lsm=landlock,...), and a container "
    "runtime whose seccomp profile allows landlock_create_ruleset.",
    "seccomp": "Use a kernel with CONFIG_SECCOMP_FILTER, on x86_64 or aarch64, and a container runtime that allows it.",
    "empty_working_folder": "Give this user the right to write in the temporary folder (TMPDIR).",
}
