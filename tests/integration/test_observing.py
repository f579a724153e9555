"""What an operator sees of a server that runs: scraped metrics, pushed metrics, and lines of the log."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from ingest_grpc.api.exposure import MetricsExposed
from ingest_grpc.telemetry import JsonFormatter, otlp
from ingest_grpc.telemetry.endpoint import MetricsAddressUnavailable
from ingest_grpc.v1.job_service_pb2 import CreateJobRequest, GetJobRequest
from tests.integration.calling import failure
from tests.integration.serving import GROUNDED, Server, until
from tests.integration.watching import NEVER, Watchers

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Scraped:
    """What one scrape returned."""

    def __init__(self, text: str) -> None:
        self._samples: Samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def get(self, name: str, **labels: str) -> float:
        return self._samples.get((name, frozenset(labels.items())), 0.0)

    def labels(self, label: str) -> set[str]:
        return {value for _, labels in self._samples for name, value in labels if name == label}


async def scrape(server: Server) -> Scraped:
    await server.app.observing._sampler.step()
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{server.app.observing.address}/metrics")
    assert answer.status_code == 200
    return Scraped(answer.text)


async def test_scrape__tells_what_happened_since_the_last(tmp_path: Path) -> None:
    """Through a real server: calls, commits, transitions, queue, watchers. The counters are those of the process."""
    async with Server(tmp_path, metrics_address="127.0.0.1:0") as server:
        before = await scrape(server)
        watchers = Watchers(server)
        job = await server.job("a.txt", "b.txt", "c.txt")
        watch = watchers.watch(job, 0, until=NEVER)
        await watch.take(1)
        await server.quiet()
        server.clock.advance(30.0)
        [claim] = await server.claim()
        await server.succeed(claim)
        await watch.through(lambda message: message.event.sequence >= 8)
        for name in ("GetJob", "Invented", "AlsoInvented"):
            await failure(server.channel, "JobService/GetJob", GetJobRequest(job_id="x"), name=f"JobService/{name}")
        after = await scrape(server)

        def rise(name: str, **labels: str) -> float:
            return after.get(name, **labels) - before.get(name, **labels)

        service = "ingest_grpc.v1.JobService"
        created = {"grpc_service": service, "grpc_method": "CreateJob"}
        assert rise("grpc_server_started_total", **created) == 1
        assert rise("grpc_server_handled_total", **created, grpc_code="OK") == 1
        assert rise("grpc_server_handling_seconds_count", **created) == 1
        get = {"grpc_service": service, "grpc_method": "GetJob"}
        assert rise("grpc_server_handled_total", **get, grpc_code="INVALID_ARGUMENT") == 1
        strange = {"grpc_service": "unknown", "grpc_method": "unknown"}
        assert rise("grpc_server_handled_total", **strange, grpc_code="UNIMPLEMENTED") == 2
        assert not {"Invented", "AlsoInvented"} & after.labels("grpc_method"), "names of callers are no labels"

        for trigger, count in (("ADDED", 3), ("CLAIMED", 1), ("SUCCEEDED", 1)):
            assert rise("ingest_transitions_total", of="record", trigger=trigger) == count
        assert rise("ingest_commit_seconds_count") == rise("ingest_commit_units_count") > 0
        assert rise("ingest_commit_units_sum") >= rise("ingest_commit_units_count")
        assert (after.get("ingest_queue_records"), after.get("ingest_running_records")) == (2, 0)
        assert after.get("ingest_queue_oldest_seconds") == 30.0
        assert after.get("ingest_ledger_healthy") == 1
        assert after.get("ingest_watchers", of="job") == 1
        assert rise("ingest_watch_lag_seconds_count") >= 1
        assert after.get("ingest_disk_free_bytes") > 0
        assert after.get("process_resident_memory_bytes") > 0
        assert after.get("process_open_fds") > 0
        watch.leave()


async def test_scrape__tells_of_failed_commits_and_refused_watches(tmp_path: Path) -> None:
    async with Server(tmp_path, metrics_address="127.0.0.1:0", max_watchers=1) as server:
        job = await server.job("a.txt")
        before = await scrape(server)
        watchers = Watchers(server)
        first = watchers.watch(job, 0, until=NEVER)
        await first.take(1)
        assert await watchers.watch(job, 0, until=NEVER).next() is None
        server.change("CREATE TRIGGER full BEFORE INSERT ON jobs BEGIN SELECT RAISE(ABORT, 'no'); END")
        with pytest.raises(grpc.aio.AioRpcError):
            await server.job("b.txt")
        after = await scrape(server)
        assert after.get("ingest_watchers_refused_total", cap="server") == 1 + before.get(
            "ingest_watchers_refused_total", cap="server"
        )
        handled = {"grpc_service": "ingest_grpc.v1.JobService", "grpc_method": "CreateJob", "grpc_code": "INTERNAL"}
        assert after.get("grpc_server_handled_total", **handled) > before.get("grpc_server_handled_total", **handled)
        first.leave()


async def test_endpoint__ends_with_the_server(tmp_path: Path) -> None:
    async with Server(tmp_path, metrics_address="127.0.0.1:0") as server:
        address = server.app.observing.address
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{address}/metrics")


async def test_metrics_address__beyond_loopback_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MetricsExposed, match=r"refused to serve metrics on 0\.0\.0\.0:9464") as caught:
        Server(tmp_path, metrics_address="0.0.0.0:9464")
    assert "tls" not in caught.value.fix.lower(), "it would not protect the page"


async def test_metrics_address__in_use_stops_the_start(tmp_path: Path) -> None:
    async with Server(tmp_path / "first", metrics_address="127.0.0.1:0") as first:
        second = Server(tmp_path / "second", metrics_address=first.app.observing.address)
        with pytest.raises(MetricsAddressUnavailable, match="cannot serve metrics on"):
            await second.app.start()


# ── OpenTelemetry ──────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    """A real HTTP server that takes OTLP, its URL, and what it got."""
    received: list[ExportMetricsServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base's
            """The test's output stays quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}/v1/metrics", received
        finally:
            http.shutdown()
            thread.join()


