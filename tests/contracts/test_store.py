"""What every store promises: see ``vigla.storage.api``."""

import threading

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa

from tests.contracts.rows import START_NS, access_logs, histograms, numbered, samples, spans, summaries, upto
from vigla.errors import DeadlineExceeded, Fenced, QueryCancelled, QueryError, ResultTooLarge
from vigla.model.partitions import Partition, Reach
from vigla.prometheus.staleness import STALE_BITS
from vigla.storage.api import QueryContext, Stop, Store
from vigla.storage.tables import LakeTables, timestamp, timestamp_ms

YEAR_2200_NS = 7_258_118_400 * 10**9 + 123_456_789


def count(store: Store, table: sa.Table) -> int:
    answer = store.select(sa.select(sa.func.count()).select_from(table), QueryContext())
    return int(answer.column(0)[0].as_py())


def ids(store: Store, table: sa.Table) -> list[int]:
    answer = store.select(sa.select(table.c.span_id).order_by(table.c.span_id), QueryContext())
    return [int(n) for n in answer.column(0).to_pylist()]


def test_a_new_store_is_empty(store: Store, tables: LakeTables) -> None:
    assert [count(store, table) for table in tables.all] == [0] * len(tables.all)
    assert store.buffered_rows() == 0
    assert store.committed(Partition("traces")) == 0
    assert store.flush() == 0


def test_buffered_rows_are_visible_before_and_after_the_flush(store: Store, tables: LakeTables) -> None:
    store.buffer({"spans": numbered(0, 30), "traces": summaries({"trace_id": "a"})}, upto(store, traces=7))
    assert ids(store, tables.spans) == list(range(30))
    assert store.buffered_rows() == 31
    assert store.committed(Partition("traces")) == 0
    assert store.flush() == 31
    assert ids(store, tables.spans) == list(range(30))
    assert count(store, tables.traces) == 1
    assert store.buffered_rows() == 0
    assert store.committed(Partition("traces")) == 7


def test_flushed_and_buffered_rows_are_seen_together(store: Store, tables: LakeTables) -> None:
    store.buffer({"spans": numbered(0, 10)}, upto(store, traces=1))
    store.flush()
    store.buffer({"spans": numbered(10, 10)}, upto(store, traces=2))
    store.buffer({"spans": numbered(20, 5)}, upto(store, traces=3))
    assert ids(store, tables.spans) == list(range(25))


def test_dropped_rows_are_read_again(store: Store, tables: LakeTables) -> None:
    partition = Partition("traces")
    store.buffer({"spans": numbered(0, 5)}, {partition: Reach(0, 5)})
    store.flush()
    store.buffer({"spans": numbered(5, 5)}, {partition: Reach(5, 10)})
    store.drop()
    assert (store.position(partition), store.buffered_rows()) == (5, 0)
    assert ids(store, tables.spans) == [0, 1, 2, 3, 4]
    store.buffer({"spans": numbered(5, 5)}, {partition: Reach(5, 10)})
    assert store.flush() == 5
    assert ids(store, tables.spans) == list(range(10))


def test_partitions_of_a_topic_are_apart(store: Store) -> None:
    first, second = Partition("traces"), Partition("traces", 1)
    store.buffer({"spans": numbered(0, 10)}, {first: Reach(0, 4), second: Reach(0, 9)})
    assert [store.position(p) for p in (first, second)] == [4, 9]
    store.flush()
    assert [store.committed(p) for p in (first, second)] == [4, 9]
    assert store.position(Partition("traces", 2)) == 0


def test_position_is_behind_what_is_buffered(store: Store) -> None:
    partition = Partition("traces", 3)
    for start, end, stored in ((0, 2, 0), (2, 5, 2), (5, 6, 5)):
        store.buffer({"spans": numbered(start, end - start)}, {partition: Reach(start, end)})
        assert (store.position(partition), store.committed(partition)) == (end, stored)
        store.flush()
        assert (store.position(partition), store.committed(partition)) == (end, end)


