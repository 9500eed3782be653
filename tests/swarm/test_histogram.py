"""The histogram against sorted lists: no percentile is off by more than 0.4 %, and merging is adding."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wirecat.swarm.histogram import LARGEST, Histogram

WITHIN = 0.004
VALUES = st.lists(
    st.one_of(st.integers(0, 300), st.integers(0, 10**7), st.integers(0, LARGEST)), min_size=1, max_size=300
)
PERCENTS = st.sampled_from([0.1, 1, 25, 50, 90, 99, 99.9, 99.99, 100])


def of(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


def exact(values: list[int], percent: float) -> int:
    """The least value that so many per cent of all do not exceed, from the sorted list."""
    ordered = sorted(values)
    per_mille_of_percent = round(percent * 1000)  # in whole numbers, so that 99.9 % of 1000 is 999 and not 1000
    rank = -(-len(ordered) * per_mille_of_percent // 100_000)
    return ordered[max(rank, 1) - 1]


@given(VALUES, PERCENTS)
def test_percentiles_agree_with_a_sorted_list(values: list[int], percent: float) -> None:
    found = of(values).percentile(percent)
    true = exact(values, percent)
    assert found is not None
    assert abs(found - true) <= WITHIN * true


@given(st.integers(0, LARGEST))
def test_one_value_is_told_exactly(value: int) -> None:
    histogram = of([value])
    assert [histogram.percentile(percent) for percent in (50, 99.9, 100)] == [value] * 3
    assert histogram.count == 1


@given(VALUES)
def test_the_maximum_is_exact_and_percentiles_rise(values: list[int]) -> None:
    histogram = of(values)
    found = [histogram.percentile(percent) for percent in (1, 50, 90, 99, 99.9, 100)]
    assert found == sorted(found)
    assert found[-1] == histogram.maximum == max(values)


@given(VALUES, VALUES)
def test_merging_is_recording_all(first: list[int], second: list[int]) -> None:
    merged, both = of(first), of(first + second)
    merged.merge(of(second))
    percents = (1, 50, 90, 99.9, 100)
    assert merged.count == both.count == len(first) + len(second)
    assert [merged.percentile(each) for each in percents] == [both.percentile(each) for each in percents]


@given(VALUES)
def test_its_counts_tell_all_of_it(values: list[int]) -> None:
    first, again = of(values), Histogram()
    again.add_counts(first.counts(), first.maximum)
    percents = (1, 50, 99.9, 100)
    assert [again.percentile(each) for each in percents] == [first.percentile(each) for each in percents]


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 10**6))
def test_evenly(one: int, other: int, count: int) -> None:
    least, largest = sorted((one, other))
    histogram = Histogram()
    histogram.record_evenly(least, largest, count)
    assert histogram.count == count
    assert histogram.maximum == largest
    middle, lowest = histogram.percentile(50), histogram.percentile(0.0001)
    assert middle is not None and lowest is not None
    if count > 1:
        assert abs(lowest - least) <= WITHIN * least + (largest - least) / min(count, 64)
        # The half of a nanosecond is lost where two values lie side by side.
        assert abs(middle - (least + largest) / 2) <= WITHIN * largest + (largest - least) / min(count, 64) + 0.5


def test_without_a_value_there_is_no_percentile() -> None:
    histogram = Histogram()
    assert histogram.percentile(50) is None
    assert (histogram.count, histogram.maximum) == (0, 0)


def test_the_rank_is_not_one_too_high_by_rounding() -> None:
    """99.9 has no exact binary form; below 128 every value has a bucket of its own, so a rank shows."""
    for count in range(1000, 101_000, 1000):
        histogram = of([1, 2])
        histogram._counts[1] = count * 999 // 1000
        histogram._counts[2] = count // 1000
        assert histogram.percentile(99.9) == 1, count


def test_its_memory_is_bounded() -> None:
    histogram = of([1 << 200, LARGEST, LARGEST + 1])
    assert len(histogram._counts) < 6000
    assert histogram.count == 3
    assert histogram.percentile(100) == float(1 << 200)


def test_every_bucket_boundary() -> None:
    for exponent in range(47):
        # The least and the largest value of the buckets that are widest, and narrowest, for their values.
        widest = (129 << exponent >> 7) - 1
        for value in ((1 << exponent) - 1, 1 << exponent, (1 << exponent) + 1, widest, widest + 1):
            if 0 <= value <= LARGEST:
                # A larger value beside it, so that the bucket's middle is told and not the exact maximum.
                found = of([value, LARGEST]).percentile(50)
                assert found is not None
                assert abs(found - value) <= WITHIN * value
