"""Merging and retention: nothing lost, nothing doubled, nothing deleted too early."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.contracts.rows import SECOND_NS, START_NS, numbered, spans, summaries, upto
from tests.storage.lakes import maintenance, on_disk, opened, span_ids
from vigla.clock import FakeClock
from vigla.model.partitions import Partition
from vigla.storage.api import QueryContext
from vigla.storage.inventory import DataFile
from vigla.storage.lake import Lake
from vigla.storage.merge import FAN_IN, TARGET_BYTES, TARGET_ROWS, plan
from vigla.storage.retention import TrustedTime, excess

HOUR_S = 3600.0
YEAR_S = 365 * 24 * HOUR_S


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with opened(tmp_path) as made:
        yield made


def flush_each(lake: Lake, count: int, size: int = 10) -> None:
    """Files with consecutive span ids."""
    for n in range(count):
        rows = numbered(n * size, size, service=f"s{n % 3}")
        lake.buffer({"spans": rows, "traces": summaries({"trace_id": f"{n:032x}"})}, upto(lake, traces=n + 1))
        lake.flush()


def test_small_files_become_one_with_the_same_rows(lake: Lake, tmp_path: Path) -> None:
    flush_each(lake, FAN_IN)
    query = sa.select(lake.tables.spans).order_by(lake.tables.spans.c.span_id)
    before = lake.select(query, QueryContext())
    maintenance(lake).run_once()
    assert lake.select(query, QueryContext()).to_pylist() == before.to_pylist()
    (file,) = lake.commits.files("spans")
    assert file.rows == FAN_IN * 10
    assert {path.name for path in on_disk(tmp_path)} == {file.path.name}
    assert len(on_disk(tmp_path, "traces")) == 1


def test_merged_files_are_sorted_and_have_a_bloom_filter(lake: Lake) -> None:
    flush_each(lake, FAN_IN)
    maintenance(lake).run_once()
    (file,) = lake.commits.files("spans")
    rows = pq.read_table(file.path, columns=["service", "ts"]).to_pylist()
    assert rows == sorted(rows, key=lambda row: (row["service"], row["ts"]))
    with lake.commits.autocommit() as cursor:
        probe = "SELECT bloom_filter_excludes FROM parquet_bloom_probe(?, 'trace_id', ?)"
        absent = cursor.execute(probe, [str(file.path), "f" * 32]).fetchall()
        present = cursor.execute(probe, [str(file.path), f"{1:032x}"]).fetchall()
    assert (absent, present) == ([(True,)], [(False,)])


def test_files_with_other_columns_merge(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        for n in range(FAN_IN):
            column = {"a.http.route": f"/{n}"} if n % 2 else {"events": "[]"}
            lake.buffer({"spans": spans({"span_id": n, **column})}, {})
            lake.flush()
        maintenance(lake).run_once()
        table = lake.tables.spans
        query = sa.select(table.c["a.http.route"], table.c.events).order_by(table.c.span_id)
        found = [tuple(row.values()) for row in lake.select(query, QueryContext()).to_pylist()]
        assert found == [(f"/{n}", None) if n % 2 else (None, "[]") for n in range(FAN_IN)]


def test_rows_stay_exact_while_flushes_merges_and_readers_run(lake: Lake) -> None:
    upkeep, done, seen = maintenance(lake, snapshot_grace_s=60), threading.Event(), []

    def merge() -> None:
        while not done.is_set():
            upkeep.run_once()

    def read() -> None:
        while not done.is_set():
            seen.append(len(span_ids(lake)))

    threads = [threading.Thread(target=merge), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    flush_each(lake, 40)
    done.set()
    for thread in threads:
        thread.join()
    upkeep.run_once()
    assert span_ids(lake) == list(range(400))
    assert {n % 10 for n in seen} <= {0}
    assert seen == sorted(seen)
    assert len(lake.commits.files("spans")) < 20


def test_what_was_replaced_stays_for_the_grace_period(lake: Lake, tmp_path: Path) -> None:
    flush_each(lake, FAN_IN)
    before = on_disk(tmp_path)
    maintenance(lake, snapshot_grace_s=3600).run_once()
    assert before < on_disk(tmp_path)


def data_file(rows: int, number: int = 0, *, deletions: bool = False, size: int = 100) -> DataFile:
    return DataFile(Path(f"{number}.parquet"), rows, size, number, number, deletions)


def rows_of(groups: list[list[DataFile]]) -> list[list[int]]:
    return [[file.rows for file in group] for group in groups]


def test_plan_waits_for_enough_files_of_one_size() -> None:
    few = [data_file(10) for _ in range(FAN_IN - 1)]
    assert plan(few, lambda _: 1) == []
    assert rows_of(plan([*few, data_file(12)], lambda _: 1)) == [[10] * (FAN_IN - 1) + [12]]
    assert plan([*few, data_file(10_000)], lambda _: 1) == []


def test_plan_fills_up_to_the_target() -> None:
    quarter = TARGET_ROWS // 4
    assert rows_of(plan([data_file(quarter)] * 5, lambda _: 1)) == [[quarter] * 4]
    assert plan([data_file(TARGET_ROWS // 2 + 1)] * 10, lambda _: 1) == []


def test_plan_is_bounded_by_memory() -> None:
    files = [data_file(10)] * 8
    assert rows_of(plan(files, lambda _: TARGET_BYTES // 3)) == [[10] * 3, [10] * 3]
    assert plan(files, lambda _: TARGET_BYTES) == []


def test_plan_leaves_files_with_deletions() -> None:
    assert plan([data_file(10, deletions=True)] * 10, lambda _: 1) == []


def at(hours: float) -> int:
    return START_NS + int(hours * HOUR_S) * SECOND_NS


def aged(lake: Lake) -> None:
    """A flush of ten spans every hour for ten hours, and one flush with both ends."""
    for hour in range(10):
        rows = {"trace_id": f"{hour:032x}", "ts": at(hour)}
        lake.buffer({"spans": numbered(hour * 10, 10, ts=at(hour)), "traces": summaries(rows)}, {})
        lake.flush()
    lake.buffer({"spans": spans({"span_id": 1000, "ts": at(0)}, {"span_id": 1001, "ts": at(9)})}, {})
    lake.flush()


def test_retention_by_age_deletes_exactly_what_is_older(lake: Lake, tmp_path: Path) -> None:
    aged(lake)
    lake.archive(numbered(0, 5, ts=at(0)))
    clock = FakeClock(at(9.5))
    upkeep = maintenance(lake, clock, retention_hours=3)
    upkeep.run_once()
    assert span_ids(lake) == [*range(70, 100), 1001]
    assert span_ids(lake, "archived_spans") == list(range(5))
    ids = lake.select(sa.select(lake.tables.traces.c.trace_id), QueryContext()).column(0).to_pylist()
    assert sorted(ids) == [f"{hour:032x}" for hour in (7, 8, 9)]
    upkeep.run_once()
    assert len(on_disk(tmp_path, "traces")) == 1 or len(lake.commits.files("traces")) == 3


def test_everything_goes_once_it_is_old(lake: Lake, tmp_path: Path) -> None:
    aged(lake)
    clock = FakeClock(at(9.5))
    upkeep = maintenance(lake, clock, retention_hours=3)
    upkeep.run_once()
    clock.advance(4 * HOUR_S)
    upkeep.run_once()
    upkeep.run_once()
    assert span_ids(lake) == []
    assert on_disk(tmp_path) == set()


def test_operations_of_deleted_rows_are_forgotten(lake: Lake) -> None:
    lake.buffer({"spans": spans({"name": "old", "ts": at(0)}, {"name": "new", "ts": at(9)})}, {})
    lake.flush()
    assert {name for _, name, _ in lake.operations()} == {"old", "new"}
    maintenance(lake, FakeClock(at(9)), retention_hours=3).run_once()
    assert {name for _, name, _ in lake.operations()} == {"new"}


def test_nothing_goes_without_retention(lake: Lake) -> None:
    aged(lake)
    maintenance(lake, FakeClock(at(9 + 1e5))).run_once()
    assert len(span_ids(lake)) == 102


@pytest.mark.parametrize("jump_s", [50 * YEAR_S, -20 * YEAR_S])
def test_a_jump_of_the_wall_clock_deletes_nothing(lake: Lake, jump_s: float) -> None:
    aged(lake)
    clock = FakeClock(at(9.5))
    upkeep = maintenance(lake, clock, retention_hours=24)
    upkeep.run_once()
    clock.jump(jump_s)
    clock.advance(HOUR_S)
    upkeep.run_once()
    maintenance(lake, clock, retention_hours=24).run_once()  # as after a restart
    assert len(span_ids(lake)) == 102


def test_a_span_from_the_future_deletes_nothing(lake: Lake) -> None:
    aged(lake)
    lake.buffer({"spans": spans({"span_id": 2000, "ts": 7_258_118_400 * SECOND_NS})}, {})
    lake.flush()
    maintenance(lake, FakeClock(at(9.5)), retention_hours=24).run_once()
    assert len(span_ids(lake)) == 103


def test_trusted_time_follows_evidence_and_its_own_pace() -> None:
    time = TrustedTime()
    assert time.update(5_000 * SECOND_NS, 0.0, None) is None
    assert time.update(5_000 * SECOND_NS, 1.0, 4_000 * SECOND_NS) == 4_000 * SECOND_NS
    assert time.update(9_000 * SECOND_NS, 11.0, 4_000 * SECOND_NS) == 4_010 * SECOND_NS
    assert time.update(9_000 * SECOND_NS, 12.0, 8_999 * SECOND_NS) == 8_999 * SECOND_NS
    assert time.update(100 * SECOND_NS, 13.0, None) == 100 * SECOND_NS


def test_retention_by_size_drops_the_oldest_files(lake: Lake) -> None:
    aged(lake)
    lake.archive(numbered(0, 1, ts=at(0)))
    maintenance(lake).run_once()
    tables = ("spans", "traces", "archived_spans")
    stored = sum(file.size for table in tables for file in lake.commits.files(table))
    maintenance(lake, retention_bytes=stored).run_once()
    assert len(span_ids(lake)) == 102
    maintenance(lake, retention_bytes=stored - 1).run_once()
    assert 0 not in span_ids(lake)
    assert 99 in span_ids(lake)
    assert span_ids(lake, "archived_spans") == [0]
    ids = lake.select(sa.select(lake.tables.traces.c.trace_id), QueryContext()).column(0).to_pylist()
    assert f"{9:032x}" in ids


def test_excess_is_oldest_first_and_no_more_than_needed() -> None:
    files = [data_file(1, number, size=10) for number in (3, 1, 2)]
    assert [file.min_ns for file in excess(files, 5, 25)] == [1]
    assert excess(files, 5, 35) == []
    assert [file.min_ns for file in excess(files, 5, 1)] == [1, 2, 3]


def test_offsets_are_trimmed_to_the_newest(lake: Lake) -> None:
    flush_each(lake, 5)
    maintenance(lake).run_once()
    with lake.commits.autocommit() as cursor:
        assert cursor.execute("SELECT * FROM lake.main.offsets").fetchall() == [("traces", 5, 0)]
    flush_each(lake, 6)
    assert lake.committed(Partition("traces")) == 6


def test_stop_before_start_and_twice(lake: Lake) -> None:
    upkeep = maintenance(lake)
    upkeep.stop()
    started = maintenance(lake, merge_interval_s=0.01)
    flush_each(lake, FAN_IN)
    started.start()
    started.stop()
    started.stop()
    assert span_ids(lake) == list(range(FAN_IN * 10))
