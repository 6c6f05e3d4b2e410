"""What every source of series promises: see ``query.promql.series``."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
import pytest

from ingester.series import SeriesLog
from query.promql.ast import Matcher
from query.promql.errors import TooManySamples
from query.promql.histogram import Buckets, Histogram
from query.promql.lake import LakeSeries
from query.promql.memory import MemorySeries
from query.promql.series import Labels, SeriesBatch, SeriesSource
from tests.contracts.rows import upto
from tests.wire.remote_write_messages import packed, request_v2
from vigla.clock import SystemClock
from vigla.errors import QueryCancelled
from vigla.model.spans import DEFAULT_PROMOTED
from vigla.prometheus.staleness import STALE, STALE_BITS
from vigla.settings import StorageSettings
from vigla.storage.api import Stop, Store
from vigla.storage.lake import Lake
from vigla.storage.memory import MemoryStore
from vigla.telemetry.metrics import Metrics
from vigla.wire.remote_write.admit import admit
from vigla.wire.remote_write.decode import RemoteWriteDecoder

T = 1_700_000_000_000
Value: TypeAlias = float | Histogram


class InMemory:
    """Appends one by one."""

    def __init__(self) -> None:
        self._series = MemorySeries()
        self.source: SeriesSource = self._series

    def put(self, labels: Mapping[str, str], *points: tuple[int, Value], start: int = 0) -> None:
        for time, value in points:
            self._series.append(tuple(sorted(labels.items())), time, value, start_time=start)

    def close(self) -> None:
        """Nothing is open."""


class Stored:
    """Sends remote write requests on the ingester's way into a store; every second one is flushed."""

    def __init__(self, store: Store) -> None:
        self.source: SeriesSource = LakeSeries(store)
        self._store = store
        self._log = SeriesLog(SystemClock())
        self._count = 0

    def put(self, labels: Mapping[str, str], *points: tuple[int, Value], start: int = 0) -> None:
        request = request_v2((labels, [(time, v) for time, v in points if isinstance(v, float)]))
        series = request.timeseries[0]
        for sample in series.samples:
            sample.start_timestamp = start
        for time, value in points:
            if isinstance(value, Histogram):
                _add(series, time, value)
        self._count += 1
        record = admit("2", packed(request), T).record
        tables = self._log.tables(RemoteWriteDecoder().decode([record]), self._count)
        self._store.buffer(tables, upto(self._store, remote_write=self._count))
        if self._count % 2:
            self._store.flush()

    def close(self) -> None:
        self._store.close()


def _add(series: Any, time: int, value: Histogram) -> None:
    sent = series.histograms.add(
        timestamp=time,
        schema=value.schema,
        count_float=value.count,
        sum=value.sum,
        zero_threshold=value.zero_threshold,
        zero_count_float=value.zero_count,
    )
    for side, spans in ((value.positive, sent.positive_spans), (value.negative, sent.negative_spans)):
        if len(side.counts):
            spans.add(offset=side.first, length=len(side.counts))
    sent.positive_counts.extend(value.positive.counts)
    sent.negative_counts.extend(value.negative.counts)
    sent.custom_values.extend(value.bounds)


Source: TypeAlias = InMemory | Stored
KINDS: dict[str, Callable[[Any], Source]] = {
    "memory": lambda _: InMemory(),
    "store": lambda _: Stored(MemoryStore(DEFAULT_PROMOTED)),
    "lake": lambda path: Stored(
        Lake(StorageSettings(path=path / "lake"), DEFAULT_PROMOTED, Metrics(), SystemClock())
    ),
}


@pytest.fixture(params=KINDS)
def kept(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Source]:
    made = KINDS[request.param](tmp_path)
    yield made
    made.close()


def read(
    kept: Source, *matchers: tuple[str, str, str], start: int = 0, end: int = T, limit: int = 1000
) -> SeriesBatch:
    asked = [Matcher(name, op, value) for name, op, value in matchers]  # type: ignore[arg-type]
    return kept.source.select(asked, start, end, max_samples=limit, stop=Stop())


