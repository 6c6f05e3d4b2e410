"""Samples in the lake: files, merging, retention."""

from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa

from tests.contracts.rows import START_NS, samples
from tests.storage.lakes import maintenance, opened
from vigla.clock import FakeClock
from vigla.storage.api import QueryContext
from vigla.storage.merge import FAN_IN

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
