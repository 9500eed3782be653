"""A log-linear histogram of latencies: bounded memory, percentiles within 0.4 %, merged by adding.

Each power of two of nanoseconds is cut into 128 buckets of equal width; below 128 ns every nanosecond has its
own. A bucket is at most 1/128 of its least value wide and is reported by its middle, so that no value is off
by more than 1/256 = 0.39 %, whether it is a microsecond or an hour. The largest value is kept exactly.
"""

from __future__ import annotations

from math import ceil

_BITS = 7  # 2**7 buckets to a power of two
_BUCKETS = 1 << _BITS
#: The largest value that has a bucket of its own, about 1.6 days; beyond it everything falls into the last
#: one.
LARGEST = (1 << 47) - 1


def _bucket(nanoseconds: int) -> int:
    """The number of the bucket of a value."""
    exponent = nanoseconds.bit_length() - _BITS - 1
    return (exponent << _BITS) + (nanoseconds >> exponent) if exponent > 0 else nanoseconds


_SIZE = _bucket(LARGEST) + 1


def _middle(bucket: int) -> float:
    """The value in the middle of a bucket."""
    if bucket < 2 * _BUCKETS:
        return float(bucket)
    exponent = (bucket >> _BITS) - 1
    least = (bucket - (exponent << _BITS)) << exponent
    return least + ((1 << exponent) - 1) / 2


class Histogram:
    """Counts of whole nanoseconds.

    >>> histogram = Histogram()
    >>> for microseconds in range(1, 1001):
    ...     histogram.record(microseconds * 1000)
    >>> histogram.count, histogram.maximum
    (1000, 1000000)
    >>> abs(histogram.percentile(50) - 500_000) <= 0.004 * 500_000
    True
    """

    __slots__ = ("_counts", "maximum")

    def __init__(self) -> None:
        self._counts = [0] * _SIZE
        self.maximum = 0
        """The largest value recorded, exactly; 0 while there is none."""

    def record(self, nanoseconds: int) -> None:
        """Count one value of at least 0. It runs for each reply, so the bucket is worked out in place."""
        exponent = nanoseconds.bit_length() - 8
        if exponent <= 0:
            self._counts[nanoseconds] += 1
        elif nanoseconds <= LARGEST:
            self._counts[(exponent << 7) + (nanoseconds >> exponent)] += 1
        else:
            self._counts[-1] += 1
        if nanoseconds > self.maximum:
            self.maximum = nanoseconds

    def record_evenly(self, least: int, largest: int, count: int) -> None:
        """Count ``count`` values that lie evenly between two, both included; of many 64 stand for all."""
        points = min(count, 64)
        for point in range(points):
            value = largest if points == 1 else least + (largest - least) * point // (points - 1)
            self.record(value)
            more = count * (point + 1) // points - count * point // points - 1
            self._counts[min(_bucket(value), _SIZE - 1)] += more

    def counts(self) -> dict[int, int]:
        """The buckets that are not empty: number and count. With ``maximum`` it is all that there is to know."""
        return {bucket: count for bucket, count in enumerate(self._counts) if count}

    def add_counts(self, counts: dict[int, int], maximum: int) -> None:
        """Add what ``counts`` and ``maximum`` of another one told. Raises IndexError for a bucket that there is not."""
        for bucket, count in counts.items():
            self._counts[bucket] += count
        self.maximum = max(self.maximum, maximum)

    @property
    def count(self) -> int:
        """How many values were recorded."""
        return sum(self._counts)

    def merge(self, other: Histogram) -> None:
        """Add the counts of another one, as if all its values had been recorded here."""
        self._counts = [mine + yours for mine, yours in zip(self._counts, other._counts, strict=True)]
        self.maximum = max(self.maximum, other.maximum)

    def percentile(self, percent: float) -> float | None:
        """The least value that ``percent`` % of all values do not exceed (nearest rank), in nanoseconds.

        None while nothing was recorded; 100 gives the exact maximum.
        """
        count = self.count
        if not count:
            return None
        # A percentage such as 99.9 has no exact binary form; without the rounding, 99.9 % of 1000 would be
        # rank 1000.
        rank = max(1, ceil(round(count * percent / 100, 6)))
        if rank >= count:
            return float(self.maximum)
        seen = 0
        for bucket, number in enumerate(self._counts):
            seen += number
            if seen >= rank:
                return min(_middle(bucket), float(self.maximum))
        raise AssertionError("the ranks of all counts end with the last one")