def points(batch: SeriesBatch) -> dict[Labels, list[tuple[int, float]]]:
    pairs = list(zip(batch.times.tolist(), batch.values.tolist(), strict=True))
    bounds = batch.offsets.tolist()
    return {labels: pairs[bounds[n] : bounds[n + 1]] for n, labels in enumerate(batch.labels)}


def test_samples_are_in_order_and_bounds_are_included(kept: Source) -> None:
    kept.put({"__name__": "up", "job": "b"}, (30, 3.0), (10, 1.0), (20, 2.0), (40, 4.0))
    kept.put({"__name__": "up", "job": "a"}, (20, 5.0))
    kept.put({"__name__": "down"}, (20, 6.0))
    found = points(read(kept, ("__name__", "=", "up"), start=10, end=30))
    assert list(found.items()) == [
        ((("__name__", "up"), ("job", "a")), [(20, 5.0)]),
        ((("__name__", "up"), ("job", "b")), [(10, 1.0), (20, 2.0), (30, 3.0)]),
    ]


MATCHERS = [
    ([("job", "=", "a")], "1"),
    ([("job", "!=", "a")], "23"),
    ([("job", "=", "")], "3"),
    ([("job", "!=", "")], "12"),
    ([("job", "=~", "a|b")], "12"),
    ([("job", "=~", "a.*|")], "13"),
    ([("job", "!~", "a.*")], "23"),
    ([("job", "=~", ".+")], "12"),
    ([("job", "=~", "")], "3"),
    ([("none", "=", "x")], ""),
    ([("none", "!=", "x")], "123"),
    ([("job", "=~", "[ab]"), ("n", "!=", "1")], "2"),
]


@pytest.mark.parametrize(("matchers", "numbers"), MATCHERS)
def test_matchers(kept: Source, matchers: list[tuple[str, str, str]], numbers: str) -> None:
    for labels in ({"job": "a", "n": "1"}, {"job": "b", "n": "2"}, {"n": "3"}):
        kept.put({"__name__": "m", **labels}, (1, 1.0))
    found = read(kept, ("__name__", "=", "m"), *matchers)
    assert "".join(sorted(dict(labels)["n"] for labels in found.labels)) == numbers


def test_series_without_samples_in_the_range_are_left_out(kept: Source) -> None:
    kept.put({"__name__": "m"}, (1, 1.0))
    batch = read(kept, ("__name__", "=", "m"), start=2)
    assert (list(batch.labels), batch.offsets.tolist()) == ([], [0])


def test_of_samples_of_one_time_the_last_counts(kept: Source) -> None:
    for value in (1.0, 2.0, 3.0):
        kept.put({"__name__": "m"}, (5, value), (6, 0.0))
    kept.put({"__name__": "m"}, (4, 9.0))
    assert list(points(read(kept, ("__name__", "=", "m"))).values()) == [[(4, 9.0), (5, 3.0), (6, 0.0)]]


def test_new_series_are_seen(kept: Source) -> None:
    for number in range(5):
        kept.put({"__name__": "m", "n": str(number)}, (1, 1.0))
        assert len(read(kept, ("__name__", "=", "m")).labels) == number + 1


def test_bits_of_nan_stay(kept: Source) -> None:
    kept.put({"__name__": "m"}, (1, STALE), (2, float("nan")))
    bits = read(kept, ("__name__", "=", "m")).values.view(np.uint64).tolist()
    assert bits == [STALE_BITS, int(np.array([np.nan]).view(np.uint64)[0])]


def test_start_times(kept: Source) -> None:
    kept.put({"__name__": "m"}, (10, 1.0), start=3)
    kept.put({"__name__": "m"}, (20, 1.0))
    starts = read(kept, ("__name__", "=", "m")).start_times
    assert starts is not None
    assert starts.tolist() == [3, 0]
    assert read(kept, ("__name__", "=", "m"), start=20).start_times is None