@pytest.mark.parametrize("start", [0, 3, 7])
def test_rows_that_do_not_go_on_from_the_lake_are_fenced(
    store: Store, tables: LakeTables, start: int
) -> None:
    partition = Partition("traces")
    store.buffer({"spans": numbered(0, 5)}, {partition: Reach(0, 5)})
    store.flush()
    with pytest.raises(Fenced, match="traces/0"):  # noqa: PT012  a store finds it here or there
        store.buffer({"spans": numbered(100, 5)}, {partition: Reach(start, 9)})
        store.flush()
    store.drop()
    assert ids(store, tables.spans) == [0, 1, 2, 3, 4]
    assert store.position(partition) == 5
    store.buffer({"spans": numbered(5, 5)}, {partition: Reach(5, 9)})
    store.flush()
    assert ids(store, tables.spans) == list(range(10))


@pytest.mark.parametrize("start", [4, 6])
def test_rows_that_do_not_go_on_from_the_buffer_are_fenced(
    store: Store, tables: LakeTables, start: int
) -> None:
    partition = Partition("traces")
    store.buffer({"spans": numbered(0, 5)}, {partition: Reach(0, 5)})
    with pytest.raises(Fenced, match="traces/0"):
        store.buffer({"spans": numbered(100, 5)}, {partition: Reach(start, 9)})
    store.flush()
    assert ids(store, tables.spans) == [0, 1, 2, 3, 4]


def test_offsets_move_without_rows(store: Store) -> None:
    store.buffer({}, upto(store, traces=4, logs=2))
    store.flush()
    assert (store.committed(Partition("traces")), store.committed(Partition("logs"))) == (4, 2)


def test_every_reader_sees_each_row_once_while_rows_move(store: Store, tables: LakeTables) -> None:
    """Rows come in steps of ten, so any other count is a row doubled or missed."""
    stop, seen = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            seen.append(count(store, tables.spans))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for step in range(25):
        store.buffer({"spans": numbered(step * 10, 10)}, upto(store, traces=step))
        if step % 3 == 0:
            store.flush()
    stop.set()
    for reader in readers:
        reader.join()
    assert {n % 10 for n in seen} == {0}
    assert ids(store, tables.spans) == list(range(250))


def test_values_come_back_as_they_were(store: Store, tables: LakeTables) -> None:
    odd = spans(
        {"span_id": -(2**63), "parent_id": 2**63 - 1, "ts": 0, "dur": 2**63 - 1, "name": ""},
        {"span_id": 1, "ts": YEAR_2200_NS, "service": "Ünïcode 服务", "attrs": '{"k":"\\u0000"}'},
        {"span_id": 2, "ts": 1, "events": "[]", "status_code": 2, "kind": 5, "flags": 2**31 - 1},
        {"span_id": 3, "ts": START_NS + 1, "a.http.response.status_code": -1, "a.http.route": ""},
    )
    store.buffer({"spans": odd}, {})
    query = sa.select(tables.spans).order_by(tables.spans.c.span_id)
    before = store.select(query, QueryContext()).to_pylist()
    store.flush()
    assert store.select(query, QueryContext()).to_pylist() == before
    assert before == sorted(odd.to_pylist(), key=lambda row: row["span_id"])


@pytest.mark.parametrize("flushed", [False, True])
def test_time_is_compared_in_nanoseconds(store: Store, tables: LakeTables, flushed: bool) -> None:  # noqa: FBT001
    rows = ({"span_id": n, "ts": ts} for n, ts in enumerate([0, START_NS, START_NS + 1, YEAR_2200_NS]))
    store.buffer({"spans": spans(*rows)}, {})
    if flushed:
        store.flush()
    ts, span_id = tables.spans.c.ts, tables.spans.c.span_id

    def found(*where: sa.ColumnElement[bool]) -> list[int]:
        answer = store.select(sa.select(span_id).where(*where).order_by(span_id), QueryContext())
        return [int(n) for n in answer.column(0).to_pylist()]

    assert found(ts > timestamp(START_NS)) == [2, 3]
    assert found(ts <= timestamp(0)) == [0]
    assert found(ts >= timestamp(START_NS), ts < timestamp(YEAR_2200_NS)) == [1, 2]
    assert found(ts == timestamp(YEAR_2200_NS)) == [3]


