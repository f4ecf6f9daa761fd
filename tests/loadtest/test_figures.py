"""What is computed from measurements: percentiles, slopes, scraped histograms, the search for the limit."""

import random

import pytest

from loadtest.exposition import buckets, figures, quantile
from loadtest.find_limit import Search
from loadtest.histogram import Histogram, merged
from loadtest.meter import Meter
from loadtest.record import Record
from loadtest.slope import slope
from loadtest.verdict import bottleneck

TEXT = """# HELP backline_commit_seconds Time of one journal commit
# TYPE backline_commit_seconds histogram
backline_commit_seconds_bucket{le="0.01"} 90.0
backline_commit_seconds_bucket{le="0.1"} 99.0
backline_commit_seconds_bucket{le="+Inf"} 100.0
backline_refusals_total{reason="4401 expired, {odd}"} 2.0
backline_refusals_total{reason="4404"} 3.0
process_resident_memory_bytes 6.5e+07
"""


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_percentile_is_right_to_its_bucket(share: float) -> None:
    """Against the sorted values, within 3 %; and the same when it comes from several parts."""
    rng = random.Random(4)
    values = [rng.lognormvariate(7, 1.5) for _ in range(5000)]
    parts = [Histogram(), Histogram()]
    for index, value in enumerate(values):
        parts[index % 2].record(value)
    total = merged(Histogram.load(part.dump()) for part in parts)
    found = total.percentile(share)
    assert found is not None
    assert found * 1000 == pytest.approx(sorted(values)[int(share * len(values)) - 1], rel=0.03)


def test_nothing_has_no_percentile() -> None:
    """Not zero, which would look fast."""
    assert Histogram().percentile(0.99) is None


def test_memory_that_grows_is_told_from_memory_that_breathes() -> None:
    """36 MiB an hour is found in the noise of a garbage collector; noise alone, and a start's growth, are flat."""
    rng = random.Random(5)
    breathing = [(float(at), 100 + rng.uniform(-3, 3)) for at in range(0, 1800, 2)]
    growing = [(at, height + at * 0.01) for at, height in breathing]
    starting = [(at, height + min(at, 300) * 0.1) for at, height in breathing]
    found = slope(growing)
    assert found is not None
    assert found.grows
    assert found.mib_per_hour == pytest.approx(36, rel=0.1)
    for points in (breathing, starting):
        calm = slope(points)
        assert calm is not None
        assert not calm.grows
    assert slope(breathing[:2]) is None


def test_metrics_are_read_with_odd_labels() -> None:
    """Series of one name are added up; the growth of a histogram gives a quantile's bucket."""
    assert figures(TEXT)["backline_refusals_total"] == 5
    assert figures(TEXT)["process_resident_memory_bytes"] == 65_000_000
    after = buckets(TEXT)["backline_commit_seconds"]
    assert quantile({}, after, 0.5) == 0.01
    assert quantile({}, after, 0.99) == 0.1
    assert quantile(after, after, 0.5) is None


def test_the_search_ends_near_the_true_limit() -> None:
    """A server that holds 1,000 edits/s is found to within 8 %, from below."""
    search = Search(bound_ms=50, rate=100)
    while not search.found:
        fine = search.rate <= 1000
        search.judge(search.rate, 3 * search.rate, 10 if fine else 80, 0, busy=False)
    assert search.best is not None
    assert 920 <= search.best.rate <= 1000
    assert len(search.steps) < 15


def test_the_harness_says_when_it_is_what_is_slow() -> None:
    """Five seconds at 85 % of a core are enough, and a moment is not."""
    record = Record()
    for second, share in enumerate((0.2, 0.95, 0.2, 0.9, 0.9, 0.88, 0.86, 0.9, 0.3)):
        record.add(0, Meter().take(second, 1, 0, share, 1.0))
        record.add(1, Meter().take(second, 1, 0, 0.99 if second == 4 else 0.1, 1.0))
    assert bottleneck(record).startswith("The harness itself was busy (worker 1 at 89% of a core)")
    calm = Record()
    calm.add(0, Meter().take(0, 1, 0, 0.5, 1.0))
    assert bottleneck(calm) == ""


def test_a_busy_harness_is_named_as_the_limit() -> None:
    """What could not be sent is no failure of the server's."""
    step = Search(bound_ms=50, rate=100).judge(60, 180, 4.0, 0, busy=True)
    assert step.broke == "only 60 edits/s left the harness, which was busy"
