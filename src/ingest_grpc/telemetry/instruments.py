"""Every metric of the service, in one table: its name, what it means, and its labels.

What counts calls has the names of go-grpc-prometheus (`grpc_server_*`), because ten years of dashboards and alert rules
know them; the `rpc.server.*` of OpenTelemetry are still in development and changed their names and units. Everything
else begins with `ingest_`. No label holds what a caller chose: no team, no job, no unknown method.

Instruments are touched on the event loop, on hot paths too: some half a microsecond each, if the labelled child is
kept.
"""

from collections.abc import Iterable
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
"""What the exporters read: the instruments below, and process_*, python_*."""

ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


def begin_at_zero(counter: Counter, *labels: Iterable[str]) -> None:
    """Makes a series of each combination of the labels' known values, to be called by the module that counts them.

    One that appears with its first event has never risen for `increase` and `rate`: an alert would miss that event.
    """
    for values in product(*labels):
        counter.labels(*values)


_METHOD = ("grpc_service", "grpc_method")
_QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds in seconds of what should take milliseconds."""

# ── calls ──────────────────────────────────────────────────────────────────────────────────────────────

CALLS_STARTED = Counter("grpc_server_started", "Calls that began.", _METHOD, registry=REGISTRY)
CALLS_HANDLED = Counter(
    "grpc_server_handled", "Calls that ended, by their gRPC code.", (*_METHOD, "grpc_code"), registry=REGISTRY
)
CALL_SECONDS = Histogram(
    "grpc_server_handling_seconds",
    "From the begin of a call to its end; that of a stream is its whole life.",
    _METHOD,
    registry=REGISTRY,
    buckets=_QUICK,
)

# ── the ledger ─────────────────────────────────────────────────────────────────────────────────────────

COMMIT_SECONDS = Histogram(
    "ingest_commit_seconds", "One transaction, from its first statement until it is durable.", (), registry=REGISTRY,
    buckets=_QUICK,
)  # fmt: skip
COMMIT_UNITS = Histogram(
    "ingest_commit_units",
    "Writes that shared one transaction.",
    (),
    registry=REGISTRY,
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
)
COMMIT_FAILURES = Counter(
    "ingest_commit_failures",
    "Transactions that the database refused, by the reason that callers were told.",
    ("reason",),
    registry=REGISTRY,
)
LEDGER_REOPENED = Counter(
    "ingest_ledger_reopens", "Times the ledger was reopened after an I/O error.", (), registry=REGISTRY
)
LEDGER_HEALTHY = Gauge("ingest_ledger_healthy", "1 while writes are accepted, else 0.", (), registry=REGISTRY)
WRITES_WAITING = Gauge("ingest_writes_waiting", "Writes that wait for the next transaction.", (), registry=REGISTRY)
WAL_BYTES = Gauge("ingest_wal_bytes", "Size of the ledger's write-ahead log.", (), registry=REGISTRY)
DISK_FREE_BYTES = Gauge("ingest_disk_free_bytes", "Free bytes on the disk of the data folder.", (), registry=REGISTRY)

# ── work ───────────────────────────────────────────────────────────────────────────────────────────────

TRANSITIONS = Counter(
    "ingest_transitions",
    "Committed transitions of records and alignments, by what caused them; claims are those by CLAIMED.",
    ("of", "trigger"),
    registry=REGISTRY,
)
QUEUED = Gauge("ingest_queue_records", "Records that a worker could claim now.", (), registry=REGISTRY)
QUEUE_AGE_SECONDS = Gauge(
    "ingest_queue_oldest_seconds",
    "Since the oldest of the records that a worker could claim now was added; 0 if there is none.",
    (),
    registry=REGISTRY,
)
DELAYED = Gauge(
    "ingest_delayed_records", "Queued records that wait for a back-off or for their team's cap.", (), registry=REGISTRY
)
RUNNING = Gauge(
    "ingest_running_records", "Records that are claimed: fetched, converted or stored just now.", (), registry=REGISTRY
)
STEP_SECONDS = Histogram(
    "ingest_step_seconds",
    "How long a record was in a step, whatever came of it. FETCH ends when it has a worker.",
    ("step",),
    registry=REGISTRY,
    buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0),
)
CHILD_RESTARTS = Counter(
    "ingest_child_restarts",
    "Converter children that were replaced, by cause; recycled ones had only done their share.",
    ("cause",),
    registry=REGISTRY,
)

TASKS = Gauge("ingest_tasks", "Tasks of the server's event loop.", (), registry=REGISTRY)

# ── watching ───────────────────────────────────────────────────────────────────────────────────────────

WATCHERS = Gauge("ingest_watchers", "Open streams of WatchJob and WatchJobs.", ("of",), registry=REGISTRY)
WATCH_LAG_SECONDS = Histogram(
    "ingest_watch_lag_seconds",
    "From an event's commit until it was written to a watcher that waited for it; sampled, at most 100 per second.",
    (),
    registry=REGISTRY,
    buckets=_QUICK,
)
WATCH_STALLED_SECONDS = Gauge(
    "ingest_watch_stalled_seconds", "How long the slowest watcher has not been reading.", (), registry=REGISTRY
)
WATCHERS_LET_GO = Counter(
    "ingest_watchers_let_go", "Watchers that were ended because they did not read.", (), registry=REGISTRY
)
WATCHERS_REFUSED = Counter(
    "ingest_watchers_refused", "Watches refused by a cap, by whose cap it was.", ("cap",), registry=REGISTRY
)