@pytest.mark.parametrize("flushed", [False, True])
def test_services_of_a_summary(store: Store, tables: LakeTables, flushed: bool) -> None:  # noqa: FBT001
    store.buffer({"traces": summaries({"trace_id": "a", "services": ["x", "y"]}, {"trace_id": "b"})}, {})
    if flushed:
        store.flush()
    has = sa.select(tables.traces.c.trace_id).where(sa.func.list_contains(tables.traces.c.services, "y"))
    assert store.select(has, QueryContext()).column(0).to_pylist() == ["a"]


ATTRIBUTES = [
    ("plain", '{"plain":"v"}', "v"),
    ("with.dots", '{"with.dots":"a b","dots":"no"}', "a b"),
    ("$dollar", '{"$dollar":"x"}', "x"),
    ("sl/ash~", '{"sl/ash~":"x"}', "x"),
    ('quo"te', '{"quo\\"te":"x"}', "x"),
    ("", '{"":"empty"}', "empty"),
    ("Ключ", '{"Ключ":"значение"}', "значение"),
    ("number", '{"number":17}', "17"),
    ("double", '{"double":1.5}', "1.5"),
    ("bool", '{"bool":true}', "true"),
    ("value", '{"value":"it\'s \\"quoted\\""}', 'it\'s "quoted"'),
]


@pytest.mark.parametrize(("key", "attrs", "text"), ATTRIBUTES, ids=[key for key, _, _ in ATTRIBUTES])
def test_attribute_in_json(store: Store, tables: LakeTables, key: str, attrs: str, text: str) -> None:
    store.buffer({"spans": spans({"attrs": attrs}, {"span_id": 2, "attrs": '{"plain2":"v"}'})}, {})
    value = tables.attribute(tables.spans, key)
    assert store.select(sa.select(value).order_by(tables.spans.c.span_id), QueryContext()).column(
        0
    ).to_pylist() == [text, None]
    equal = sa.select(tables.spans.c.span_id).where(tables.attribute_equals(tables.spans, key, text))
    assert store.select(equal, QueryContext()).column(0).to_pylist() == [1]


@pytest.mark.parametrize("flushed", [False, True])
def test_promoted_attribute_in_column_or_json(store: Store, tables: LakeTables, flushed: bool) -> None:  # noqa: FBT001
    rows = spans(
        {"span_id": 1, "a.http.response.status_code": 200},
        {"span_id": 2, "attrs": '{"http.response.status_code":"200"}'},
        {"span_id": 3, "attrs": '{"http.response.status_code":"OK"}'},
        {"span_id": 4},
        {"span_id": 5, "a.http.response.status_code": 404, "attrs": '{"http.response.status_code":"200"}'},
    )
    store.buffer({"spans": rows}, {})
    if flushed:
        store.flush()
    key = "http.response.status_code"
    values = sa.select(tables.attribute(tables.spans, key)).order_by(tables.spans.c.span_id)
    assert store.select(values, QueryContext()).column(0).to_pylist() == ["200", "200", "OK", None, "404"]

    def equal(text: str) -> list[int]:
        matches = sa.select(tables.spans.c.span_id).where(tables.attribute_equals(tables.spans, key, text))
        return sorted(store.select(matches, QueryContext()).column(0).to_pylist())

    assert equal("200") == [1, 2]
    assert equal("OK") == [3]
    assert equal("0200") == []
    assert equal(str(2**70)) == []


def test_more_rows_than_allowed(store: Store, tables: LakeTables) -> None:
    store.buffer({"spans": numbered(0, 100)}, {})
    query = sa.select(tables.spans.c.span_id)
    assert store.select(query, QueryContext(max_rows=100)).num_rows == 100
    with pytest.raises(ResultTooLarge, match="99"):
        store.select(query, QueryContext(max_rows=99))


