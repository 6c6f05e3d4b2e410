"""Samples in the lake: files, merging, retention."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from tests.contracts.rows import START_NS, samples
from tests.storage.lakes import maintenance, opened
from vigla.clock import FakeClock
from vigla.storage.api import Period, QueryContext
from vigla.storage.lake import Lake
from vigla.storage.merge import FAN_IN
from vigla.storage.tables import in_range

START, HOUR = START_NS // 10**6, 3_600_000


def test_small_files_become_one_by_series_and_time(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        for n in range(FAN_IN):
            lake.buffer({"samples": samples(*({"sid": -sid, "ts": START + n} for sid in range(5)))}, {})
            lake.flush()
        maintenance(lake).run_once()
        (file,) = lake.commits.files("samples")
        rows = pq.read_table(file.path, columns=["sid", "ts"]).to_pylist()
        assert len(rows) == 5 * FAN_IN
        assert rows == sorted(rows, key=lambda row: (row["sid"], row["ts"]))
        assert (file.min_ns, file.max_ns) == (START_NS, START_NS + (FAN_IN - 1) * 10**6)


def test_retention_by_age_without_any_spans(tmp_path: Path) -> None:
    clock = FakeClock(START_NS + 10 * HOUR * 10**6)
    with opened(tmp_path, clock=clock) as lake:
        lake.buffer({"samples": samples({"value": 1.0}, {"value": 2.0, "ts": START + 9 * HOUR})}, {})
        lake.flush()
        maintenance(lake, clock, retention_hours=5).run_once()
        found = lake.select(sa.select(lake.tables.samples.c.value), QueryContext())
        assert found.column(0).to_pylist() == [2.0]


def read(lake: Lake, sids: list[int], start: int, end: int) -> set[tuple[int, int, float, int, int]]:
    period = Period(START + start, START + end, sequence=True)
    found = lake.points(np.array(sorted(sids), np.int64), period, QueryContext())
    none = np.full(len(found.sids), -1)
    columns = (found.sids, found.times - START, found.values, none if found.seqs is None else found.seqs)
    starts = np.zeros(len(found.sids), np.int64) if found.starts is None else found.starts
    rows = list(zip(*(column.tolist() for column in (*columns, starts)), strict=True))
    assert len(rows) == len(set(rows))
    return set(rows)


def asked(lake: Lake, sids: list[int], start: int, end: int) -> set[tuple[int, int, float, int, int]]:
    """The same by a statement."""
    table = lake.tables.samples
    statement = sa.select(
        table.c.sid,
        sa.func.epoch_ms(table.c.ts) - START,
        table.c.value,
        sa.func.coalesce(table.c.seq, -1),
        sa.func.coalesce(table.c.start, 0),
    ).where(*in_range(table, np.array(sids, np.int64), START + start, START + end))
    rows = lake.select(statement, QueryContext()).to_pydict().values()
    return set(zip(*rows, strict=True))


@pytest.mark.parametrize("cache_bytes", [1, 10_000_000])
def test_points_are_what_a_statement_reads(tmp_path: Path, cache_bytes: int) -> None:
    dice = np.random.default_rng(7)
    clock = FakeClock(START_NS + HOUR * 10**6)
    with opened(tmp_path, clock=clock, sample_cache_bytes=cache_bytes) as lake:
        upkeep = maintenance(lake, clock, retention_hours=1)
        for step in range(60):
            rows = [
                {
                    "sid": int(dice.integers(-4, 4)),
                    "ts": START + step * 1000 + n,
                    "value": float(step),
                    "seq": step if step % 3 else None,
                    "start": 5 if step > 30 else None,
                }
                for n in range(int(dice.integers(1, 6)))
            ]
            lake.buffer({"samples": samples(*rows)}, {})
            if step % 2:
                lake.flush()
            if step % 20 == 19:
                upkeep.run_once()
            if step == 50:
                clock.advance(20)  # so that retention deletes a part of a merged file
                upkeep.run_once()
            sids = dice.integers(-5, 6, 3).tolist()
            for start, end in ((0, 100_000), (step * 500, step * 900), (step * 1000, step * 1000)):
                assert read(lake, list(set(sids)), start, end) == asked(lake, sids, start, end)


def test_whether_a_table_may_have_rows_in_a_range(tmp_path: Path) -> None:
    with opened(tmp_path) as lake:
        assert not lake.may_have("histograms", START, START + HOUR)
        assert not lake.may_have("samples", START, START + HOUR)
        lake.buffer({"samples": samples({"ts": START})}, {})
        assert lake.may_have("samples", START, START + HOUR)
        lake.flush()
        assert lake.may_have("samples", START, START)
        assert not lake.may_have("samples", START + 1, START + HOUR)
        assert lake.appended("samples") == 1
