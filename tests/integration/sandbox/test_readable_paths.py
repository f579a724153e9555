"""A child with readable paths reads there and nowhere else, in every thread, and writes nowhere."""

from pathlib import Path

import pytest

from ingest_grpc.sandbox.entry import child_command
from ingest_grpc.sandbox.pool import ChildPool
from ingest_grpc.sandbox.spec import ChildSpec, Limits

ENTRY = str(Path(__file__).with_name("readable_child.py"))
LIMITS = Limits(address_space_bytes=None, resident_bytes=2**30, written_bytes=2**20, wall_seconds=60)


@pytest.mark.parametrize(
    ("name", "mode", "result"),
    [
        ("open/a.txt", "r", "words"),
        ("open/a.txt", "a", "PermissionError"),
        ("open/new.txt", "w", "PermissionError"),
        ("closed.txt", "r", "PermissionError"),
    ],
)
async def test_readable_paths__hold_for_threads_started_while_confining(
    tmp_path: Path, name: str, mode: str, result: str
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "a.txt").write_text("words")
    (tmp_path / "closed.txt").write_text("secret")
    paths = (str(tmp_path / "open"), str(tmp_path / "absent"))
    spec = ChildSpec(child_command(ENTRY), LIMITS, all_protections=True, readable_paths=paths)
    pool = ChildPool(spec, 1, max_tasks=10, max_resident_bytes=2**30)
    await pool.start()
    try:
        found = await pool.run({"path": str(tmp_path / name), "mode": mode}, (), lambda _: None)
        assert found == {"main": result, "beside": result}
        assert all(pool.protections.values())
    finally:
        await pool.stop()