ENDLESS = "SELECT count(*) FROM range(1000000000) AS a, range(1000000000) AS b WHERE a.range + b.range = 7"


@pytest.mark.parametrize(("reason", "error"), [("deadline", DeadlineExceeded), ("cancelled", QueryCancelled)])
def test_a_running_query_is_stopped(store: Store, reason: str, error: type[Exception]) -> None:
    stop = Stop()
    timer = threading.Timer(0.2, stop.stop, [reason])
    timer.start()
    with pytest.raises(error):
        store.sql(ENDLESS, QueryContext(stop=stop))
    timer.join()
    assert store.sql("SELECT 1 AS n", QueryContext()).to_pylist() == [{"n": 1}]


def test_a_stopped_query_does_not_start(store: Store, tables: LakeTables) -> None:
    stop = Stop()
    stop.stop("cancelled")
    with pytest.raises(QueryCancelled):
        store.select(sa.select(tables.spans), QueryContext(stop=stop))


def test_a_wrong_statement_says_why_and_harms_nothing(store: Store, tables: LakeTables) -> None:
    store.buffer({"spans": numbered(0, 3)}, {})
    wrong = sa.select(sa.cast(tables.spans.c.service, sa.BigInteger))
    with pytest.raises(QueryError, match="shop"):
        store.select(wrong, QueryContext())
    assert count(store, tables.spans) == 3


def test_sql_reads_the_same_rows(store: Store) -> None:
    store.buffer({"spans": numbered(0, 10)}, {})
    store.flush()
    store.buffer({"spans": numbered(10, 5)}, {})
    answer = store.sql('SELECT count(*) AS n, max("a.http.route") AS r FROM spans', QueryContext())
    assert answer.to_pylist() == [{"n": 15, "r": None}]


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM spans",
        "SELECT 1; SELECT 2",
        "SELECT * FROM hot_spans",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM nothing",
        "SELECT nothing FROM spans",
        "SELEC",
        "",
    ],
)
def test_sql_refuses(store: Store, text: str) -> None:
    with pytest.raises(QueryError):
        store.sql(text, QueryContext())


def test_archive_keeps_each_span_once(store: Store, tables: LakeTables) -> None:
    first = numbered(0, 10)
    store.archive(first)
    store.archive(first)
    store.archive(numbered(5, 10))
    assert ids(store, tables.archived_spans) == list(range(15))
    assert count(store, tables.spans) == 0


def test_archive_tells_spans_with_one_id_apart(store: Store, tables: LakeTables) -> None:
    both_sides = spans({"kind": 3}, {"kind": 2})
    store.archive(both_sides)
    store.archive(both_sides)
    assert count(store, tables.archived_spans) == 2


def test_missing_columns_are_null(store: Store, tables: LakeTables) -> None:
    few = numbered(0, 2).select(["trace_id", "span_id", "ts", "service"])
    store.buffer({"spans": few}, {})
    store.flush()
    row = store.select(sa.select(tables.spans), QueryContext()).to_pylist()[0]
    assert row["service"] == "shop"
    assert row["name"] is None


def test_many_small_batches(store: Store, tables: LakeTables) -> None:
    for n in range(300):
        store.buffer({"spans": numbered(n, 1, service=f"s{n % 7}")}, upto(store, traces=n))
    by_service = sa.select(tables.spans.c.service, sa.func.count()).group_by(tables.spans.c.service)
    assert store.select(by_service, QueryContext()).num_rows == 7
    store.flush()
    assert ids(store, tables.spans) == list(range(300))
    assert isinstance(store.select(by_service, QueryContext()), pa.Table)


