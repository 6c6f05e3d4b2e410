"""What is stored of samples: see ``ingester.series``."""

from typing import Any

import pyarrow as pa

from ingester.series import DAY_MS, SeriesLog
from tests.wire.remote_write_messages import packed, request_v1
from vigla.clock import FakeClock
from vigla.wire.remote_write.admit import admit
from vigla.wire.remote_write.decode import Decoded, RemoteWriteDecoder

UP, DOWN = {"__name__": "up", "job": "a"}, {"__name__": "down"}
T = 20_000 * DAY_MS + 5


def decoded(*requests: Any) -> list[Decoded]:
    now = T + 10 * DAY_MS
    return RemoteWriteDecoder().decode([admit("1", packed(request), now).record for request in requests])


def rows(tables: dict[str, pa.Table], *columns: str, table: str = "samples") -> list[tuple[Any, ...]]:
    found = tables[table]
    found = found.set_column(found.schema.get_field_index("ts"), "ts", found.column("ts").cast(pa.int64()))
    return list(zip(*(found.column(name).to_pylist() for name in columns), strict=True))


def test_samples_are_numbered_when_they_may_stand_twice() -> None:
    series = SeriesLog(FakeClock())
    first = series.tables(decoded(request_v1((UP, [(T, 1.0)]))), 1)
    assert rows(first, "ts", "value", "seq") == [(T, 1.0, 1)]
    second = series.tables(decoded(request_v1((UP, [(T + 1, 2.0), (T, 3.0), (T + 2, 4.0)]))), 2)
    assert rows(second, "ts", "value", "seq") == [(T + 1, 2.0, None), (T, 3.0, 2), (T + 2, 4.0, None)]


def test_of_equal_times_in_one_batch_the_last_stays() -> None:
    batch = decoded(request_v1((UP, [(T, 1.0)]), (DOWN, [(T, 5.0)])), request_v1((UP, [(T, 2.0)])))
    tables = SeriesLog(FakeClock()).tables(batch, 1)
    assert sorted(rows(tables, "value")) == [(2.0,), (5.0,)]


def test_a_series_is_stored_once_a_day() -> None:
    series = SeriesLog(FakeClock())
    stored = [
        rows(tables, "ts", "name", "seq", table="series") if "series" in tables else []
        for number, time in enumerate([T, T + 1, T + DAY_MS, T + 2, T + DAY_MS + 1])
        for tables in [series.tables(decoded(request_v1((UP, [(time, 1.0)]))), number)]
    ]
    end = 20_001 * DAY_MS - 1
    assert stored == [[(end, "up", 0)], [], [(end + DAY_MS, "up", 2)], [], []]


def test_metadata_is_stored_when_it_changes() -> None:
    series, told = SeriesLog(FakeClock()), []
    for number, text in enumerate([b"a", b"a", b"b"]):
        request = request_v1()
        request.metadata.add(type=1, name=b"up", help=text)
        tables = series.tables(decoded(request), number)
        told.append(rows(tables, "help", table="metric_metadata") if tables else [])
    assert told == [[("a",)], [], [("b",)]]
