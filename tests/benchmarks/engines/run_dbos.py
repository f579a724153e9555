"""DBOS on SQLite."""

import logging
import sys
import time
from pathlib import Path

from dbos import DBOS

folder, records, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
logging.disable(logging.WARNING)
DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{folder}/dbos.sqlite3"})


@DBOS.workflow()  # type: ignore[untyped-decorator]
def empty(number: int) -> int:
    return number


DBOS.launch()
DBOS.register_queue("bench", worker_concurrency=workers, polling_interval_sec=0.02)
began = time.perf_counter()
handles = [DBOS.enqueue_workflow("bench", empty, number) for number in range(records)]
for handle in handles:
    handle.get_result()
print(records / (time.perf_counter() - began))
DBOS.destroy()