def test_histograms_among_floats(kept: Source) -> None:
    negative, positive = Buckets(3, np.array([1.0])), Buckets(-2, np.array([1.0, 0.0, 2.5]))
    given = Histogram(1, 0.5, 2.0, 6.5, -1.5, positive, negative)
    custom = Histogram(-53, 0.0, 0.0, 1.0, 1.0, Buckets(0, np.array([1.0])), Buckets(0, np.zeros(0)), (0.5,))
    kept.put({"__name__": "m"}, (1, 1.0), (2, given), (3, custom))
    batch = read(kept, ("__name__", "=", "m"))
    assert batch.histograms is not None
    none, first, second = batch.histograms
    assert none is None
    assert np.isnan(batch.values).tolist() == [False, True, True]
    for found, expected in ((first, given), (second, custom)):
        for name in ("schema", "zero_threshold", "zero_count", "count", "sum", "bounds"):
            assert getattr(found, name) == getattr(expected, name)
        assert found.positive.first == expected.positive.first
        assert found.positive.counts.tolist() == expected.positive.counts.tolist()
        assert found.negative.counts.tolist() == expected.negative.counts.tolist()


def test_too_many_samples(kept: Source) -> None:
    kept.put({"__name__": "m"}, *((n, 1.0) for n in range(10)))
    assert len(read(kept, ("__name__", "=", "m"), limit=10).times) == 10
    with pytest.raises(TooManySamples):
        read(kept, ("__name__", "=", "m"), limit=9)


class Watched:
    """A store that remembers the longest answer."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.longest = 0

    def select(self, statement: Any, context: Any) -> Any:
        found = self._store.select(statement, context)
        self.longest = max(self.longest, found.num_rows)
        return found

    def points(self, *asked: Any) -> Any:
        found = self._store.points(*asked)
        self.longest = max(self.longest, len(found.sids))
        return found

    def may_have(self, *asked: Any) -> bool:
        return self._store.may_have(*asked)

    def appended(self, table: str) -> int:
        return self._store.appended(table)


def test_what_is_too_much_is_refused_before_it_is_read() -> None:
    store = MemoryStore(DEFAULT_PROMOTED)
    Stored(store).put({"__name__": "m"}, *((n * 1000, 1.0) for n in range(1000)))
    watched = Watched(store)
    source = LakeSeries(watched)  # type: ignore[arg-type]
    with pytest.raises(TooManySamples):
        source.select([Matcher("__name__", "=", "m")], 0, T, max_samples=999, stop=Stop())
    assert watched.longest == 1
    assert (
        len(source.select([Matcher("__name__", "=", "m")], 0, T, max_samples=1000, stop=Stop()).times) == 1000
    )
    store.close()


def test_many_series(kept: Source) -> None:
    for number in range(3):
        kept.put({"__name__": "other", "n": str(number)}, (1, 1.0))
    for number in range(1200 if isinstance(kept, InMemory) else 0):
        kept.put({"__name__": "m", "n": str(number)}, (1, float(number)))
    if isinstance(kept, Stored):
        request = request_v2(*(({"__name__": "m", "n": str(n)}, [(1, float(n))]) for n in range(1200)))
        decoded = RemoteWriteDecoder().decode([admit("2", packed(request), T).record])
        kept._store.buffer(kept._log.tables(decoded, 50), {})
        kept._store.flush()
    found = points(read(kept, ("__name__", "=", "m"), limit=2000))
    assert {dict(labels)["n"]: values for labels, values in found.items()} == {
        str(n): [(1, float(n))] for n in range(1200)
    }


def test_far_times(kept: Source) -> None:
    kept.put({"__name__": "m"}, (1, 1.0))
    batch = read(kept, ("__name__", "=", "m"), start=-(2**60), end=2**60)
    assert batch.times.tolist() == [1]


def test_stopped(kept: Source) -> None:
    stop = Stop()
    stop.stop("cancelled")
    with pytest.raises(QueryCancelled):
        kept.source.select([Matcher("__name__", "=", "m")], 0, 1, max_samples=1, stop=stop)