def test_access_logs_come_back_as_they_were(store: Store, tables: LakeTables) -> None:
    given = access_logs(
        {"ts": 0, "dur": 2**63 - 1, "status": 2**31 - 1, "flags": ["UF", "URX"], "path": "/ü?'\"\\"},
        {"ts": 1, "service": "Ünïcode 服务", "trace_id": "ab" * 16, "tags": '{"k":"\\u0000"}'},
        {"ts": YEAR_2200_NS, "node": "sidecar~1", "bytes_sent": 2**63 - 1, "attempts": 0},
    )
    store.buffer({"access_logs": given}, upto(store, access_logs=3))
    query = sa.select(tables.access_logs).order_by(tables.access_logs.c.ts)
    assert store.select(query, QueryContext()).to_pylist() == given.to_pylist()
    assert store.committed(Partition("access_logs")) == 0
    assert store.flush() == 3
    assert store.select(query, QueryContext()).to_pylist() == given.to_pylist()
    assert store.committed(Partition("access_logs")) == 3


@pytest.mark.parametrize("flushed", [False, True])
def test_access_logs_by_flag_in_sql(store: Store, flushed: bool) -> None:  # noqa: FBT001
    store.buffer({"access_logs": access_logs({"flags": ["UH"], "path": "/a"}, {"path": "/b"})}, {})
    if flushed:
        store.flush()
    found = store.sql("SELECT path FROM access_logs WHERE list_contains(flags, 'UH')", QueryContext())
    assert found.column(0).to_pylist() == ["/a"]


def test_topics_are_buffered_from_threads_of_their_own(store: Store, tables: LakeTables) -> None:
    def logs() -> None:
        for n in range(50):
            store.buffer({"access_logs": access_logs({"request_id": str(n)})}, upto(store, access_logs=n + 1))

    other = threading.Thread(target=logs)
    other.start()
    for n in range(50):
        store.buffer({"spans": numbered(n, 1)}, upto(store, traces=n + 1))
        if n % 10 == 0:
            store.flush()
    other.join()
    store.flush()
    assert (count(store, tables.spans), count(store, tables.access_logs)) == (50, 50)
    assert (store.committed(Partition("traces")), store.committed(Partition("access_logs"))) == (50, 50)


BITS = np.array([STALE_BITS, 0x7FF8000000000001], np.uint64)


@pytest.mark.parametrize("flushed", [False, True])
def test_values_of_samples_keep_their_bits(store: Store, tables: LakeTables, flushed: bool) -> None:  # noqa: FBT001
    given = samples({"ts": 0}, {"ts": 1}).set_column(2, "value", pa.array(BITS.view(np.float64)))
    store.buffer({"samples": given}, {})
    if flushed:
        store.flush()
    found = store.select(sa.select(tables.samples).order_by(tables.samples.c.ts), QueryContext())
    assert found.column("value").to_numpy().view(np.uint64).tolist() == BITS.tolist()


@pytest.mark.parametrize("flushed", [False, True])
def test_samples_by_series_and_millisecond(store: Store, tables: LakeTables, flushed: bool) -> None:  # noqa: FBT001
    store.buffer({"samples": samples(*({"sid": sid, "ts": ms} for sid in (-5, 7) for ms in (0, 1, 2)))}, {})
    if flushed:
        store.flush()
    sid, ts = tables.samples.c.sid, tables.samples.c.ts
    query = sa.select(sid, sa.func.epoch_ms(ts)).where(
        sid.in_([7]), ts >= timestamp_ms(1), ts < timestamp_ms(2)
    )
    assert [list(row.values()) for row in store.select(query, QueryContext()).to_pylist()] == [[7, 1]]


def test_histograms_come_back_as_they_were(store: Store, tables: LakeTables) -> None:
    given = histograms({"positive_spans": [0, 2], "positive_counts": [1.0, 2.5], "custom": [], "hint": 3})
    store.buffer({"histograms": given}, upto(store, remote_write=3))
    query = sa.select(tables.histograms)
    before = store.select(query, QueryContext()).to_pylist()
    store.flush()
    assert store.select(query, QueryContext()).to_pylist() == before == given.to_pylist()
    assert store.committed(Partition("remote_write")) == 3
