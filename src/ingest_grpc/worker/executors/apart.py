"""Children of engines that are apart from the others: they load what others need not pay for, or may do what others
may not. Each has a profile of its own, chosen here; none of it changes that of the others."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ingest_grpc.config import Settings
from ingest_grpc.pipeline.parse import java
from ingest_grpc.pipeline.parse.choice import Table, chosen_engines
from ingest_grpc.pipeline.parse.engines import DOCLING, OPENDATALOADER
from ingest_grpc.sandbox.entry import child_command
from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import ChildSpec, Limits, Scratch
from ingest_grpc.worker.executors.ocr import outside, readable_paths

_MODULE = "ingest_grpc.pipeline.parse.child"
_START_SECONDS = 120.0
_HEAP_SHARE = 0.6
"""Of the memory that a conversion may take: the rest is for the virtual machine itself, and for Python."""
_SYSTEM = (
    *("/usr/lib", "/lib", "/lib64", "/etc/ld.so.cache"),
    *("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/urandom", "/dev/random"),
    "/proc/self/maps",
)
"""What a virtual machine reads beside its own folder: shared libraries, what the machine has, random numbers, and where
its own stack lies."""


def pools_apart(settings: Settings, limits: Limits, table: Table) -> Mapping[str, ChildPool]:
    """By engine, the pools of those that the table names."""
    chosen = chosen_engines(table)
    return {engine: _pool(settings, spec(settings, limits)) for engine, spec in _SPECS.items() if engine in chosen}


def sweep_scratch(settings: Settings) -> None:
    """Remove what children of a server that was killed left. Only for the owner of the data folder."""
    shutil.rmtree(scratch_folder(settings), ignore_errors=True)


def scratch_folder(settings: Settings) -> Path:
    """Where children that have to write have their folders."""
    return settings.data_dir.absolute() / "scratch"


def _pool(settings: Settings, spec: ChildSpec) -> ChildPool:
    return ChildPool(
        replace(spec, start_timeout_seconds=_START_SECONDS, all_protections=settings.require_sandbox),
        max(1, settings.worker_count),
        max_tasks=settings.child_max_documents,
        max_resident_bytes=settings.conversion_memory_bytes,
        patience_seconds=_START_SECONDS,
    )


def _docling(settings: Settings, limits: Limits) -> ChildSpec:
    """What its children occupy is limited by `conversion_memory_bytes`, what they reserve is not: their runtime
    reserves far more than it uses."""
    models = str(settings.docling_models)
    return ChildSpec(
        child_command(_MODULE, DOCLING, models),
        replace(limits, address_space_bytes=None),
        readable_paths=(*readable_paths(settings.data_dir), models),
    )


def _opendataloader(settings: Settings, limits: Limits) -> ChildSpec:
    """The virtual machine reserves address space freely, reads its own folder for ever, and writes in a folder of its
    own: the document, and what it makes of large streams. It executes and starts nothing, as all the others."""
    runtime = java.find_runtime(settings.java_home)
    assert runtime is not None, "engine_table has looked"
    heap_bytes = int(settings.conversion_memory_bytes * _HEAP_SHARE)
    return ChildSpec(
        child_command(_MODULE, OPENDATALOADER, str(runtime.library), str(heap_bytes)),
        replace(
            limits,
            address_space_bytes=None,
            written_bytes=max(limits.written_bytes, settings.max_document_bytes),
        ),
        readable_paths=outside(
            settings.data_dir, (*_SYSTEM, *runtime.readable_paths, java.library_jar(), java.bridge_jar())
        ),
        scratch=Scratch(
            str(scratch_folder(settings)), max_bytes=settings.max_document_bytes + settings.max_expanded_bytes
        ),
    )


_SPECS: Mapping[str, Callable[[Settings, Limits], ChildSpec]] = {
    DOCLING: _docling,
    OPENDATALOADER: _opendataloader,
}
