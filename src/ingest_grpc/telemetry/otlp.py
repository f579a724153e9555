"""The metrics pushed to a collector over OTLP, the protocol of OpenTelemetry.

The instruments are those that Prometheus scrapes, under the same names; here each family becomes the OpenTelemetry
data of its kind. Needs the extra `otel`.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import Metric

from ingest_grpc.telemetry.instruments import REGISTRY

TIMEOUT_SECONDS = 1.5
"""For one push, retries included: the last one, at the end, must not hold up a shutdown."""


class OtlpUnavailable(Exception):
    """Metrics shall be pushed, but the packages for it are not installed."""

    fix = (
        "Install them, from a checkout: .venv/bin/uv pip install --python .venv/bin/python -e '.[otel]', "
        "again after each scripts/setup that installs something."
    )


class OtlpPush:
    """Sends all metrics to one endpoint (http://host:4318/v1/metrics). `push` blocks: call it in a thread."""

    def __init__(self, endpoint: str, version: str) -> None:
        """Raises OtlpUnavailable."""
        try:
            # Loads for a third of a second what most servers never need.
            from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
        except ImportError as error:
            raise OtlpUnavailable("otlp_endpoint is set, but OpenTelemetry is not installed") from error
        self._exporter = OTLPMetricExporter(endpoint=endpoint, timeout=TIMEOUT_SECONDS)
        self._version = version
        self._since = time.time_ns()

    def push(self) -> bool:
        """Whether the endpoint took them."""
        from opentelemetry.sdk.metrics.export import MetricExportResult  # noqa: PLC0415

        data = metrics_data(REGISTRY.collect(), self._since, time.time_ns(), self._version)
        return self._exporter.export(data) is MetricExportResult.SUCCESS

    def stop(self) -> None:
        self._exporter.shutdown()


def metrics_data(families: Iterable[Metric], since: int, now: int, version: str) -> Any:
    """Families of Prometheus as MetricsData of OpenTelemetry; times in nanoseconds since the epoch."""
    from opentelemetry.sdk.metrics import export  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415

    resource = Resource({"service.name": "ingest-grpc", "service.version": version})
    metrics = [metric for family in families if (metric := _metric(export, family, since, now)) is not None]
    scope = export.ScopeMetrics(InstrumentationScope("ingest_grpc", version), metrics, "")
    return export.MetricsData([export.ResourceMetrics(resource, [scope], "")])


def _metric(export: Any, family: Metric, since: int, now: int) -> Any:
    """One family; None for a kind that the service has none of."""
    cumulative = export.AggregationTemporality.CUMULATIVE
    match family.type:
        case "counter":
            name, points = f"{family.name}_total", _numbers(export, family, f"{family.name}_total", since, now)
            data = export.Sum(points, cumulative, is_monotonic=True)
        case "gauge" | "unknown":
            name, data = family.name, export.Gauge(_numbers(export, family, family.name, since, now))
        case "histogram":
            name, data = family.name, export.Histogram(list(_histograms(export, family, since, now)), cumulative)
        case _:
            return None
    return export.Metric(name, family.documentation, family.unit, data)


def _numbers(export: Any, family: Metric, name: str, since: int, now: int) -> Sequence[Any]:
    return [
        export.NumberDataPoint(sample.labels, since, now, sample.value)
        for sample in family.samples
        if sample.name == name
    ]


def _histograms(export: Any, family: Metric, since: int, now: int) -> Iterator[Any]:
    """Prometheus counts up to each bound, OpenTelemetry between bounds."""
    series: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for sample in family.samples:
        labels = {name: value for name, value in sample.labels.items() if name != "le"}
        key = sample.labels.get("le", sample.name.removeprefix(family.name))
        series.setdefault(tuple(labels.items()), {})[key] = sample.value
    for found, values in series.items():
        yield _histogram(export, dict(found), values, since, now)


def _histogram(export: Any, labels: Mapping[str, str], values: Mapping[str, float], since: int, now: int) -> Any:
    below = [(float(bound), int(count)) for bound, count in values.items() if not bound.startswith("_")]
    counts = [count - before for (_, count), (_, before) in zip(below, [(0.0, 0), *below], strict=False)]
    bounds = [bound for bound, _ in below[:-1]]
    lowest, highest = float("inf"), float("-inf")  # unknown
    return export.HistogramDataPoint(
        labels, since, now, int(values["_count"]), values["_sum"], counts, bounds, lowest, highest
    )
