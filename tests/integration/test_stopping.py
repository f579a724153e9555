"""Whatever fails while a server stops or starts, nothing of it is left: its lock could keep the next one away."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from ingest_grpc.app import App
from ingest_grpc.store.sqlite.store import ledger_lock
from tests.executors import FakeExecutor, Gate
from tests.integration.serving import Server


def failing(message: str) -> Callable[..., Coroutine[Any, Any, None]]:
    async def fails(*_arguments: object) -> None:
        raise ZeroDivisionError(message)

    return fails


def is_free(app: App) -> bool:
    """No writer runs, and another server may have the data folder."""
    lock = ledger_lock(app.settings.ledger_path)
    lock.acquire()
    lock.release()
    return not [task for task in asyncio.all_tasks() if task.get_name() == "ledger-writer"]


async def test_stop__with_a_ledger_that_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversion outlasts the grace, and cannot be given back."""
    executor, gate = FakeExecutor(), Gate()
    executor.scripts["a.txt"] = gate
    async with Server(tmp_path / "data", executor=executor, workers=1, real_time=True) as server:
        await server.job("a.txt")
        await gate.entered.wait()
        with monkeypatch.context() as broken:
            broken.setattr(server.app.store._writer, "healthy", False)
            await server.app.stop()
        assert is_free(server.app)


async def test_stop__goes_on_after_parts_that_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with Server(tmp_path / "data") as server:
        with monkeypatch.context() as patched:
            patched.setattr(server.app.observing, "stop", failing("the metrics"))
            patched.setattr(server.app.knowledge.index, "close", failing("the index"))
            with pytest.raises(ZeroDivisionError, match="the metrics"):
                await server.app.stop()
        assert is_free(server.app)
    assert [str(each.exc_info[1]) for each in caplog.records if each.exc_info] == ["the metrics", "the index"]


async def test_start__that_fails_stops_what_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Server(tmp_path / "data").app
    monkeypatch.setattr(app.knowledge.keeper, "recover", failing("the last step"))
    monkeypatch.setattr(app.executor, "stop", failing("and a part that cannot stop"))
    with pytest.raises(ZeroDivisionError, match="the last step"):
        await app.start()
    assert is_free(app)
