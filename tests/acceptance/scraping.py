"""What a server tells of itself on its page of metrics."""

import httpx
from prometheus_client.parser import text_string_to_metric_families


class Metrics:
    """Scrapes one address; `value` sums over the labels that are not given."""

    def __init__(self, address: str) -> None:
        self._url = f"http://{address}/metrics"
        self._client = httpx.AsyncClient(trust_env=False, timeout=30)
        self._samples: list[tuple[str, dict[str, str], float]] = []

    async def scrape(self) -> None:
        answer = await self._client.get(self._url)
        answer.raise_for_status()
        self._samples = [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        ]

    def value(self, metric: str, **labels: str) -> float:
        return sum(value for name, found, value in self._samples if name == metric and labels.items() <= found.items())

    async def close(self) -> None:
        await self._client.aclose()