async def test_push__sends_every_metric_in_the_data_of_opentelemetry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with collector() as (url, received):
        async with Server(tmp_path, otlp_endpoint=url) as server:
            await server.finished_job("a.txt")
            await until(lambda: received)
        assert len(received) >= 2, "the last one at the end"
    [resource] = received[-1].resource_metrics
    assert {each.key: each.value.string_value for each in resource.resource.attributes}["service.name"] == "ingest-grpc"
    metrics = {metric.name: metric for metric in resource.scope_metrics[0].metrics}

    transitions = metrics["ingest_transitions_total"].sum
    assert transitions.is_monotonic
    counts = {tuple(each.value.string_value for each in p.attributes): p.as_double for p in transitions.data_points}
    assert counts["record", "SUCCEEDED"] >= 1
    [commits] = metrics["ingest_commit_seconds"].histogram.data_points
    assert commits.count == sum(commits.bucket_counts) > 0
    assert len(commits.bucket_counts) == len(commits.explicit_bounds) + 1
    assert commits.sum > 0
    [healthy] = metrics["ingest_ledger_healthy"].gauge.data_points
    assert healthy.as_double == 1


async def test_push__that_nobody_takes_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "TIMEOUT_SECONDS", 0.2)
    with collector() as (url, _):
        pass
    async with Server(tmp_path, otlp_endpoint=url) as server:
        async with asyncio.timeout(30):
            while "could not be pushed" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (await server.job("a.txt")).job_id, "nothing else minds"


# ── the log ────────────────────────────────────────────────────────────────────────────────────────────


async def test_log__ties_the_request_to_the_job_and_its_sequences(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    lines: list[dict[str, object]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(JsonFormatter().format(record)))

    handler, root = Keep(), logging.getLogger("ingest_grpc")
    caplog.set_level(logging.INFO, "ingest_grpc")
    root.addHandler(handler)
    try:
        create = CreateJobRequest(name="job", job_type=GROUNDED, request_id="mine-1")
        job = (await server.jobs.CreateJob(create)).job
        await server.jobs.GetJob(GetJobRequest(job_id=job.job_id))
    finally:
        root.removeHandler(handler)
    [served] = [line for line in lines if line["message"] == "call served"]
    assert served["request_id"] == "mine-1"
    assert served["method"] == "/ingest_grpc.v1.JobService/CreateJob"
    [created] = [line for line in lines if line.get("event") == "CREATED"]
    assert (created["job_id"], created["sequence"]) == (job.job_id, 1)
    assert (created["request_id"], created["call_id"]) == ("mine-1", served["call_id"])
