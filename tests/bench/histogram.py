"""A Prometheus histogram read from a service's page, and its quantiles."""

import math
from dataclasses import dataclass

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


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
    async with aiohttp.ClientSession() as session, session.get(page) as answer:
        text = await answer.text()
    buckets: dict[float, float] = {}
    count = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.name == name else ():
            if sample.name == f"{name}_bucket":
                buckets[float(sample.labels["le"])] = sample.value
            elif sample.name == f"{name}_count":
                count = sample.value
    return Histogram(buckets, count)
