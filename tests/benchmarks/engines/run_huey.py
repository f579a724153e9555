"""huey on SQLite."""

import sys
import threading
import time
from pathlib import Path

from huey import SqliteHuey

folder, records, workers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
huey = SqliteHuey(filename=str(folder / "huey.sqlite3"), fsync=True)
done, left, lock = threading.Event(), records, threading.Lock()


@huey.task()  # type: ignore[untyped-decorator]
def empty(number: int) -> int:
    global left
    with lock:
        left -= 1
        if not left:
            done.set()
    return number  # a result is stored: who asks later must learn what became of it


consumer = huey.create_consumer(
    workers=workers, worker_type="thread", periodic=False, initial_delay=0.01, max_delay=0.01, check_worker_health=False
)
consumer.start()
began = time.perf_counter()
for number in range(records):
    empty(number)
assert done.wait(300), "huey did not finish"
print(records / (time.perf_counter() - began))
consumer.stop()
