"""Prometheus metrics read from a service's page; a histogram and its quantiles."""

import math
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True, slots=True)
class Histogram:
    """Cumulative counts by upper bound in seconds."""

    buckets: dict[float, float]
    count: float

    def __sub__(self, before: "Histogram") -> "Histogram":
        """What has been added since `before`."""
        buckets = {bound: n - before.buckets.get(bound, 0) for bound, n in self.buckets.items()}
        return Histogram(buckets, self.count - before.count)

    def quantile(self, share: float) -> float:
        """The value below which this share lies, in seconds; straight lines inside a bucket. NaN without values."""
        wanted, low, below = share * self.count, 0.0, 0.0
        for bound, n in sorted(self.buckets.items()):
            if n >= wanted and n > below:
                return low if math.isinf(bound) else low + (bound - low) * (wanted - below) / (n - below)
            low, below = bound, n
        return math.nan


async def read_histogram(page: str, name: str) -> Histogram:
    """The histogram `name` as this page of metrics shows it now."""
    buckets: dict[float, float] = {}
    count = 0.0
    for sample in await _samples(page, name):
        if sample.name == f"{name}_bucket":
            buckets[float(sample.labels["le"])] = sample.value
        elif sample.name == f"{name}_count":
            count = sample.value
    return Histogram(buckets, count)


async def read_gauge(page: str, name: str) -> float:
    """The gauge `name` as this page of metrics shows it now; NaN when it does not."""
    return next((sample.value for sample in await _samples(page, name)), math.nan)


async def _samples(page: str, name: str) -> list[Sample]:
    async with aiohttp.ClientSession() as session, session.get(page) as answer:
        text = await answer.text()
    families = text_string_to_metric_families(text)
    return [sample for family in families if family.name == name for sample in family.samples]
